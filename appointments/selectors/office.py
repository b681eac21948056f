"""号源周表: the office's week of half-days, counted in a fixed number of queries however many doctors there are."""

from collections import defaultdict, namedtuple
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db import connection
from django.db.models import Count, Q
from django.utils.translation import get_language

from appointments.models import Allotment, Pool, Schedule, Slot, StopCase, Substitution
from appointments.models.schedule import session_half
from hospital import clock
from hospital.models import Campus, Department, HalfDay
from hospital.models.time import HALF_WORDS

from . import rules

HEAT = ((100, 4), (80, 3), (60, 2), (40, 1))
"""Taken in percent, from which step of the heat on: full, over 80, 60–80, 40–60, below."""

HALVES = (HalfDay.MORNING, HalfDay.AFTERNOON)
"""Columns of a day. Evening clinics stand in the afternoon's column, marked 夜间."""

ACTOR = ("role__practitioner", "team", "service", "department", "campus")
"""What names a schedule's actor and place."""

FIELDS = {
    "pk": "pk",
    "day": "day",
    "half": "half",
    "starts_at": "starts_at",
    "ends_at": "ends_at",
    "status": "status",
    "capacity": "capacity",
    "department": "department_id",
    "department_name": "department__name",
    "campus": "campus__name",
    "role": "role_id",
    "doctor": "role__practitioner__name",
    "doctor_pinyin": "role__practitioner__pinyin",
    "title": "role__practitioner__title",
    "team": "team_id",
    "team_name": "team__name",
    "service": "service_id",
    "service_name": "service__name",
    "level": "service__level",
}
"""Columns of a week's schedule: plain values, since a big house has three thousand of them a week."""

Entry = namedtuple("Entry", FIELDS)


@dataclass(slots=True)
class Cell:
    """One schedule in the week. `total` is with add-on numbers, `extras` says how many of it those are."""

    pk: int
    taken: int
    total: int
    extras: int
    stopped: bool
    substitute: str  # who sits there instead; empty: nobody
    asked: int  # patients of a stop or substitution who need to say what they want
    answered: int  # and have
    gone: int  # who need not answer any more
    unreleased: bool  # the public numbers (or those of the pool looked at) have not opened yet
    half: str  # what it is by its hours: the column does not say "ev" or "all" (both halves of the day)
    label: str  # for screen readers: who, when

    @property
    def left(self) -> int:
        return max(0, self.total - self.taken)

    @property
    def full(self) -> bool:
        return self.taken >= self.total

    @property
    def tone(self) -> str:
        """The cell's class. 停诊 and 未放号 say more than how full it is."""
        if self.stopped:
            return "cell--off"
        if self.unreleased:
            return "cell--held"
        percent = 100 * self.taken / self.total if self.total else 0
        heat = f"heat-{next((step for least, step in HEAT if percent >= least), 0)}"
        return f"{heat} cell--sub" if self.substitute else heat


@dataclass
class Row:
    """A doctor, a team or a plain clinic: 14 columns of cells."""

    name: str
    note: str
    columns: list[list[Cell]] = field(default_factory=lambda: [[] for _ in range(7 * len(HALVES))])


@dataclass
class Block:
    """A department's rows and its sums. `total` is without add-on numbers, which stand apart."""

    name: str
    campus: str
    rows: list[Row] = field(default_factory=list)
    sessions: int = 0
    total: int = 0
    extras: int = 0
    taken: int = 0
    asked: int = 0
    answered: int = 0
    gone: int = 0


@dataclass(frozen=True)
class Looked:
    """What the office looks at: filters of the week. `pool` is a kind; `within` is the reader's own reach, as a Q on
    Schedule (somebody of one department sees that one)."""

    monday: date
    organizations: frozenset[int]
    within: Q = field(default_factory=Q)
    campus: int | None = None
    group: str = ""
    department: int | None = None
    level: str = ""
    pool: str = ""
    who: str = ""  # of a doctor or team: part of the name, or the first letters of its pinyin

    @property
    def days(self) -> list[date]:
        return [self.monday + timedelta(days=n) for n in range(7)]

    @property
    def schedules(self) -> Q:
        """The schedules meant, of any day."""
        wanted = Q(organization__in=self.organizations) & self.within
        if self.campus:
            wanted &= Q(campus=self.campus)
        if self.group:
            wanted &= Q(department__group=self.group)
        if self.department:
            wanted &= Q(department=self.department)
        if self.level:
            wanted &= Q(service__level=self.level)
        return wanted & self._who if self.who else wanted

    @property
    def _who(self) -> Q:
        named = Q()
        for actor in ("role__practitioner", "team"):
            named |= Q(**{f"{actor}__name__icontains": self.who})
            named |= Q(**{f"{actor}__pinyin__istartswith": self.who})
            named |= Q(**{f"{actor}__initials__istartswith": self.who})
        return named


def monday_of(day: date) -> date:
    return day - timedelta(days=day.isoweekday() - 1)


def week(looked: Looked, *, now: datetime) -> list[Block]:
    """The week's blocks by department. One query each: schedules, their numbers, when their pools open,
    substitutes, and who of a stop has answered."""
    wanted = Schedule.objects.filter(looked.schedules, day__range=(looked.days[0], looked.days[-1]))
    ordered = wanted.order_by("department__order", "department__code", "day", "starts_at", "pk")
    entries = list(map(Entry._make, ordered.values_list(*FIELDS.values())))
    facts = _Facts(entries, pool=looked.pool, organizations=looked.organizations, now=now)
    blocks: dict[int, Block] = {}
    rows: dict[int, dict[tuple, Row]] = defaultdict(dict)
    for entry in entries:
        if looked.pool and entry.pk not in facts.numbers:
            continue
        block = blocks.setdefault(entry.department, Block(entry.department_name, entry.campus))
        row = _row(rows[entry.department], entry)
        cell = facts.cell(entry, row.name)
        row.columns[(entry.day - looked.monday).days * len(HALVES) + (entry.half != HalfDay.MORNING)].append(cell)
        _add(block, cell)
    for department, block in blocks.items():
        block.rows = [row for _key, row in sorted(rows[department].items(), key=lambda item: item[0])]
    return list(blocks.values())


class _Facts:
    """What is counted or looked up for some schedules' cells. Five queries however many they are."""

    def __init__(self, entries: list, *, pool: str, organizations: Iterable[int], now: datetime):
        pools = _pools(pool or Pool.Kind.PUBLIC, organizations)
        self.numbers = count_numbers(entries, pools=pools if pool else None)
        self.openings = _openings(entries, pools)
        self.substitutes, self.cases = _substitutes(entries), _cases(entries)
        self.now = now

    def cell(self, entry, who: str) -> Cell:
        taken, total, extras = self.numbers.get(entry.pk, (0, 0, 0))
        asked, answered, gone = self.cases.get(entry.pk, (0, 0, 0))
        opens_at, half = self.openings.get(entry.pk), session_half(entry)
        return Cell(
            pk=entry.pk,
            taken=taken,
            total=total,
            extras=extras,
            stopped=entry.status == Schedule.Status.STOPPED,
            substitute=self.substitutes.get(entry.pk, ""),
            asked=asked,
            answered=answered,
            gone=gone,
            unreleased=bool(opens_at and opens_at > self.now),
            half=half,
            label=f"{who} {entry.day.month}-{entry.day.day} {half_words()[half]}",
        )


def _add(block: Block, cell: Cell) -> None:
    block.asked += cell.asked
    block.answered += cell.answered
    block.gone += cell.gone
    if cell.stopped:
        return
    block.sessions += 1
    block.total += cell.total - cell.extras
    block.extras += cell.extras
    block.taken += cell.taken


LEVELS = {level: place for place, level in enumerate(("chief", "associate", "specialty", "general"))}


def _row(rows: dict[tuple, Row], entry: Entry) -> Row:
    """Doctors by level and name, then plain clinics, then teams."""
    if entry.role:
        key = (0, LEVELS.get(entry.level, 9), entry.doctor_pinyin, entry.doctor, entry.role)
        name, note = entry.doctor, entry.title
    elif entry.team:
        key = (2, 0, "", entry.team_name, entry.team)
        name, note = entry.team_name, entry.service_name
    else:
        key = (1, 0, "", entry.service_name, entry.service)
        name, note = entry.service_name, entry.campus
    if key not in rows:
        rows[key] = Row(name, note)
    return rows[key]


def half_words() -> dict[str, str]:
    return _words_of(get_language())


@lru_cache(maxsize=8)
def _words_of(_language: str) -> dict[str, str]:
    return {value: str(label) for value, label in HALF_WORDS.items()}


NUMBERS = """
SELECT wanted.id, n.taken, n.total, n.extras
  FROM unnest(%(schedules)s::bigint[], %(capacities)s::int[]) AS wanted (id, capacity)
 CROSS JOIN LATERAL (
       SELECT count(*) AS total,
              count(*) FILTER (WHERE s.status = 'booked') AS taken,
              count(*) FILTER (WHERE s.number > wanted.capacity) AS extras
         FROM appointments_slot s
        WHERE s.schedule_id = wanted.id AND s.status <> 'blocked'
          AND (%(pools)s::bigint[] IS NULL OR s.pool_id = ANY (%(pools)s::bigint[]))) n
 WHERE n.total > 0
"""
"""Schedule by schedule through slot_one_number: what is read grows with the week, not with the years of numbers that
a join lets the planner read (0.4 s of 4 M numbers)."""


def count_numbers(schedules: Iterable, *, pools: list[int] | None = None) -> dict[int, tuple[int, int, int]]:
    """Schedule → (taken, all, add-ons of all); `schedules` have pk and capacity. A number on hold or resting is not
    taken yet; blocked ones are no numbers."""
    rows = [(one.pk, one.capacity) for one in schedules]
    places = {"schedules": [pk for pk, _n in rows], "capacities": [n for _pk, n in rows], "pools": pools}
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, places)
        return {pk: (taken, total, extras) for pk, taken, total, extras in cursor.fetchall()}


def cells(looked: Looked, pks: list[int], *, now: datetime) -> list[Cell]:
    """Some cells of the week, as the week shows them."""
    within = Schedule.objects.filter(looked.within, pk__in=pks, organization__in=looked.organizations)
    rows = list(within.select_related(*ACTOR))
    facts = _Facts(rows, pool=looked.pool, organizations=looked.organizations, now=now)
    return [facts.cell(row, row.actor_name) for row in rows]


def _pools(kind: str, organizations: Iterable[int]) -> list[int]:
    return list(Pool.objects.filter(kind=kind, organization__in=organizations).values_list("pk", flat=True))


def _openings(entries: list, pools: list[int]) -> dict[int, datetime]:
    """Schedule → when the first of these pools opens. By department and day, which allotment_search knows."""
    if not entries:
        return {}
    departments = {_department(one) for one in entries}
    days = [one.day for one in entries]
    rows = Allotment.objects.filter(department__in=departments, day__range=(min(days), max(days)), pool__in=pools)
    opening: dict[int, datetime] = {}
    for schedule, opens_at in rows.order_by().values_list("schedule_id", "opens_at"):
        opening[schedule] = min(opening.get(schedule, opens_at), opens_at)
    return opening


def _department(one) -> int:
    """Of a row, or of an entry of the week."""
    return one.department_id if isinstance(one, Schedule) else one.department


def _substitutes(entries: list) -> dict[int, str]:
    """Schedule → who sits there instead of its own doctor (替诊)."""
    if not entries:
        return {}
    days = [one.day for one in entries]
    rows = Substitution.objects.filter(
        stands=True, substitute__isnull=False, schedule__day__range=(min(days), max(days))
    )
    return dict(rows.values_list("schedule_id", "substitute__practitioner__name"))


def _cases(entries: list) -> dict[int, tuple[int, int, int]]:
    """Schedule → (patients who need to answer, who have, who need not any more) of the stop or substitution that
    stands."""
    if not entries:
        return {}
    days = [one.day for one in entries]
    rows = StopCase.objects.filter(
        substitution__stands=True, substitution__schedule__day__range=(min(days), max(days))
    ).order_by()
    counted = rows.values_list("substitution__schedule_id").annotate(
        asked=Count("id", filter=~Q(answer=StopCase.Answer.GONE)),
        answered=Count("id", filter=~Q(answer__in=[StopCase.Answer.NONE, StopCase.Answer.GONE])),
        gone=Count("id", filter=Q(answer=StopCase.Answer.GONE)),
    )
    return {schedule: tuple(counts) for schedule, *counts in counted}


@dataclass(frozen=True)
class Release:
    """The next moment at which public numbers open, and how many."""

    at: datetime
    day: date
    numbers: int


def next_release(*, organizations, now: datetime, within: int = 15) -> Release | None:
    """Two queries; looks as many days ahead as any public pool opens.

    By department and day, which allotment_search knows: by day alone every allotment there ever was would be read.
    """
    today = clock.today(now)
    span, public = (today, today + timedelta(days=within)), rules.public_pools(organizations)
    coming = Allotment.objects.filter(
        department__in=Department.objects.filter(organization__in=organizations).values("pk"),
        day__range=span,
        pool__in=public,
        schedule__day__range=span,
        schedule__status=Schedule.Status.OPEN,
    )
    first = coming.filter(opens_at__gt=now).order_by("opens_at", "day").values_list("opens_at", "day").first()
    if first is None:
        return None
    opening = coming.filter(opens_at=first[0]).values("schedule")
    free = Slot.objects.filter(schedule__in=opening, pool__in=public, status=Slot.Status.FREE)
    return Release(at=first[0], day=first[1], numbers=free.count())


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    campuses: list[Campus]
    groups: list[str]
    departments: list[Department]


def choices(organizations, *, departments: frozenset[int] | None = None) -> Choices:
    """Two queries. `departments`: the only ones that the reader sees."""
    campuses = list(Campus.objects.filter(organization__in=organizations, active=True).order_by("organization", "code"))
    rows = Department.objects.filter(organization__in=organizations, active=True)
    if departments is not None:
        rows = rows.filter(pk__in=departments)
    found = list(rows.order_by("order", "code"))
    return Choices(campuses=campuses, groups=sorted({one.group for one in found if one.group}), departments=found)
