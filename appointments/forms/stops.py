"""Shapes of input of stops: what is to be stopped, decisions, calls, answers."""

from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.models import CallNote, Suspension
from appointments.policies.workday import FURTHEST
from hospital import plain
from hospital.models import HalfDay

from .looking import LookedDay

LONGEST = timedelta(days=183)
"""Longer absences are a matter of the templates."""


class DatePicker(forms.DateInput):
    def __init__(self, **kwargs):
        super().__init__(attrs={"type": "date"}, format="%Y-%m-%d", **kwargs)


class DaysForm(plain.Form):
    """Days from–to, the last included, and a half-day if it is only that."""

    use_required_attribute = False  # on the doctor's page ticked sessions do instead

    first = LookedDay(label=gettext_lazy("从"), widget=DatePicker())
    last = LookedDay(label=gettext_lazy("到（含当天）"), widget=DatePicker(), required=False)
    half = forms.ChoiceField(
        label=gettext_lazy("半日"), required=False, choices=[("", gettext_lazy("全天")), *HalfDay.choices]
    )

    def __init__(self, *args, today: date, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today

    def clean_first(self) -> date:
        first = self.cleaned_data["first"]
        if first < self.today:
            raise ValidationError(_("不能早于今天。"))
        if first > self.today + FURTHEST:
            raise ValidationError(_("这一天太远，像是填错了年份。最远登记到两年以内。"))
        return first

    def clean(self) -> dict:
        said = super().clean()
        first, last = said.get("first"), said.get("last") or said.get("first")
        if first and last and last < first:
            self.add_error("last", _("不能早于开始那天。"))
        elif first and last and last - first > LONGEST:
            self.add_error("last", _("一次最多半年；更久请改出诊模板。"))
        said["last"] = last
        return said


class OwnDaysForm(DaysForm):
    """On the doctor's page, where ticked sessions do instead."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["first"].error_messages["required"] = _("请勾选要停的出诊，或在这里填日子。")


class StopForm(DaysForm):
    """By doctor or by department; single sessions come by id."""

    practitioner = forms.TypedChoiceField(label=gettext_lazy("医生"), required=False, coerce=int, empty_value=None)
    department = forms.TypedChoiceField(label=gettext_lazy("科室"), required=False, coerce=int, empty_value=None)
    field_order = ["practitioner", "department", "first", "last", "half"]

    def __init__(self, *args, practitioners, departments, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["practitioner"].choices = [("", _("不选")), *practitioners]
        self.fields["department"].choices = [("", _("不选")), *departments]
        self.fields["department"].help_text = _(
            "整个科室停诊选科室，一位医生停诊选医生；都选是这位医生在这个科室的出诊。"
        )

    def clean(self) -> dict:
        said = super().clean()
        chosen = {"practitioner", "department"} & set(self.errors)
        if not chosen and not said.get("practitioner") and not said.get("department"):
            self.add_error("practitioner", _("请选医生或科室。"))
        return said


class WhyForm(plain.Form):
    cause = forms.ChoiceField(
        label=gettext_lazy("事由"),
        choices=[("", gettext_lazy("请选")), *Suspension.Cause.choices],
        error_messages={"required": gettext_lazy("请选事由。")},
    )
    reason = forms.CharField(
        label=gettext_lazy("说明（患者看不到）"),
        max_length=200,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("请写明原因，留痕里会看到。")},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class DecideForm(plain.Form):
    reason = forms.CharField(label=gettext_lazy("意见"), max_length=200, required=False, strip=True)


class UndoForm(plain.Form):
    reason = forms.CharField(max_length=200, required=False, strip=True)
    schedule = forms.IntegerField(required=False)


class CallForm(plain.Form):
    outcome = forms.ChoiceField(label=gettext_lazy("结果"), choices=CallNote.Outcome.choices)
    note = forms.CharField(label=gettext_lazy("备注"), max_length=200, required=False, strip=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class Answered(plain.Form):
    """One of the three answers of who lost a time. The other time is two numbers "a:b" in the field PLACE."""

    PLACE = ""
    NONE = gettext_lazy("请从下面的答案里选一个。")
    NO_TIME = gettext_lazy("请先选一个时间。")

    answer = forms.ChoiceField(
        choices=[("accept", ""), ("move", ""), ("cancel", "")],
        error_messages={"required": NONE, "invalid_choice": NONE},
    )

    def clean(self) -> dict:
        said = super().clean()
        if said.get("answer") == "move" and said.get(self.PLACE) == "":
            self.add_error(self.PLACE, self.NO_TIME)
        return said

    @property
    def sentences(self) -> list[str]:
        return [sentence for found in self.errors.values() for sentence in found]

    @property
    def pair(self) -> tuple[int, int]:
        first, second = self.cleaned_data[self.PLACE].split(":")
        return int(first), int(second)


class AnswerForm(Answered):
    """`slot` is schedule:number."""

    PLACE = "slot"

    slot = forms.RegexField(r"^\d{1,18}:\d{1,5}$", required=False, error_messages={"invalid": Answered.NO_TIME})
    request_key = forms.UUIDField(required=False)

    @property
    def place(self) -> tuple[int, int]:
        return self.pair


class Picks(dict):
    """schedule → (role, room) from fields sub-<schedule> and room-<schedule> of a preview; nonsense is left out."""

    @classmethod
    def of(cls, data, schedules) -> "Picks":
        found = cls()
        for pk in schedules:
            role, room = data.get(f"sub-{pk}", ""), data.get(f"room-{pk}", "")
            if role.isdecimal() and len(role) < 18:
                found[pk] = (int(role), int(room) if room.isdecimal() and len(room) < 18 else None)
        return found
