"""Which month the exams' figures are of. A wrong value in the address is as if it were not there."""

from datetime import date

from appointments.forms.looking import LookedDay
from hospital import plain


class MonthForm(plain.Form):
    month = LookedDay(required=False, input_formats=["%Y-%m"])

    def first(self, today: date) -> date:
        """This month, unless something else was said; none that has not begun."""
        self.is_valid()
        this = today.replace(day=1)
        return min(self.cleaned_data.get("month") or this, this)
