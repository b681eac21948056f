"""What people type about their family, their consents and their data."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import identity, plain
from .account_forms import Plain
from .errors import Refused
from .models import DataRequest, Patient, PatientIdentifier, RelatedPerson

WITHOUT_BIRTH_DATE = [kind for kind in PatientIdentifier.Kind.values if kind not in identity.CARDS]
"""Documents whose number says neither birth date nor sex."""


class PersonFields(Plain):
    relation = forms.ChoiceField(label=_("与您的关系"), choices=RelatedPerson.Relation, widget=forms.RadioSelect)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["relation"].error_messages["required"] = _("请选择与您的关系。")


class FamilyForm(PersonFields):
    """添加就诊人. The children's part is there once the document or the birth date says that it is a child."""

    name = forms.CharField(label=_("姓名"), max_length=60, error_messages={"required": _("请填写证件上的姓名。")})
    kind = forms.ChoiceField(label=_("证件类型"), choices=PatientIdentifier.Kind)
    number = forms.CharField(label=_("证件号码"), max_length=70, error_messages={"required": _("请填写证件号码。")})
    sex = forms.ChoiceField(label=_("性别"), choices=[("", _("请选择")), *Patient.Sex.choices[:2]], required=False)
    birth_date = forms.DateField(
        label=_("出生日期"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "placeholder": "1990-01-31"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("请按“年-月-日”填写，例如 1990-01-31。")},
    )
    phone = forms.CharField(label=_("联系手机（可不填）"), max_length=30, required=False)
    guardian = forms.BooleanField(label=_("我是这位儿童的父母或其他监护人"), required=False)
    child_rules = forms.BooleanField(label=_("我已阅读并同意《儿童个人信息处理规则》"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.asks_guardian = bool(self.data.get("asks_guardian"))
        self.fields["number"].help_text = _("身份证等 18 位证件，性别和出生日期可以不填。")
        self.fields["phone"].help_text = _("不填就用您的登录手机，接收就诊人的预约和停诊通知。")
        self.fields["phone"].widget.attrs |= {"type": "tel", "inputmode": "tel"}
        for name in ("name", "number", "phone"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    def clean_phone(self):
        return _or_invalid(identity.read_phone, self.cleaned_data["phone"]) if self.cleaned_data["phone"] else ""

    def clean(self):
        data = super().clean()
        if data.get("kind") in WITHOUT_BIRTH_DATE:
            if not data.get("birth_date") and "birth_date" not in self.errors:
                self.add_error("birth_date", _("这种证件里没有出生日期，请填写。"))
            if not data.get("sex"):
                self.add_error("sex", _("这种证件里没有性别，请选择。"))
        if "kind" in data and "number" in data:
            try:
                identity.read_document(kind=data["kind"], number=data["number"])
            except identity.BadDocument as refusal:
                self.add_error("number", refusal.in_full)
        return data

    def ask_guardian(self) -> None:
        """Show the children's part, and say what is missing in it."""
        if self.asks_guardian:
            if not self.cleaned_data.get("guardian"):
                self.add_error("guardian", _("请确认您是监护人。"))
            if not self.cleaned_data.get("child_rules"):
                self.add_error("child_rules", _("请阅读后勾选同意。"))
        else:
            self.fields["guardian"].widget.attrs |= {"autofocus": True, "aria-describedby": "refusal"}
        self.asks_guardian = True

    @property
    def agreed(self) -> bool:
        return bool(self.cleaned_data.get("guardian") and self.cleaned_data.get("child_rules"))


class RelationForm(PersonFields):
    """更改关系."""


class AgreeForm(Plain):
    """One tick a notice, none ticked beforehand; each names the version that was read."""

    def __init__(self, *args, notices, **kwargs):
        super().__init__(*args, **kwargs)
        self.notices = notices
        for notice in notices:
            self.fields[f"agree_{notice.pk}"] = forms.BooleanField(
                label=_("我已阅读并同意"), error_messages={"required": _("请先阅读并勾选；不同意可以返回。")}
            )

    def pairs(self):
        """(notice, its field) for the page."""
        return [(notice, self[f"agree_{notice.pk}"]) for notice in self.notices]


class CorrectionForm(Plain):
    """更正申请. `people`: the account's own."""

    person = forms.ChoiceField(label=_("谁的资料"))
    text = forms.CharField(
        label=_("哪里不对，应该是什么"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("不要在这里填写完整的证件号码。"),
        error_messages={"required": _("请写明哪里不对。")},
    )

    def __init__(self, *args, people, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = people


class ErasureForm(Plain):
    sure = forms.BooleanField(
        label=_("我已看清哪些会删除、哪些依法保存，申请注销"), error_messages={"required": _("请先勾选确认。")}
    )
    text = forms.CharField(label=_("原因（可不填）"), max_length=300, required=False)


class WindowBindForm(PersonFields):
    """窗口绑定: the clerk has the document in hand."""

    phone = forms.CharField(label=_("患者登录用的手机号"), max_length=30)
    seen = forms.BooleanField(label=_("已核验就诊人证件原件"), error_messages={"required": _("没有核验证件不能绑定。")})
    agreed = forms.BooleanField(label=_("儿童：监护人已当面签署《儿童个人信息处理规则》同意书"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["relation"].label = _("就诊人是手机使用人的")
        self.fields["relation"].error_messages["required"] = _("请选择关系。")

    def clean_phone(self):
        return _or_invalid(identity.read_phone, self.cleaned_data["phone"])


class WindowEndForm(Plain):
    """解除绑定 at the window; the reason goes to the trail as a word, not as free text."""

    reason = forms.ChoiceField(
        label=_("原因"),
        choices=[
            ("", _("请选择原因")),
            ("not_agreed", _("就诊人没有同意绑定")),
            ("asked", _("就诊人要求解除")),
            ("mistake", _("绑错了账号")),
        ],
    )


class WindowCorrectForm(plain.ModelForm):
    """更正资料, with the document in hand."""

    phone = forms.CharField(label=_("手机"), max_length=30, required=False)
    seen = forms.BooleanField(label=_("已核验证件原件"), error_messages={"required": _("没有核验证件不能更正。")})

    class Meta:
        model = Patient
        fields = ["name", "sex", "birth_date", "special"]
        widgets = {"birth_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    field_order = ["name", "sex", "birth_date", "special", "phone", "seen"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["name"].label = _("姓名")
        self.fields["special"].help_text = _(
            "看过残疾证、军人证等才登记；60 岁以上不用登记。电话和自助机凭此约优待号。"
        )
        self.fields["phone"].help_text = _("不改手机就留空。手机会同时成为本人账号的登录手机。")

    def clean_phone(self):
        return _or_invalid(identity.read_phone, self.cleaned_data["phone"]) if self.cleaned_data["phone"] else ""


class DecisionForm(plain.ModelForm):
    """处理个人信息请求, in the admin."""

    decision = forms.ChoiceField(
        label=_("处理结果"),
        choices=[("agree", _("同意并办理")), ("refuse", _("不同意"))],
        widget=forms.RadioSelect,
    )

    class Meta:
        model = DataRequest
        fields = ["answer"]
        help_texts = {"answer": _("不同意时必填，原文会发给申请人。")}

    def clean(self):
        data = super().clean()
        if data.get("decision") == "refuse" and not (data.get("answer") or "").strip():
            self.add_error("answer", _("不同意时必须写明理由。"))
        return data


def _or_invalid(read, text: str) -> str:
    try:
        return read(text)
    except Refused as refusal:
        raise ValidationError(refusal.in_full) from None
