"""Signing in of staff: password, lock-out, second factor. The hooks that allauth asks for.

Patients come in by phone and code (phone_signin); one adapter serves both doors.

Limits: django-axes counts failures in PostgreSQL and is the one that must hold; a wrong second-factor code counts
there too, so guessing codes ends after five tries with or without Redis. allauth's own rates and its mark on a used
code live in the cache and are lost while Redis is away (hospital.cache): sign-in goes on, axes still locks.
"""

from datetime import timedelta

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_login_failed
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import addresses, audit, clock
from .fields import cipher
from .models import RolePolicy, User
from .permissions import is_patient_account, roles_of
from .phone_signin import PatientsByPhone

JUST_NOW = timedelta(minutes=5)


class HouseAccountAdapter(PatientsByPhone, DefaultAccountAdapter):
    """Accounts of staff are made by the administrator; every way in and out leaves a trace."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy("账号或密码不对。连续错 5 次会锁定 30 分钟。"),
        "too_many_login_attempts": gettext_lazy("尝试太频繁，请几分钟后再试。"),
        "incorrect_password": gettext_lazy("密码不对。"),
        "enter_current_password": gettext_lazy("现在的密码不对。"),
    }

    def is_open_for_signup(self, request):
        return False

    def add_message(self, request, level, message_template=None, message_context=None, extra_tags="", message=None):
        """People land on a page that shows that they are in; no banner."""

    def send_notification_mail(self, *args, **kwargs):
        """The trail tells of changes to an account; accounts need no mail address."""

    def get_client_ip(self, request):
        return addresses.client_address(request) or "unknown"

    def get_password_change_redirect_url(self, request):
        return reverse("home")

    def post_login(self, request, user, **kwargs):
        response = super().post_login(request, user, **kwargs)
        audit.record(action="account.signed_in", actor=user, now=clock.now(), request=request)
        return response

    def authentication_failed(self, request, **credentials):
        user = User.objects.filter(username=credentials.get("username") or "").first()
        audit.record(
            action="account.refused",
            actor=None,
            now=clock.now(),
            subject=f"user:{user.pk}" if user else "user:unknown",
            request=request,
        )

    def is_reauthentication_required(self, *, app, **kwargs):
        """Who typed the password a moment ago is not asked for it again to set up the second factor."""
        since = clock.now().timestamp() - JUST_NOW.total_seconds()
        records = get_authentication_records(context.request, context.request.user)
        return not any(record["at"] > since for record in records)

    def set_password(self, user, password):
        super().set_password(user, password)
        audit.record(
            action="account.password_changed",
            actor=context.request.user,
            subject=f"user:{user.pk}",
            now=clock.now(),
            request=context.request,
        )

    def get_logout_redirect_url(self, request):
        """Staff share their screens: the next one signs in at the same door."""
        if request.user.is_authenticated and not is_patient_account(request.user):
            return reverse("account_login")
        return super().get_logout_redirect_url(request)

    def logout(self, request):
        if request.user.is_authenticated:
            audit.record(action="account.signed_out", actor=request.user, now=clock.now(), request=request)
        super().logout(request)


class SecondFactorAdapter(DefaultMFAAdapter):
    """The secret of an authenticator app is stored encrypted with the house's own keys."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("验证码不对，请用应用里最新的一组数字。"),
        "cannot_delete_authenticator": gettext_lazy("您的岗位必须使用两步验证，不能停用。"),
    }

    def can_delete_authenticator(self, authenticator):
        """Nobody takes off a second factor that a role asks for; the administrator removes a lost one."""
        roles = roles_of(authenticator.user)
        return not RolePolicy.objects.filter(role__in=roles, second_factor=True).exists()

    def encrypt(self, text):
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text):
        return cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self):
        return _("预约诊疗")

    def get_totp_label(self, user):
        return user.username


def count_wrong_code(sender, request, user, **_kwargs):
    """Hand a wrong second-factor code to axes, as a wrong password would be."""
    user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)
    audit.record(action="account.code_refused", actor=None, subject=f"user:{user.pk}", now=clock.now(), request=request)


authentication_failed.connect(count_wrong_code, dispatch_uid="hospital.signin.count_wrong_code")
