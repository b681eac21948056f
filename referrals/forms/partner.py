"""Shapes of input at the lower institution's desk: the letter, signing, what is looked at."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.forms.looking import LookedDay
from appointments.forms.phone import PLACE, read_slice
from hospital import plain
from hospital.models import Organization, Practitioner
from referrals.models import Referral

from .icd10 import DiagnosisFields

TEXTS = ("reason", "history", "medication", "allergies", "results")
"""Written as typed."""


def _text(label, *, most: int, rows: int, help_text="") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "maxlength": most})
    return forms.CharField(label=label, max_length=most, required=False, strip=True, widget=widget, help_text=help_text)


class LetterForm(DiagnosisFields, plain.Form):
    """转诊单. Nothing is required while it is written: what sending needs, sending says."""

    drafting = True

    receiver = forms.ModelChoiceField(
        Organization.objects.none(), label=_("接收医院"), required=False, empty_label=None
    )
    urgency = forms.ChoiceField(
        label=_("紧急程度"), choices=Referral.Urgency.choices, required=False, widget=forms.RadioSelect
    )
    wish = forms.RegexField(PLACE, label=_("拟转科室、医生或团队"), required=False)
    wish_q = forms.CharField(required=False, max_length=40, strip=True)
    reason = _text(_("转诊理由"), most=300, rows=2, help_text=_("为什么要转、希望上级医院解决什么问题。"))
    history = _text(
        _("病史摘要"), most=4000, rows=5, help_text=_("主要症状、经过、既往史、体格检查。加急和绿色通道可以后补。")
    )
    medication = _text(_("目前用药"), most=2000, rows=3)
    allergies = forms.CharField(label=_("过敏史"), max_length=300, required=False, strip=True)
    results = _text(
        _("检查检验结果"), most=4000, rows=4, help_text=_("关键数值写在这里，报告原件放在附件里，上级医院不用重做。")
    )
    consent = forms.ChoiceField(
        label=_("知情同意"), choices=Referral.Consent.choices, required=False, widget=forms.RadioSelect
    )

    consenter = forms.CharField(
        label=_("同意的监护人或家属"),
        max_length=60,
        required=False,
        strip=True,
        help_text=_("不是本人同意时写姓名和关系，如“李秀英（母亲）”；发出后双方都看得到。"),
    )

    def __init__(self, *args, houses: list[Organization], **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["receiver"].queryset = Organization.objects.filter(pk__in=[house.pk for house in houses])
        self.several = len(houses) > 1
        self.fields["diagnosis"].label = _("初步诊断")

    def lacks_to_send(self) -> bool:
        """What only the page knows to be missing; said at its field."""
        if self.needs_pick:
            self.ask_to_pick()
        if self.cleaned_data.get("consent") == Referral.Consent.GUARDIAN and not self.cleaned_data.get("consenter"):
            self.add_error("consenter", gettext("请写明是谁同意的：姓名和关系。"))
        return bool(self.errors)

    @property
    def place(self) -> tuple[str, int] | None:
        """(department, role or team; id) that is ticked."""
        found = PLACE.fullmatch(str(self["wish"].value() or ""))
        return (found[1], int(found[2])) if found else None

    def written(self) -> dict:
        """Of what was right, the columns that writing.change takes; the wish is looked up by the view."""
        said = self.cleaned_data
        names = [name for name in (*TEXTS, "consent") if name in said]
        kept = {name: said[name] for name in names}
        if said.get("urgency"):
            kept["urgency"] = said["urgency"]
        if "diagnosis" in said and "diagnosis_code" in said:
            kept |= {"diagnosis": said["diagnosis"], "diagnosis_code": said["diagnosis_code"]}
        return kept

    @staticmethod
    def initial_of(referral: Referral) -> dict:
        names = (*TEXTS, "consent", "urgency", "diagnosis", "diagnosis_code", "receiver")
        return {name: getattr(referral, name) for name in names} | {"wish": wish_of(referral)}


def wish_of(referral: Referral) -> str:
    """Its place as the form names one."""
    for sort in ("role", "team", "department"):
        if pk := getattr(referral, f"{sort}_id"):
            return f"{sort}-{pk}"
    return ""


class ActForm(plain.Form):
    """What was pressed below or beside the letter: save, send, hold:<slice>, look:<day> …"""

    act = forms.CharField(required=False, max_length=100)
    request_key = forms.UUIDField(required=False)

    def said(self) -> tuple[str, str]:
        self.is_valid()
        act, _colon, what = self.cleaned_data.get("act", "").partition(":")
        return act, what

    @property
    def slice(self):
        return read_slice(self.said()[1])

    @property
    def key(self) -> str | None:
        key = self.cleaned_data.get("request_key")
        return str(key) if key else None


class LookForm(plain.Form):
    """Which days of the numbers are looked at; a wrong value is as if it were not there."""

    day = LookedDay(required=False)
    since = LookedDay(required=False)

    def said(self, name: str):
        self.is_valid()
        return self.cleaned_data.get(name)


class PeriodForm(plain.Form):
    """From which day to which; the past month unless said otherwise."""

    first = LookedDay(label=_("从"), required=False)
    last = LookedDay(label=_("到"), required=False)

    def days(self, today) -> tuple:
        self.is_valid()
        last = self.cleaned_data.get("last") or today
        first = self.cleaned_data.get("first") or last - timedelta(days=29)
        return (first, last) if first <= last else (last, first)


def day_field(label, **more) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **more)


class SignForm(plain.Form):
    """签约."""

    first = day_field(_("签约日"))
    last = day_field(_("到期日"))
    doctor = forms.ModelChoiceField(
        Practitioner.objects.none(), label=_("家庭医生"), required=False, empty_label=_("不指定")
    )
    note = forms.CharField(label=_("服务包"), max_length=100, required=False, strip=True)

    def __init__(self, *args, institution: Organization, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        rows = Practitioner.objects.filter(organization=institution, active=True)
        self.fields["doctor"].queryset = rows.order_by("pinyin", "pk")


class EndForm(plain.Form):
    """解约."""

    last = day_field(_("最后一天"))
    reason = forms.CharField(label=_("解约原因"), max_length=200, strip=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class ResidentsForm(plain.Form):
    which = forms.ChoiceField(
        required=False, choices=[("now", _("签约中")), ("soon", _("30 天内到期")), ("over", _("已到期"))]
    )
    q = forms.CharField(required=False, max_length=40, strip=True)

    def said(self, name: str) -> str:
        self.is_valid()
        return self.cleaned_data.get(name) or ""
