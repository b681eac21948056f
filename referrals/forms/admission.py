"""Shapes of input about admissions (B23)."""

from datetime import date, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from hospital import plain
from hospital.models import Department
from referrals.models import AdmissionNeed, AdmissionRequest
from referrals.policies import admission as policy
from referrals.selectors.admissions import Wanted

from .icd10 import DiagnosisFields

WEEKS = timedelta(weeks=4)
"""As far as a wish reaches if nobody says otherwise."""

MOST_LINES = 20


def day_field(label, *, required: bool = True) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget)


class AskForm(DiagnosisFields, plain.Form):
    """申请. `house`: the hospital that takes in; `department`: the one proposed."""

    kind = forms.ChoiceField(label=_("类型"), choices=AdmissionRequest.Kind, widget=forms.RadioSelect)
    department = forms.ModelChoiceField(label=_("收治科室"), queryset=None)
    urgency = forms.ChoiceField(label=_("缓急"), choices=AdmissionRequest.Urgency, widget=forms.RadioSelect)
    purpose = forms.CharField(label=_("入院目的或拟行手术"), max_length=200)
    wished_from = day_field(_("希望从"))
    wished_to = day_field(_("希望到"), required=False)
    needs = forms.MultipleChoiceField(
        label=_("入院前准备"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(code, text) for code, _kind, text in policy.USUAL],
    )  # fmt: skip
    more = forms.CharField(
        label=_("其他准备，每行一项"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args, house: int, today: date, department: Department | None = None, said=None, **kwargs):
        begun = {
            "kind": AdmissionRequest.Kind.WARD, "urgency": AdmissionRequest.Urgency.ROUTINE, "department": department,
            "wished_from": today, "wished_to": today + WEEKS, "needs": policy.TICKED, **(said or {}),
        }  # fmt: skip
        super().__init__(*args, label_suffix="", initial=begun, **kwargs)
        self.today = today
        self.fields["diagnosis"].label = _("入院诊断")
        self.fields["department"].queryset = Department.objects.filter(organization=house, active=True).order_by("code")

    def clean_wished_from(self) -> date:
        day = self.cleaned_data["wished_from"]
        if not self.today <= day <= self.today + policy.AHEAD:
            raise forms.ValidationError(_("请填今天起一年内的日期。"))
        return day

    def clean_more(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["more"].splitlines() if line.strip()]
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(_("最多 %(most)d 行。") % {"most": MOST_LINES})
        if any(len(line) > 100 for line in lines):
            raise forms.ValidationError(_("每行最多 100 个字。"))
        return lines

    def clean(self):
        said = super().clean()
        if not said.get("diagnosis") and "diagnosis" not in self.errors:
            self.add_error("diagnosis", _("请填写“入院诊断”，或选一个编码。"))
        first, last = said.get("wished_from"), said.get("wished_to")
        if first and last and last < first:
            self.add_error("wished_to", _("不能早于“希望从”。"))
        return said

    @property
    def says(self) -> dict:
        """For services.admission.ask."""
        said = dict(self.cleaned_data)
        ticked, more = said.pop("needs"), said.pop("more")
        usual = [(kind, text) for code, kind, text in policy.USUAL if code in ticked]
        return said | {"needs": usual + [(AdmissionNeed.Kind.OTHER, text) for text in more]}


class ListForm(plain.Form):
    """What the list is narrowed to; a wrong value in the address is as if it were not there."""

    TABS = [
        ("open", _("全部未结束")),
        *((value, label) for value, label in AdmissionRequest.Status.choices if value in policy.MAY[policy.Act.CANCEL]),
        ("over", _("已结束")),
    ]
    tab = forms.ChoiceField(choices=TABS, required=False)
    kind = forms.ChoiceField(label=_("类型"), choices=[("", _("全部")), *AdmissionRequest.Kind.choices], required=False)
    department = forms.ModelChoiceField(label=_("科室"), queryset=None, required=False, empty_label=_("全部"))
    q = forms.CharField(label=_("患者"), max_length=40, required=False)

    def __init__(self, *args, houses: frozenset[int], **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        rows = Department.objects.filter(organization__in=houses, active=True).order_by("organization", "code")
        self.fields["department"].queryset = rows
        self.fields["q"].widget.attrs["placeholder"] = _("姓名、拼音首字母、门诊号")

    @property
    def wanted(self) -> Wanted:
        self.is_valid()
        said = self.cleaned_data
        place = said.get("department")
        return Wanted(
            tab=said.get("tab") or "open",
            kind=said.get("kind") or "",
            department=place.pk if place else None,
            text=said.get("q") or "",
        )


class ReasonForm(plain.Form):
    reason = forms.CharField(label=_("原因"), max_length=200)


class ScheduleForm(plain.Form):
    day = day_field(_("入院日"))
    place = forms.CharField(label=_("报到地点"), max_length=100, required=False)


class NeedForm(plain.Form):
    kind = forms.ChoiceField(label=_("类别"), choices=AdmissionNeed.Kind)
    text = forms.CharField(label=_("内容"), max_length=100)
