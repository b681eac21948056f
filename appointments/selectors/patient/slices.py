"""时段: numbers with one public start, of a day's half-days. A query, not a table (B3)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from appointments.models import Schedule
from appointments.policies.scarcity import State, is_few
from appointments.selectors import rules
from hospital import clock

from .openings import Opening, public_pools

SLICES = """
SELECT c.id, date_bin(make_interval(mins => wanted.minutes), s.start, c.starts_at) AS slice,
       count(*) FILTER (WHERE s.status = 'free' OR (s.status IN ('held', 'resting') AND s.hold_until <= %(now)s
                                                    AND NOT (s.status = 'held' AND booking_would_rest(s.id, %(now)s)))),
       count(*)
  FROM unnest(%(schedules)s::bigint[], %(minutes)s::int[]) AS wanted (schedule, minutes)
  JOIN appointments_schedule c ON c.id = wanted.schedule
  JOIN appointments_allotment a ON a.schedule_id = c.id
  JOIN appointments_slot s ON s.schedule_id = c.id AND s.pool_id = a.pool_id
 WHERE ((a.pool_id = ANY (%(pools)s::bigint[]) AND a.opens_at <= %(now)s) OR (%(shared)s AND a.shared_from <= %(now)s))
   AND s.status <> 'blocked' AND s.start > %(now)s
 GROUP BY c.id, slice
 ORDER BY slice
"""


WITH_SLICES = frozenset({State.OPEN, State.FEW, State.FULL})


@dataclass(frozen=True)
class Slice:
    """Numbers that start within one public segment of a half-day."""

    schedule: int
    start: datetime
    end: datetime
    left: int
    of: int
    chosen: bool = False

    @property
    def value(self) -> str:
        """What a form sends: the half-day and the segment's first moment."""
        return f"{self.schedule}@{self.start.isoformat()}"

    @property
    def hours(self) -> str:
        """08:30–09:00, on the hospital's clock."""
        return f"{self.start:%H:%M}–{self.end:%H:%M}"

    @property
    def few(self) -> bool:
        return is_few(self.left, of=self.of)


@dataclass(frozen=True)
class Chosen:
    """The slice that somebody pointed at, as it came with the request."""

    schedule: int
    start: datetime


@dataclass
class Part:
    """One half-day of the day with its slices. `room` where two half-days of one kind stand side by side."""

    opening: Opening
    slices: list[Slice] = field(default_factory=list)
    twin: bool = False

    @property
    def schedule(self) -> Schedule:
        return self.opening.schedule


def parts_of(openings: Iterable[Opening], *, chosen: Chosen | None, now: datetime) -> list[Part]:
    """The half-days of one day, those that can be booked or are full with their slices. One query."""
    parts = {each.schedule.pk: Part(each) for each in openings}
    halves = [part.schedule.get_half_display() for part in parts.values()]
    shown = [part.schedule for part in parts.values() if part.opening.state in WITH_SLICES]
    minutes = {row.pk: rules.booking_rule_for(row, day=clock.today(now)).segment_minutes for row in shown}
    for schedule, start, left, of in _rows(shown, minutes, now=now):
        part = parts[schedule]
        ends = min(start + timedelta(minutes=minutes[schedule]), max(part.schedule.ends_at, start))
        bookable = left if part.opening.state.bookable else 0
        part.slices.append(
            Slice(
                schedule=schedule,
                start=start.astimezone(clock.ZONE),
                end=ends.astimezone(clock.ZONE),
                left=bookable,
                of=of,
                chosen=bool(bookable) and chosen == Chosen(schedule, start),
            )
        )
    for part in parts.values():
        part.twin = halves.count(part.schedule.get_half_display()) > 1
    return list(parts.values())


def _rows(schedules: list[Schedule], minutes: dict[int, int], *, now: datetime) -> list[tuple]:
    if not schedules:
        return []
    pools = public_pools((row.organization_id for row in schedules), now=now)
    values = {"schedules": [row.pk for row in schedules], "minutes": [minutes[row.pk] for row in schedules]}
    with connection.cursor() as cursor:
        cursor.execute(SLICES, values | {"pools": list(pools.ids), "shared": pools.shared, "now": now})
        return cursor.fetchall()


def chosen_in(parts: Iterable[Part]) -> Slice | None:
    return next((each for part in parts for each in part.slices if each.chosen), None)
