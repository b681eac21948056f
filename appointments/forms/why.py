"""What the why page is asked. A wrong value in the address is as if it were not there."""

from datetime import date, datetime, time

from django import forms

from appointments.models import Schedule
from appointments.models.rules import Channel
from hospital import clock, plain

from .looking import LookedDay


class WhyPageForm(plain.Form):
    """Ids only: what people search for goes by POST and has no place in addresses."""

    patient = forms.IntegerField(required=False)
    channel = forms.ChoiceField(required=False, choices=Channel.choices)
    department = forms.IntegerField(required=False)
    role = forms.IntegerField(required=False)
    day = LookedDay(required=False)
    schedule = forms.IntegerField(required=False)
    number = forms.IntegerField(required=False, min_value=1, max_value=32767)
    at = forms.TimeField(required=False)
    partner = forms.IntegerField(required=False)

    def said(self, name: str):
        self.is_valid()
        return self.cleaned_data.get(name)

    def day_from(self, today: date) -> date:
        return self.said("day") or today

    def start_of(self, schedule: Schedule) -> datetime | None:
        """The slice's first moment, unless a number is named."""
        at: time | None = self.said("at")
        return clock.at(schedule.day, at) if at and not self.said("number") else None
