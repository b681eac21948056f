"""Figures, each with its definition, counted from the app's own rows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count, Q

from appointments.models import Encounter, Schedule
from appointments.models.rules import Channel
from hospital import clock
from hospital.models import Practitioner

IN_VISIT_CHANNELS = (Channel.CONSULT, Channel.WARD)


@dataclass(frozen=True)
class Rate:
    """A share with both of its counts, so that it can be checked and opened down to the rows."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> float | None:
        """One decimal; None where nothing was counted yet."""
        return round(100 * self.numerator / self.denominator, 1) if self.denominator else None


def in_visit_rate(*, practitioner: Practitioner, now: datetime) -> Rate:
    """诊间预约率 of one doctor, this month to date.

    Numerator: of the denominator, those whose number was booked from a consult room or ward.
    Denominator: visits that this doctor finished on days of this month (of the hospital's calendar).
    Source: Encounter (finished) and its Appointment's channel. A visit seen for a colleague counts for who saw it.
    """
    today = clock.today(now)
    visits = Encounter.objects.filter(
        practitioner=practitioner,
        status=Encounter.Status.FINISHED,
        schedule__day__range=(date(today.year, today.month, 1), today),
    )
    counted = visits.aggregate(
        booked_in_visit=Count("id", filter=Q(appointment__channel__in=IN_VISIT_CHANNELS)), visits=Count("id")
    )
    return Rate(counted["booked_in_visit"], counted["visits"])


@dataclass(frozen=True)
class WeekFigures:
    """The figures over the office's week. Definitions: docs/decisions/0009-figures.md, and beside each on the page."""

    in_visit: Rate
    booked: Rate
    used: Rate
    noshow: Rate
    waiting_minutes: float | None
    waits: int  # how many first calls the mean is over


def week_figures(*, schedules: Q, first: date, numbers: Rate | None = None) -> tuple[WeekFigures, WeekFigures]:
    """A week's figures and those of the week before it. Three queries.

    `schedules` narrows the schedules counted (organization, campus, department group, level), as a Q on Schedule.
    `numbers`: taken of all numbers of this week's open sessions, where the page has counted them already.
    """
    before, last = first - timedelta(days=7), first + timedelta(days=6)
    rows = Schedule.objects.filter(schedules, day__range=(before, last))
    found = list(rows.order_by().values_list("pk", "day", "status"))
    visits = {row.pop("now"): row for row in _counted_visits([(pk, day >= first) for pk, day, _status in found])}
    running = [(pk, day >= first) for pk, day, status in found if status == Schedule.Status.OPEN]
    counted = _counted_numbers([one for one in running if numbers is None or not one[1]])
    this = numbers or counted.get(True, Rate(0, 0))
    return _figures(visits.get(True), this), _figures(visits.get(False), counted.get(False, Rate(0, 0)))


VISITS = """
WITH wanted AS MATERIALIZED (SELECT * FROM unnest(%(schedules)s::bigint[], %(now)s::boolean[]) AS each (id, now)),
called AS MATERIALIZED (
    SELECT e.* FROM wanted
     CROSS JOIN LATERAL (
           SELECT e.appointment_id, e.called_at, e.checked_in_at FROM appointments_encounter e
            WHERE e.schedule_id = wanted.id AND e.called_at IS NOT NULL OFFSET 0) e)
SELECT wanted.now,
       count(*) FILTER (WHERE a.status = 'fulfilled') AS visits,
       count(*) FILTER (WHERE a.status = 'fulfilled' AND a.channel = ANY (%(in_visit)s)) AS in_visit,
       count(*) FILTER (WHERE a.status = 'fulfilled' AND NOT (
           a.channel = 'counter' AND (a.created_at AT TIME ZONE %(zone)s)::date = a.day)) AS booked,
       count(*) FILTER (WHERE a.status = 'noshow' AND EXISTS (
           SELECT 1 FROM appointments_noshow n WHERE n.appointment_id = a.id AND n.excused_at IS NULL)) AS noshows,
       count(*) FILTER (WHERE a.status IN ('arrived', 'fulfilled', 'noshow')) AS due,
       avg(greatest(called.called_at - greatest(a.start, called.checked_in_at), interval '0')) AS waiting,
       count(called.called_at) AS waits
  FROM wanted
 CROSS JOIN LATERAL (
       SELECT a.id, a.status, a.channel, a.created_at, a.day, a.start FROM appointments_appointment a
        WHERE a.schedule_id = wanted.id OFFSET 0) a
  LEFT JOIN called ON called.appointment_id = a.id
 GROUP BY wanted.now
"""
"""Schedule by schedule, so that a fortnight is read and not the years: 130,000 buffers became 51,000 on the large
demo, 0.5 s became 0.08 s. OFFSET 0 keeps the planner from joining the whole tables instead."""

NUMBERS = """
SELECT wanted.now, sum(n.taken), sum(n.numbers)
  FROM unnest(%(schedules)s::bigint[], %(now)s::boolean[]) AS wanted (id, now)
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE s.status = 'booked') AS taken, count(*) AS numbers
         FROM appointments_slot s WHERE s.schedule_id = wanted.id AND s.status <> 'blocked') n
 GROUP BY wanted.now
"""


def _arrays(schedules: list[tuple[int, bool]]) -> dict[str, list]:
    return {"schedules": [pk for pk, _now in schedules], "now": [now for _pk, now in schedules]}


def _counted_visits(schedules: list[tuple[int, bool]]) -> list[dict]:
    """Of schedules as (id, of this week), one row for each week."""
    places = {**_arrays(schedules), "in_visit": [str(one) for one in IN_VISIT_CHANNELS], "zone": str(clock.ZONE)}
    with connection.cursor() as cursor:
        cursor.execute(VISITS, places)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _counted_numbers(schedules: list[tuple[int, bool]]) -> dict[bool, Rate]:
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, _arrays(schedules))
        return {now: Rate(int(taken), int(numbers)) for now, taken, numbers in cursor.fetchall()}


def _figures(visits: dict | None, used: Rate) -> WeekFigures:
    visits = visits or {}
    waiting = visits.get("waiting")
    return WeekFigures(
        in_visit=Rate(visits.get("in_visit", 0), visits.get("visits", 0)),
        booked=Rate(visits.get("booked", 0), visits.get("visits", 0)),
        used=used,
        noshow=Rate(visits.get("noshows", 0), visits.get("due", 0)),
        waiting_minutes=round(waiting.total_seconds() / 60, 1) if waiting is not None else None,
        waits=visits.get("waits", 0),
    )
