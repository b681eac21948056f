"""Shapes of input: the plan that goes down, a follow-up, and how the list is looked at."""

from dataclasses import dataclass
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from appointments.forms.phone import read_slice
from hospital import plain
from referrals.models import FollowUp, Referral
from referrals.policies import follow_up as policy
from referrals.selectors.follow_ups import SHOWN

from .icd10 import DiagnosisFields

THERE, HERE = "there", "here"


def _date() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def _text(label, rows: int, most: int, *, required=True, help_text=""):
    widget = forms.Textarea(attrs={"rows": rows, "maxlength": most})
    return forms.CharField(label=label, max_length=most, required=required, widget=widget, help_text=help_text)


class PlanForm(DiagnosisFields, plain.Form):
    """下转计划. `houses`: who may receive the patient; the number is chosen of what the page shows, or none."""

    receiver = forms.TypedChoiceField(label=_("转往"), coerce=int, widget=forms.RadioSelect)
    reason = forms.CharField(label=_("下转理由"), max_length=300)
    summary = _text(_("诊疗经过"), 4, 4000)
    medication = _text(_("用药方案"), 3, 2000, help_text=_("药名、剂量、次数、用到什么时候；不用药请写“无”。"))
    rehabilitation = _text(_("康复与护理"), 3, 2000, required=False)
    warning_signs = _text(
        _("预警情况"), 3, 2000, help_text=_("出现哪些情况要马上上转或去急诊。患者也看得到，请写白话。")
    )
    allergies = forms.CharField(label=_("过敏史"), max_length=300, required=False)
    discharged_on = forms.DateField(
        label=_("出院日"),
        required=False,
        widget=_date(),
        help_text=_("没有住院就空着；随访从这天算起。"),
    )
    consent = forms.ChoiceField(label=_("知情同意"), choices=Referral.Consent.choices, widget=forms.RadioSelect)
    consenter = forms.CharField(
        label=_("同意的监护人或家属"),
        max_length=60,
        required=False,
        help_text=_("不是本人同意时写姓名和关系，如“李秀英（母亲）”；发出后双方都看得到。"),
    )
    follow_up_at = forms.ChoiceField(
        label=_("在哪里复诊"), choices=[(THERE, _("下级机构门诊")), (HERE, _("回本院"))], widget=forms.RadioSelect
    )
    follow_up_on = forms.DateField(label=_("复诊日"), widget=_date())
    slot = forms.CharField(required=False, max_length=60)
    request_key = forms.UUIDField()

    def __init__(self, *args, houses=(), today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today
        self.fields["receiver"].choices = [(row.pk, row.name) for row in houses]
        self.fields["follow_up_on"].widget.attrs |= {
            "min": today.isoformat(), "max": (today + policy.LONGEST).isoformat()
        }  # fmt: skip
        self.fields["discharged_on"].widget.attrs["max"] = today.isoformat()

    def clean_discharged_on(self):
        day = self.cleaned_data["discharged_on"]
        if day and day > self.today:
            raise ValidationError(_("出院日不能在今天之后。"))
        return day

    def clean_follow_up_on(self):
        day = self.cleaned_data["follow_up_on"]
        if refused := policy.refusal_of_day(day, today=self.today):
            raise ValidationError(refused.in_full)
        return day

    def clean_slot(self):
        return read_slice(self.cleaned_data["slot"])

    def clean(self):
        said = super().clean()
        if not said.get("diagnosis") and "diagnosis" not in self.errors:
            self.add_error("diagnosis", _("请填写“诊断”。"))
        if said.get("consent") == Referral.Consent.GUARDIAN and not said.get("consenter"):
            self.add_error("consenter", _("请写明是谁同意的：姓名和关系。"))
        return said


@dataclass(frozen=True)
class Look:
    """What of a form that isn't finished says which numbers are looked at."""

    receiver: int | None
    at: str
    day: date | None
    slot: str


def look_of(form: PlanForm) -> Look:
    """Of a bound form or of one with initial values; nonsense is as if nothing were said."""
    day, receiver = form["follow_up_on"].value(), str(form["receiver"].value() or "")
    if not isinstance(day, date):
        try:
            day = forms.DateField(required=False).clean(day)
        except ValidationError:
            day = None
    allowed = {str(pk) for pk, _name in form.fields["receiver"].choices}
    at = form["follow_up_at"].value()
    return Look(
        receiver=int(receiver) if receiver in allowed else None,
        at=HERE if at == HERE else THERE,
        day=day if day and policy.refusal_of_day(day, today=form.today) is None else None,
        slot=str(form["slot"].value() or ""),
    )


class FollowUpForm(plain.Form):
    """随访记录."""

    way = forms.ChoiceField(label=_("方式"), choices=FollowUp.Way.choices, widget=forms.RadioSelect)
    outcome = forms.ChoiceField(label=_("情况"), choices=FollowUp.Outcome.choices, widget=forms.RadioSelect)
    text = _text(_("记录"), 4, 500, help_text=_("血压、血糖、用药、症状等；下转医院也看得到。"))
    next_on = forms.DateField(label=_("下次随访日"), required=False, widget=_date(), help_text=_("空着就是随访结束。"))

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["next_on"].widget.attrs["min"] = today.isoformat()


class TriedForm(plain.Form):
    """未联系上."""

    note = forms.CharField(label=_("说明"), max_length=200, required=False)
    again_on = forms.DateField(label=_("哪天再联系"), required=False, widget=_date())

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["again_on"].widget.attrs["min"] = today.isoformat()


class ListForm(plain.Form):
    """Which of the list; a wrong value in the address is as if it were not there."""

    shown = forms.ChoiceField(required=False, choices=[(name, name) for name in SHOWN])
    q = forms.CharField(required=False, max_length=40)
    page = forms.IntegerField(required=False, min_value=1, max_value=10**6)

    def said(self, name: str):
        self.is_valid()
        return self.cleaned_data.get(name)
