"""放号日历 and 自动执行记录: what is looked at, and what is typed to hold a release back or to release more."""

from datetime import date, datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.models import JobRun, Pool
from hospital import clock, plain

from .looking import LookedDay

MOST_DAYS = 14
"""Visit days of one extra release: about seven thousand half-days of a large house."""

REASON = 200

SHARED_KINDS = (
    Pool.Kind.PUBLIC,
    Pool.Kind.PARTNER,
    Pool.Kind.SIGNED,
    Pool.Kind.CONSULT,
    Pool.Kind.COUNTER,
    Pool.Kind.SPECIAL,
)
"""Pools whose rest an extra release may give to the public. A leading expert's and those of a stop never."""

HELD_KINDS = (*SHARED_KINDS, Pool.Kind.TEAM)


class RunsForm(plain.Form):
    """A wrong value in the address is as if it were not there."""

    job = forms.ChoiceField(required=False, choices=[("", ""), *JobRun.Job.choices])
    trouble = forms.BooleanField(required=False)
    day = LookedDay(required=False)
    page = forms.IntegerField(required=False, min_value=1)

    def looked(self) -> dict:
        self.is_valid()
        said = self.cleaned_data
        return {
            "job": said.get("job") or "",
            "trouble": bool(said.get("trouble")),
            "day": said.get("day"),
            "number": said.get("page") or 1,
        }


class MonthForm(plain.Form):
    month = LookedDay(required=False, input_formats=["%Y-%m"])
    day = LookedDay(required=False)

    def looked(self, today: date) -> tuple[date, date | None]:
        """First of the month that is shown, and the day whose list is open."""
        self.is_valid()
        day = self.cleaned_data.get("day")
        return (self.cleaned_data.get("month") or day or today).replace(day=1), day


class _Days(LookedDay):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class MomentForm(plain.Form):
    """What both have: for whom, from when on, and why. No department chosen means all that the office may see."""

    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("号池"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("请至少选一种号池。")},
    )
    departments = forms.MultipleChoiceField(
        label=gettext_lazy("科室"), required=False, widget=forms.CheckboxSelectMultiple
    )
    to_day = _Days(label=gettext_lazy("日期"))
    to_time = forms.TimeField(
        label=gettext_lazy("时刻"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    reason = forms.CharField(
        label=gettext_lazy("原因"),
        max_length=REASON,
        strip=True,
        error_messages={"required": gettext_lazy("请写明原因，操作留痕里会看到。")},
    )

    def __init__(self, *args, departments, now: datetime, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.now = now
        self.fields["departments"].choices = [(str(one.pk), one.name) for one in departments]

    def clean(self):
        said = super().clean()
        if said.get("to_day") and said.get("to_time"):
            said["moment"] = clock.at(said["to_day"], said["to_time"])
            if said["moment"] <= self.now:
                self.add_error("to_time", _("这个时刻已经过去，请选以后的时刻。"))
        return said

    def params(self) -> dict:
        """As a bulk act keeps it."""
        return {"kinds": self.cleaned_data["kinds"], "moment": self.cleaned_data["moment"].isoformat()}

    @property
    def chosen_departments(self) -> list[int]:
        return [int(pk) for pk in self.cleaned_data["departments"]]


class HoldForm(MomentForm):
    """暂缓放号 of what opens on `day`."""

    day = _Days(widget=forms.HiddenInput)

    def __init__(self, *args, kinds, **kwargs):
        super().__init__(*args, **kwargs)
        self.offer(kinds)

    def offer(self, kinds: list[str]) -> None:
        """Show these kinds."""
        self.fields["kinds"].choices = [(kind, Pool.Kind(kind).label) for kind in kinds]

    def params(self) -> dict:
        return super().params() | {"day": self.cleaned_data["day"].isoformat()}


class ExtraForm(MomentForm):
    """追加放号 for some visit days."""

    first_day = _Days(label=gettext_lazy("就诊日从"))
    last_day = _Days(label=gettext_lazy("到"))
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("号池"),
        choices=[(kind, kind.label) for kind in SHARED_KINDS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("请至少选一种号池。")},
    )

    field_order = ["first_day", "last_day", "kinds", "departments", "to_day", "to_time", "reason"]

    def clean(self):
        said = super().clean()
        first, last = said.get("first_day"), said.get("last_day")
        if first and first < clock.today(self.now):
            self.add_error("first_day", _("就诊日已经过去，请选今天或以后的日子。"))
        if first and last and last < first:
            self.add_error("last_day", _("结束日不能早于开始日。"))
        elif first and last and last - first >= timedelta(days=MOST_DAYS):
            self.add_error("last_day", _("一次最多 %(days)s 天，请分几次办理。") % {"days": MOST_DAYS})
        if said.get("moment") and last and clock.today(said["moment"]) > last:
            raise ValidationError(_("追加放号的时刻晚于就诊日，请提前。"))
        return said
