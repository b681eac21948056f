"""Shapes of input around devices: the week's filters, downtimes, answers of displaced patients."""

from datetime import UTC, date, datetime, time

from django import forms
from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.forms.looking import LookedDay
from appointments.forms.stops import Answered
from appointments.forms.templates import day_field
from appointments.selectors.office import monday_of
from exams.models import ContactNote, Downtime, Modality
from exams.selectors.devices import Looked
from exams.services.devices.timetable import span
from hospital import clock, plain


class WeekForm(plain.Form):
    """Filters of the week. A wrong value in the address is as if it were not there."""

    week = LookedDay(required=False)  # any day of it
    modality = forms.ChoiceField(required=False, choices=[("", ""), *Modality.choices])
    campus = forms.IntegerField(required=False, max_value=2**31)
    zone = forms.IntegerField(required=False, max_value=2**31)
    who = forms.CharField(required=False, max_length=40, strip=True)
    device = forms.IntegerField(required=False, max_value=2**31)
    day = LookedDay(required=False)

    def said(self, name: str):
        self.is_valid()
        return self.cleaned_data.get(name)

    def looked(self, *, organizations: frozenset[int], today: date, within: Q) -> Looked:
        return Looked(
            monday=monday_of(self.said("week") or self.said("day") or today),
            organizations=organizations,
            within=within,
            modality=self.said("modality") or "",
            campus=self.said("campus"),
            zone=self.said("zone"),
            who=self.said("who") or "",
        )


def clock_field(**kwargs) -> forms.TimeField:
    return forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **kwargs)


class DowntimeForm(plain.Form):
    """停机: from when to when, and why. `device` is chosen before."""

    first_day = day_field(LookedDay, label=gettext_lazy("从哪天"))
    starts = clock_field(label=gettext_lazy("几点起"))
    last_day = day_field(LookedDay, label=gettext_lazy("到哪天"))
    ends = clock_field(label=gettext_lazy("几点止"), help_text=gettext_lazy("23:59 表示到当天结束。"))
    cause = forms.ChoiceField(
        label=gettext_lazy("原因"),
        choices=[("", gettext_lazy("请选择")), *Downtime.Cause.choices],
        help_text=gettext_lazy("故障会把正在做的检查记为未做；其他原因让它做完。"),
    )
    reason = forms.CharField(
        label=gettext_lazy("说明（患者看不到）"),
        max_length=200,
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)

    def clean(self) -> dict:
        said = super().clean()
        if not self.errors:
            start = clock.at(said["first_day"], said["starts"])
            end = span(said["last_day"], time(0), said["ends"]).upper
            if end <= start:
                self.add_error("ends", _("结束要晚于开始。"))
            else:
                said["during"] = DateTimeTZRange(start, end)
        return said

    @staticmethod
    def initial_for(*, day: date, now: datetime) -> dict:
        """From this minute on until the end of the day; of a coming day all of it."""
        here = now.astimezone(clock.ZONE)
        starts = time(here.hour, here.minute) if day == here.date() else time(0)
        return {"first_day": day, "starts": starts, "last_day": day, "ends": time(23, 59)}


class AnswerForm(Answered):
    """`place` is device:second."""

    PLACE = "place"

    place = forms.RegexField(r"^\d{1,18}:\d{1,10}$", required=False, error_messages={"invalid": Answered.NO_TIME})

    @property
    def where(self) -> tuple[int, datetime]:
        device, second = self.pair
        return device, datetime.fromtimestamp(second, UTC)


class CallForm(plain.Form):
    outcome = forms.ChoiceField(label=gettext_lazy("结果"), choices=ContactNote.Outcome.choices)
    note = forms.CharField(label=gettext_lazy("备注"), max_length=200, required=False, strip=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class ExtraForm(plain.Form):
    """加开 a day by hand."""

    day = day_field(LookedDay, label=gettext_lazy("日期"))
    starts = clock_field(label=gettext_lazy("开始"))
    ends = clock_field(label=gettext_lazy("结束"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)

    def clean(self) -> dict:
        said = super().clean()
        if not self.errors:
            if said["ends"] <= said["starts"]:
                raise ValidationError(_("加开没有保存：结束要晚于开始。"))
            said["during"] = span(said["day"], said["starts"], said["ends"])
        return said
