"""A house's workdays: its calendar over Monday to Friday."""

from collections.abc import Callable
from datetime import date, timedelta

from hospital.models import CalendarDay

AHEAD = timedelta(days=90)


def workday_at(organization_id: int, *, since: date) -> Callable[[date], bool]:
    """A function over the days from `since` on, for as long as deadlines reach. One query."""
    rows = CalendarDay.objects.filter(organization=organization_id, day__range=(since, since + AHEAD))
    kinds = dict(rows.values_list("day", "kind"))

    def is_workday(day: date) -> bool:
        kind = kinds.get(day)
        return kind == CalendarDay.Kind.WORKDAY if kind else day.isoweekday() <= 5

    return is_workday
