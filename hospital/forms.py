"""What people type about themselves: sign-in of staff, registration of patients."""

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeAgain
from allauth.mfa.totp.forms import ActivateTOTPForm
from axes.handlers.proxy import AxesProxyHandler
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import plain

PASSWORD_HELP = _("至少 10 个字符；不能只有数字，不要与账号相似，也不要用常见密码。")
CODE_ATTRIBUTES = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}


class SignInForm(plain.Words, LoginForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["login"].label = _("账号")
        self.fields["login"].widget.attrs = {"autocomplete": "username", "autocapitalize": "off", "autofocus": True}
        self.fields["password"].label = _("密码")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}


class NewPasswordForm(plain.Words, ChangePasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        labels = {"oldpassword": _("现在的密码"), "password1": _("新密码"), "password2": _("再输一遍新密码")}
        for name, label in labels.items():
            self.fields[name].label = label
            self.fields[name].help_text = PASSWORD_HELP if name == "password1" else ""
            self.fields[name].widget.attrs.pop("placeholder", None)


class PasswordAgainForm(plain.Words, ReauthenticateForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["password"].label = _("密码")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs = {"autocomplete": "current-password", "autofocus": True}


class CountsFailures:
    """A wrong code counts like a wrong password (hospital.signin), and a locked account is not asked for one."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["code"].label = _("验证码或恢复码")
        self.fields["code"].widget.attrs = {**CODE_ATTRIBUTES, "autofocus": True}

    def clean_code(self):
        request, credentials = context.request, {"username": self.user.username}
        if not AxesProxyHandler.is_allowed(request, credentials):
            request.axes_locked_out = True  # AxesMiddleware answers with the lock-out page
            request.axes_credentials = credentials
            raise ValidationError(_("账号已临时锁定。"))
        return super().clean_code()


class CodeForm(plain.Words, CountsFailures, AuthenticateForm):
    pass


class CodeAgainForm(plain.Words, CountsFailures, CodeAgain):
    pass


class SetUpCodeForm(plain.Words, ActivateTOTPForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["code"].label = _("应用里显示的 6 位验证码")
        self.fields["code"].widget.attrs = {**CODE_ATTRIBUTES, "inputmode": "numeric"}
