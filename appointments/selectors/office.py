"""号源周表: the office's week of half-days, counted in a fixed number of queries however many doctors there are."""

from collections import defaultdict, namedtuple
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db.models import Count, Min, Q
from django.utils.translation import get_language

from appointments.models import Allotment, Pool, Schedule, Slot
from hospital import clock
from hospital.models import Campus, Department, HalfDay

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
    "status": "status",
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


@dataclass(frozen=True)
class Cell:
    """One schedule in the week."""

    pk: int
    taken: int
    total: int
    stopped: bool
    unreleased: bool  # the public numbers (or those of the pool looked at) have not opened yet
    evening: bool
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
        return f"heat-{next((step for least, step in HEAT if percent >= least), 0)}"


@dataclass
class Row:
    """A doctor, a team or a plain clinic: 14 columns of cells."""

    name: str
    note: str
    columns: list[list[Cell]] = field(default_factory=lambda: [[] for _ in range(7 * len(HALVES))])


@dataclass
class Block:
    """A department's rows and its sums."""

    name: str
    campus: str
    rows: list[Row] = field(default_factory=list)
    sessions: int = 0
    total: int = 0
    taken: int = 0


@dataclass(frozen=True)
class Looked:
    """What the office looks at: filters of the week. `pool` is a kind."""

    monday: date
    organizations: frozenset[int]
    campus: int | None = None
    group: str = ""
    level: str = ""
    pool: str = ""

    @property
    def days(self) -> list[date]:
        return [self.monday + timedelta(days=n) for n in range(7)]

    @property
    def schedules(self) -> Q:
        """The schedules meant, of any day."""
        wanted = Q(organization__in=self.organizations)
        if self.campus:
            wanted &= Q(campus=self.campus)
        if self.group:
            wanted &= Q(department__group=self.group)
        if self.level:
            wanted &= Q(service__level=self.level)
        return wanted


def monday_of(day: date) -> date:
    return day - timedelta(days=day.isoweekday() - 1)


def week(looked: Looked, *, now: datetime) -> list[Block]:
    """The week's blocks by department. Three queries: schedules, their numbers, when their pools open."""
    wanted = Schedule.objects.filter(looked.schedules, day__range=(looked.days[0], looked.days[-1]))
    ordered = wanted.order_by("department__order", "department__code", "day", "starts_at", "pk")
    numbers = count_numbers(wanted.values("pk"), pool=looked.pool)
    opening = _openings(wanted.values("pk"), pool=looked.pool)
    blocks: dict[int, Block] = {}
    rows: dict[int, dict[tuple, Row]] = defaultdict(dict)
    for entry in map(Entry._make, ordered.values_list(*FIELDS.values())):
        taken, total = numbers.get(entry.pk, (0, 0))
        if looked.pool and not total:
            continue
        block = blocks.setdefault(entry.department, Block(entry.department_name, entry.campus))
        row = _row(rows[entry.department], entry)
        opens_at = opening.get(entry.pk)
        cell = cell_of(entry, row.name, taken=taken, total=total, unreleased=bool(opens_at and opens_at > now))
        row.columns[(entry.day - looked.monday).days * len(HALVES) + (entry.half != HalfDay.MORNING)].append(cell)
        _add(block, cell)
    for department, block in blocks.items():
        block.rows = [row for _key, row in sorted(rows[department].items(), key=lambda item: item[0])]
    return list(blocks.values())


def _add(block: Block, cell: Cell) -> None:
    if cell.stopped:
        return
    block.sessions += 1
    block.total += cell.total
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


def cell_of(entry, who: str, *, taken: int, total: int, unreleased: bool) -> Cell:
    return Cell(
        pk=entry.pk,
        taken=taken,
        total=total,
        stopped=entry.status == Schedule.Status.STOPPED,
        unreleased=unreleased,
        evening=entry.half == HalfDay.EVENING,
        label=f"{who} {entry.day.month}-{entry.day.day} {_half_words()[entry.half]}",
    )


def _half_words() -> dict[str, str]:
    return _words_of(get_language())


@lru_cache(maxsize=8)
def _words_of(_language: str) -> dict[str, str]:
    return {value: str(label) for value, label in HalfDay.choices}


def count_numbers(schedules, *, pool: str = "") -> dict[int, tuple[int, int]]:
    """Schedule → (taken, all). A number on hold or resting is not taken yet; blocked ones are no numbers."""
    slots = Slot.objects.filter(schedule__in=schedules).exclude(status=Slot.Status.BLOCKED).order_by()
    if pool:
        slots = slots.filter(pool__kind=pool)
    taken = Count("id", filter=Q(status=Slot.Status.BOOKED))
    return {row[0]: row[1:] for row in slots.values_list("schedule").annotate(taken=taken, total=Count("id"))}


def cells(looked: Looked, pks: list[int], *, now: datetime) -> list[Cell]:
    """Some cells of the week, as the week shows them."""
    rows = Schedule.objects.filter(pk__in=pks, organization__in=looked.organizations).select_related(*ACTOR)
    numbers = count_numbers(pks, pool=looked.pool)
    opening = _openings(pks, pool=looked.pool)
    found = []
    for row in rows:
        taken, total = numbers.get(row.pk, (0, 0))
        opens_at = opening.get(row.pk)
        unreleased = bool(opens_at and opens_at > now)
        found.append(cell_of(row, row.actor_name, taken=taken, total=total, unreleased=unreleased))
    return found


def _openings(schedules, *, pool: str) -> dict[int, datetime]:
    """Schedule → when its public numbers (or those of the pool looked at) open."""
    rows = Allotment.objects.filter(schedule__in=schedules, pool__kind=pool or Pool.Kind.PUBLIC)
    return dict(rows.order_by().values_list("schedule").annotate(opens=Min("opens_at")))


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


def choices(organizations) -> Choices:
    campuses = list(Campus.objects.filter(organization__in=organizations, active=True).order_by("organization", "code"))
    groups = Department.objects.filter(organization__in=organizations, active=True).exclude(group="")
    return Choices(campuses=campuses, groups=sorted(set(groups.order_by().values_list("group", flat=True))))
