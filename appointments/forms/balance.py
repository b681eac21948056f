"""Which days the balance is of. A wrong value in the address is as if it were not there."""

from datetime import date, timedelta

from appointments.selectors.office import monday_of
from hospital import plain

from .looking import LookedDay

LONGEST = 31
"""Days: a month of numbers is read in one statement."""


FURTHEST = timedelta(days=20 * 366)
"""Beyond it nobody has numbers, and dates end somewhere."""


class BalanceForm(plain.Form):
    first = LookedDay(required=False)
    last = LookedDay(required=False)

    def days(self, today: date) -> tuple[date, date]:
        """This week, unless something else was said; at most a month."""
        self.is_valid()
        monday = monday_of(today)
        first = self.cleaned_data.get("first") or monday
        if abs(first - today) > FURTHEST:
            first = monday
        last = max(self.cleaned_data.get("last") or first + timedelta(days=6), first)
        return first, min(last, first + timedelta(days=LONGEST - 1))
