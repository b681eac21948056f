"""Signing in of patients: phone, code, in. The hooks that allauth asks for, and its stage "is it still you?".

allauth carries the login through its stages (Login, adapter); the codes themselves are ours (codes, phone_codes). Its
own SMS hook stays unset on purpose: a code that no limit counted can't be sent.
"""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, perform_login, record_authentication
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import Login
from allauth.account.stages import LoginStage, LoginStageController
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from . import account_rules, accounts, clock, devices
from .errors import Refused
from .models import AccountPhone, User
from .permissions import CODE_AT, roles_of

BY_CODE = "code"  # allauth's name for the method


class WrongDoor(Refused):
    """A password for a patient's account, or a code for a working one: neither door opens for the other's accounts."""

    code = "wrong_door"
    status = 403
    message = _("这个账号不能这样登录。")
    next_step = _("患者请用手机号和验证码登录，工作人员请用账号和密码登录。")


class PatientsByPhone:
    """The patients' half of the account adapter."""

    def get_phone(self, user):
        row = AccountPhone.objects.filter(user=user).first()
        return (row.phone, row.verified_at is not None) if row else None

    def set_phone(self, user, phone, verified):
        accounts.change_phone(user=user, phone=phone, by=user, now=clock.now(), request=self.request)

    def set_phone_verified(self, user, phone):
        AccountPhone.objects.filter(user=user).update(verified_at=clock.now())

    def get_user_by_phone(self, phone):
        return accounts.by_phone(phone)

    def get_login_stages(self):
        return [f"{__name__}.PersonStage", *super().get_login_stages()]

    def pre_login(self, request, user, **kwargs):
        by_phone = AccountPhone.objects.filter(user=user).exists()
        if by_phone != came_by_code(request, user) or (by_phone and (roles_of(user) or user.is_staff)):
            clear_login(request)
            raise WrongDoor
        return super().pre_login(request, user, **kwargs)

    def post_login(self, request, user, **kwargs):
        if came_by_code(request, user):
            now = clock.now()
            request.session.set_expiry(account_rules.in_force(now=now).session_days * 86400)
            request.session[CODE_AT] = now.timestamp()
            devices.remember(user=user, device=devices.digest_of(request), now=now)
        return super().post_login(request, user, **kwargs)


class PersonStage(LoginStage):
    """After the right code, before anything of the account is shown."""

    key = "person"
    urlname = "sign_in_person"

    def handle(self):
        user = self.login.user
        device = devices.digest_of(self.request)
        if came_by_code(self.request, user) and accounts.is_unsure(user=user, device=device, now=clock.now()):
            return HttpResponseRedirect(reverse(self.urlname)), True
        return None, True


def came_by_code(request, user: User) -> bool:
    return any(record["method"] == BY_CODE for record in get_authentication_records(request, user))


def let_in(request, *, phone: str, onward: str):
    """The phone proved itself: into its account, which is made now if there is none. The response to give."""
    user = get_adapter(request).get_user_by_phone(phone)
    user = user or accounts.open_account(phone=phone, now=clock.now(), request=request)
    record_authentication(request, user, method=BY_CODE)
    return perform_login(request, Login(user=user, redirect_url=onward))


def waiting_stage(request) -> PersonStage | None:
    """The login that waits for "is it still you?" in this session, for a quarter of an hour (LOGIN_TIMEOUT)."""
    return LoginStageController.enter(request, PersonStage.key)


def start_afresh(request, stage: PersonStage):
    """ "I am the new owner of this number": the old account loses it, a new one opens."""
    onward = stage.login.redirect_url
    phone = accounts.release_phone(user=stage.login.user, now=clock.now(), request=request)
    clear_login(request)
    return let_in(request, phone=phone, onward=onward)
