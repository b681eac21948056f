"""放号日历: how many numbers of each kind of pool open on which day and when.

Days to come are counted from the numbers as they stand; what has opened comes from the rows of the release job, since
its numbers have been taken or moved on. What was laid out open already was never released and is not in the calendar.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.db import connection

from appointments.models import BulkAct, JobRun, Pool, Schedule
from hospital import clock
from hospital.models import CalendarDay, Department

from .acts import acts_within
from .office import monday_of
from .runs import LATE

WEEK = timedelta(days=7)
LATEST_RUN = timedelta(days=7)
"""A release of the month's end that was missed is found in a run of the week after."""

ACTS = 8
"""Newest adjustments shown beside the calendar."""

ORDER = {kind: place for place, kind in enumerate(Pool.Kind.values)}

COMING = """
WITH due AS MATERIALIZED (
    SELECT a.schedule_id, min(a.department_id) AS department, array_agg(a.pool_id) AS pools,
           array_agg(a.opens_at) AS moments
      FROM appointments_allotment a
     WHERE a.opened_at IS NULL AND a.opens_at >= %(first)s AND a.opens_at < %(after)s
       AND a.department_id = ANY (%(departments)s)
     GROUP BY a.schedule_id)
SELECT opening.moment, p.kind, {department} sum(n.numbers)
  FROM due
 CROSS JOIN LATERAL (
    SELECT s.pool_id, count(*) AS numbers FROM appointments_slot s
     WHERE s.schedule_id = due.schedule_id AND s.status IN ('free', 'held', 'resting') AND s.pool_id = ANY (due.pools)
     GROUP BY s.pool_id) n
  JOIN LATERAL unnest(due.pools, due.moments) AS opening (pool, moment) ON opening.pool = n.pool_id
  JOIN appointments_pool p ON p.id = n.pool_id
 GROUP BY opening.moment, p.kind {also}
"""
"""Each schedule's numbers are read once for all its pools: 45,000 openings of a month with 236,000 numbers in 0.2 s."""


@dataclass(frozen=True)
class Portion:
    """Numbers of one kind that open at one moment."""

    at: datetime
    kind: str
    numbers: int

    @property
    def name(self) -> str:
        return str(Pool.Kind(self.kind).label)


@dataclass(frozen=True)
class Moment:
    """What opens at one moment."""

    at: datetime
    portions: tuple[Portion, ...]

    @property
    def numbers(self) -> int:
        return sum(portion.numbers for portion in self.portions)


@dataclass
class Day:
    """One day of the calendar."""

    day: date
    inside: bool  # of the month that is shown
    today: bool
    past: bool
    note: str = ""  # the holiday's name
    holiday: bool = False
    portions: list[Portion] = field(default_factory=list)
    late_minutes: int = 0  # the job was so late; booking was not

    @property
    def total(self) -> int:
        return sum(portion.numbers for portion in self.portions)

    @property
    def moments(self) -> list[Moment]:
        by_moment = groupby(self.portions, key=lambda portion: portion.at)
        return [Moment(at, tuple(portions)) for at, portions in by_moment]


@dataclass(frozen=True)
class Looked:
    """Whose releases: departments by id, and their houses for the calendar's holidays."""

    organizations: frozenset[int]
    departments: tuple[int, ...]


@dataclass
class Line:
    """A department's releases of a day: kind → numbers, in the order of the head."""

    department: int
    name: str
    numbers: list[int]

    @property
    def total(self) -> int:
        return sum(self.numbers)


@dataclass(frozen=True)
class DayList:
    """What opens on one day: `columns` are (moment, kind's name); `kinds` are still to come and may be held back."""

    columns: list[tuple[datetime, str]]
    lines: list[Line]
    sums: list[int]
    kinds: list[str]


def looked_at(*, organizations: frozenset[int], departments: frozenset[int] | None) -> Looked:
    rows = Department.objects.filter(organization__in=organizations)
    if departments is not None:
        rows = rows.filter(pk__in=departments)
    return Looked(organizations, tuple(rows.order_by("pk").values_list("pk", flat=True)))


def month(first: date, *, looked: Looked, now: datetime) -> list[list[Day]]:
    """Whole weeks, Monday first. Three queries: what is to come, what the job did, holidays."""
    start, days = monday_of(first), []
    while start <= first or start.month == first.month:
        days += [start + timedelta(days=n) for n in range(7)]
        start += WEEK
    today = clock.today(now)
    found = {day: Day(day, inside=day.month == first.month, today=day == today, past=day < today) for day in days}
    for row in CalendarDay.objects.filter(organization__in=looked.organizations, day__range=(days[0], days[-1])):
        found[row.day].note, found[row.day].holiday = row.name, row.kind == CalendarDay.Kind.HOLIDAY
    counts = _coming(looked, days[0], days[-1])
    for moment, kinds in _opened(looked, days[0], days[-1], late=found).items():
        for kind, numbers in kinds.items():
            counts[moment, kind] += numbers
    for (moment, kind), numbers in sorted(counts.items(), key=lambda item: (item[0][0], ORDER[item[0][1]])):
        found[clock.today(moment)].portions.append(Portion(moment, kind, numbers))
    return [[found[day] for day in days[place : place + 7]] for place in range(0, len(days), 7)]


def _span(first: date, last: date) -> tuple[datetime, datetime]:
    return clock.at(first, time(0)), clock.at(last + timedelta(days=1), time(0))


def _ask(looked: Looked, first: date, last: date, *, by_department: bool) -> list[tuple]:
    more = {"department": "due.department,", "also": ", due.department"} if by_department else {}
    statement = COMING.format(**{"department": "", "also": ""} | more)
    start, after = _span(first, last)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"first": start, "after": after, "departments": list(looked.departments)})
        return cursor.fetchall()


def _coming(looked: Looked, first: date, last: date) -> Counter:
    return Counter({(row[0], row[1]): int(row[2]) for row in _ask(looked, first, last, by_department=False)})


def _runs(first: date, last: date):
    start, after = _span(first, last)
    span = (start, after + LATEST_RUN)
    return JobRun.objects.filter(job=JobRun.Job.RELEASE, started_at__range=span).order_by("started_at")


def _opened(looked: Looked, first: date, last: date, *, late: dict[date, Day]) -> dict[datetime, Counter]:
    """Moment → kind → numbers, from what the job wrote; and how late it was, on the days where it was."""
    wanted, found = {str(pk) for pk in looked.departments}, defaultdict(Counter)
    for run in _runs(first, last):
        for said, departments in run.detail.items():
            moment = datetime.fromisoformat(said)
            day = clock.today(moment)
            mine = [kinds for pk, kinds in departments.items() if pk in wanted]
            if not first <= day <= last or not mine:
                continue
            for kinds in mine:
                found[moment].update(kinds)
            if run.started_at - moment >= LATE:
                late[day].late_minutes = max(
                    late[day].late_minutes, int((run.started_at - moment).total_seconds() // 60)
                )
    return found


def day_list(day: date, *, looked: Looked, now: datetime) -> DayList:
    """By department; moments and kinds are the columns."""
    counts: Counter = Counter()
    rows = _ask(looked, day, day, by_department=True)
    coming = {kind for moment, kind, *_rest in rows if moment > now}
    for moment, kind, department, numbers in rows:
        counts[moment, kind, department] += int(numbers)
    wanted = set(looked.departments)
    for run in _runs(day, day):
        for said, departments in run.detail.items():
            moment = datetime.fromisoformat(said)
            for pk, kinds in departments.items() if clock.today(moment) == day else ():
                for kind, numbers in kinds.items() if int(pk) in wanted else ():
                    counts[moment, kind, int(pk)] += numbers
    columns = sorted({(moment, kind) for moment, kind, _pk in counts}, key=lambda one: (one[0], ORDER[one[1]]))
    names = Department.objects.filter(pk__in={pk for _moment, _kind, pk in counts}).order_by("order", "code")
    lines = [Line(row.pk, row.name, [counts[moment, kind, row.pk] for moment, kind in columns]) for row in names]
    return DayList(
        columns=[(moment, str(Pool.Kind(kind).label)) for moment, kind in columns],
        lines=lines,
        sums=[sum(line.numbers[place] for line in lines) for place in range(len(columns))],
        kinds=sorted(coming, key=ORDER.get),
    )


def schedules_opening(day: date, *, kinds: list[str], departments: list[int], now: datetime) -> list[int]:
    """Whose pools of these kinds open on that day and have not yet."""
    start, after = _span(day, day)
    rows = Schedule.objects.filter(
        status=Schedule.Status.OPEN,
        allotments__opened_at=None,
        allotments__opens_at__range=(max(start, now), after - timedelta(microseconds=1)),
        allotments__pool__kind__in=kinds,
        allotments__department__in=departments,
    )
    return sorted(set(rows.values_list("pk", flat=True)))


def schedules_on(first: date, last: date, *, departments: list[int], now: datetime) -> list[int]:
    """Open clinics of these visit days that have not begun."""
    rows = Schedule.objects.filter(
        department__in=departments, day__range=(first, last), status=Schedule.Status.OPEN, starts_at__gt=now
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def latest_acts(*, organizations: frozenset[int], departments: frozenset[int] | None) -> list[BulkAct]:
    """Holds and extra releases that were done, newest first."""
    kinds = (BulkAct.Kind.HOLD_RELEASE, BulkAct.Kind.EXTRA_RELEASE)
    rows = acts_within(organizations=organizations, departments=departments).filter(kind__in=kinds)
    return list(rows.exclude(status=BulkAct.Status.PREVIEWED)[:ACTS])
