"""Days as they are asked for or typed. In an address a wrong one is as if it were not there, in a form it is said at
its field: either way nothing is reckoned from it.
"""

from datetime import date, timedelta

from django import forms

from hospital import plain

LONGEST = timedelta(days=366)
YEARS = range(2000, 2101)
"""As of a file that is imported: a year beyond any hospital's is as wrong as a letter."""


class LookedDay(forms.DateField):
    """At the ends of the calendar the next week cannot be reckoned."""

    def to_python(self, value):
        day = super().to_python(value)
        if day and day.year not in YEARS:
            raise forms.ValidationError(self.error_messages["invalid"])
        return day


class DaysForm(plain.Form):
    """Which days figures are of."""

    first = LookedDay(required=False)
    last = LookedDay(required=False)

    def days(self, today: date) -> tuple[date, date]:
        """Both included; this month so far, unless something else was said. At most a year."""
        self.is_valid()
        first = self.cleaned_data.get("first") or today.replace(day=1)
        last = self.cleaned_data.get("last") or max(first, today)
        first, last = min(first, last), max(first, last)
        return first, min(last, first + LONGEST)
