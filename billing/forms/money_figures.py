"""Which days, and which rows behind a figure. A wrong value in the address is as if it were not there."""

from datetime import date

from django import forms

from appointments.forms import looking
from billing.models import Refund, Way
from billing.selectors.counted import WORDS


class DaysForm(looking.DaysForm):
    def days(self, today: date) -> tuple[date, date]:
        """None that is to come."""
        first, last = super().days(today)
        return min(first, today), min(last, today)


class RowsForm(DaysForm):
    what = forms.ChoiceField(choices=list(WORDS.items()), required=False)
    way = forms.ChoiceField(choices=Way, required=False)
    reason = forms.ChoiceField(choices=Refund.Reason, required=False)

    def said(self, name: str) -> str:
        self.is_valid()
        return self.cleaned_data.get(name) or ""
