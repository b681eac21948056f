"""Which days, and which rows behind a figure. A wrong value in the address is as if it were not there."""

from datetime import date, timedelta

from django import forms

from appointments.forms.looking import LookedDay
from billing.models import Refund, Way
from billing.selectors.counted import WORDS
from hospital import plain

LONGEST = timedelta(days=366)


class DaysForm(plain.Form):
    first = LookedDay(required=False)
    last = LookedDay(required=False)

    def days(self, today: date) -> tuple[date, date]:
        """Both included; this month so far, unless something else was said. At most a year, none that is to come."""
        self.is_valid()
        first = self.cleaned_data.get("first") or today.replace(day=1)
        last = self.cleaned_data.get("last") or max(first, today)
        first, last = min(first, last), max(first, last)
        first = min(first, today)
        return first, min(last, first + LONGEST, today)


class RowsForm(DaysForm):
    what = forms.ChoiceField(choices=list(WORDS.items()), required=False)
    way = forms.ChoiceField(choices=Way, required=False)
    reason = forms.ChoiceField(choices=Refund.Reason, required=False)

    def said(self, name: str) -> str:
        self.is_valid()
        return self.cleaned_data.get(name) or ""
