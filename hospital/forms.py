"""What people type about themselves: sign-in of staff, registration of patients."""

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeAgain
from allauth.mfa.totp.forms import ActivateTOTPForm
from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import identity
from .errors import Refused
from .models import Patient, PatientIdentifier

PASSWORD_HELP = _("至少 10 个字符；不能只有数字，不要与账号相似，也不要用常见密码。")
CODE_ATTRIBUTES = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}


class SignInForm(LoginForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["login"].label = _("账号")
        self.fields["login"].widget.attrs = {"autocomplete": "username", "autocapitalize": "off", "autofocus": True}
        self.fields["password"].label = _("密码")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}


class NewPasswordForm(ChangePasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        labels = {"oldpassword": _("现在的密码"), "password1": _("新密码"), "password2": _("再输一遍新密码")}
        for name, label in labels.items():
            self.fields[name].label = label
            self.fields[name].help_text = PASSWORD_HELP if name == "password1" else ""
            self.fields[name].widget.attrs.pop("placeholder", None)


class PasswordAgainForm(ReauthenticateForm):
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


class CodeForm(CountsFailures, AuthenticateForm):
    pass


class CodeAgainForm(CountsFailures, CodeAgain):
    pass


class SetUpCodeForm(ActivateTOTPForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["code"].label = _("应用里显示的 6 位验证码")
        self.fields["code"].widget.attrs = {**CODE_ATTRIBUTES, "inputmode": "numeric"}


class PatientForm(forms.ModelForm):
    """建档. The service refuses duplicates; the form says beside the field what is wrong with it."""

    kind = forms.ChoiceField(label=_("证件类型"), choices=PatientIdentifier.Kind)
    number = forms.CharField(label=_("证件号码"), max_length=70)
    phone = forms.CharField(label=_("手机"), max_length=30, required=False)

    class Meta:
        model = Patient
        fields = ["name", "sex", "birth_date", "insurance"]
        widgets = {"birth_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    field_order = ["kind", "number", "name", "sex", "birth_date", "phone", "insurance"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["name"].label = _("姓名")
        self.fields["sex"].help_text = _("身份证里有的，可以不填。")
        self.fields["birth_date"].help_text = _("身份证里有的，可以不填。")
        for name in ("name", "number", "phone"):
            self.fields[name].widget.attrs["autocomplete"] = "off"  # the desk's browser must not offer the last patient

    def clean_phone(self):
        phone = self.cleaned_data["phone"]
        return _or_invalid(identity.read_phone, phone) if phone.strip() else ""

    def clean(self):
        data = super().clean()
        if "kind" in data and "number" in data:
            try:
                identity.read_document(kind=data["kind"], number=data["number"])
            except identity.BadDocument as refusal:
                self.add_error("number", refusal.sentence)
        return data

    def facts(self) -> dict:
        """What hospital.patients.register_patient wants to know."""
        data = self.cleaned_data
        told = {name: data[name] for name in ("name", "sex", "birth_date", "phone", "insurance")}
        return {**told, "documents": [(data["kind"], data["number"])]}


def _or_invalid(read, text: str) -> str:
    try:
        return read(text)
    except Refused as refusal:
        raise ValidationError(refusal.in_full) from None
