"""What patients type about their account: a phone, a code, a document number."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import codes, identity, plain

MOBILE = re.compile(r"1[3-9]\d{9}")


SIX_DIGITS = re.compile(r"[0-9]{6}")


class Plain(plain.Form):
    """The page opens at the first field that is wrong, whatever is above it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)

    def add_error(self, field, error):
        super().add_error(field, error)
        wrong = [name for name in self.fields if name in self.errors]
        for name, each in self.fields.items():
            each.widget.attrs.pop("autofocus", None)
            if name == next(iter(wrong), None):
                each.widget.attrs["autofocus"] = True


class PhoneForm(Plain):
    """Mainland mobiles only: codes to other countries are what toll fraud lives on; the window helps the others."""

    phone = forms.CharField(
        label=_("手机号"),
        max_length=30,
        error_messages={"required": _("请输入手机号。")},
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel-national"}),
    )

    def clean_phone(self):
        try:
            phone = identity.read_phone(self.cleaned_data["phone"])
        except identity.BadPhone as refusal:
            raise ValidationError(_("手机号不对，应为 11 位数字，请检查后重新输入。")) from refusal
        if not MOBILE.fullmatch(phone):
            raise ValidationError(_("验证码只能发到内地手机号；没有内地手机号请带证件到医院窗口办理。"))
        return phone


class CodeForm(Plain):
    code = forms.CharField(
        label=_("6 位验证码"),
        max_length=20,
        error_messages={"required": _("请输入短信里的 6 位数字。")},
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autocapitalize": "off",
                "class": "code__input",
            }
        ),
    )

    def __init__(self, *args, refused: bool = False, **kwargs):
        """`refused`: the page says above that the last one was wrong."""
        super().__init__(*args, **kwargs)
        if refused:
            self.fields["code"].widget.attrs |= {
                "autofocus": True,
                "aria-invalid": "true",
                "aria-describedby": "refusal",
            }

    def clean_code(self):
        """What can't be a code is no try at it."""
        code = codes.typed(self.cleaned_data["code"])
        if not SIX_DIGITS.fullmatch(code):
            raise ValidationError(_("请输入 6 位数字。"))
        return code


class PersonForm(Plain):
    number = forms.CharField(
        label=_("账号里任意一位就诊人的证件号码"),
        help_text=_("身份证、护照等均可，请输入完整号码。"),
        max_length=70,
        error_messages={"required": _("请输入证件号码。")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class NewOwnerForm(Plain):
    sure = forms.BooleanField(
        label=_("我确认：这个号码以前不是我的，也不是我家人的"),
        error_messages={"required": _("请先勾选确认。")},
    )
