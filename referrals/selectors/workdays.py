"""A house's workdays: its calendar over Monday to Friday."""

from collections.abc import Callable
from datetime import date, timedelta

from hospital.models import CalendarDay

AHEAD = timedelta(days=90)


def workday_at(organization_id: int, *, or_of: int, since: date) -> Callable[[date], bool]:
    """A function over the days from `since` on, for as long as deadlines reach. One query.

    `or_of`: the other side. Holidays are the same for both, and many a lower institution never enters them: of a day
    that its own calendar doesn't speak of, the other's holds.
    """
    rows = CalendarDay.objects.filter(organization__in=[organization_id, or_of], day__range=(since, since + AHEAD))
    said = rows.values_list("organization", "day", "kind")
    kinds = {day: kind for _house, day, kind in sorted(said, key=lambda row: row[0] == organization_id)}

    def is_workday(day: date) -> bool:
        kind = kinds.get(day)
        return kind == CalendarDay.Kind.WORKDAY if kind else day.isoweekday() <= 5

    return is_workday
