"""Signing in of staff: password, lock-out, second factor. The hooks that allauth asks for.

Limits: django-axes counts failures in PostgreSQL and is the one that must hold; a wrong second-factor code counts
there too, so guessing codes ends after five tries with or without Redis. allauth's own rates and its mark on a used
code live in the cache and are lost while Redis is away (hospital.cache): sign-in goes on, axes still locks.
"""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.signals import authentication_failed
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _

from . import addresses, audit, clock
from .fields import cipher
from .models import User


class StaffAccountAdapter(DefaultAccountAdapter):
    """Accounts are made by the administrator; every way in and out leaves a trace."""

    def is_open_for_signup(self, request):
        return False

    def add_message(self, request, level, message_template=None, message_context=None, extra_tags="", message=None):
        """Staff land on a page that shows that they are in; no banner."""

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

    def logout(self, request):
        if request.user.is_authenticated:
            audit.record(action="account.signed_out", actor=request.user, now=clock.now(), request=request)
        super().logout(request)


class SecondFactorAdapter(DefaultMFAAdapter):
    """The secret of an authenticator app is stored encrypted with the house's own keys."""

    def encrypt(self, text):
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text):
        return cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self):
        return _("预约诊疗")

    def get_totp_label(self, user):
        return user.username


class CountsFailures:
    """A wrong code counts like a wrong password, and a locked account is not asked for a code."""

    def clean_code(self):
        request = context.request
        credentials = {"username": self.user.username}
        if not AxesProxyHandler.is_allowed(request, credentials):
            request.axes_locked_out = True  # AxesMiddleware answers with the lock-out page
            request.axes_credentials = credentials
            raise ValidationError(_("账号已临时锁定。"))
        return super().clean_code()


class CodeForm(CountsFailures, AuthenticateForm):
    pass


class CodeAgainForm(CountsFailures, ReauthenticateForm):
    pass


def count_wrong_code(sender, request, user, **_kwargs):
    """Hand a wrong second-factor code to axes, as a wrong password would be."""
    user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)
    audit.record(action="account.code_refused", actor=None, subject=f"user:{user.pk}", now=clock.now(), request=request)


authentication_failed.connect(count_wrong_code, dispatch_uid="hospital.signin.count_wrong_code")
