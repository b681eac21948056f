"""号源周表: the office's week of half-days, counted in a fixed number of queries however many doctors there are."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Min, Q

from appointments.models import Allotment, Pool, Schedule, Slot
from hospital import clock
from hospital.models import Campus, Department, HalfDay

HEAT = ((100, 4), (80, 3), (60, 2), (40, 1))
"""Taken in percent, from which step of the heat on: full, over 80, 60–80, 40–60, below."""

HALVES = (HalfDay.MORNING, HalfDay.AFTERNOON)
"""Columns of a day. Evening clinics stand in the afternoon's column, marked 夜间."""

ACTOR = ("role__practitioner", "team", "service", "department", "campus")


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

    department: Department
    rows: list[Row]
    campus: str = ""
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
    schedules = wanted.select_related(*ACTOR).order_by(
        "department__order", "department__code", "day", "starts_at", "pk"
    )
    numbers = count_numbers(wanted.values("pk"), pool=looked.pool)
    opening = _openings(wanted.values("pk"), pool=looked.pool)
    blocks: dict[int, Block] = {}
    rows: dict[int, dict[tuple, Row]] = defaultdict(dict)
    for schedule in schedules:
        taken, total = numbers.get(schedule.pk, (0, 0))
        if looked.pool and not total:
            continue
        block = blocks.setdefault(schedule.department_id, Block(schedule.department, [], str(schedule.campus)))
        row = _row(rows[schedule.department_id], schedule)
        cell = cell_of(schedule, taken=taken, total=total, opens_at=opening.get(schedule.pk), now=now)
        column = (schedule.day - looked.monday).days * len(HALVES) + (schedule.half != HalfDay.MORNING)
        row.columns[column].append(cell)
        _add(block, cell)
    for department_id, block in blocks.items():
        order = sorted(rows[department_id].items(), key=lambda item: item[0])
        block.rows = [row for _key, row in order]
    return list(blocks.values())


def _add(block: Block, cell: Cell) -> None:
    if cell.stopped:
        return
    block.sessions += 1
    block.total += cell.total
    block.taken += cell.taken


LEVELS = {level: place for place, level in enumerate(("chief", "associate", "specialty", "general"))}


def _row(rows: dict[tuple, Row], schedule: Schedule) -> Row:
    """Doctors by level and name, then plain clinics, then teams."""
    if schedule.role_id:
        doctor = schedule.role.practitioner
        key = (0, LEVELS.get(schedule.service.level, 9), doctor.pinyin, doctor.name, schedule.role_id)
        name, note = doctor.name, doctor.title
    elif schedule.team_id:
        key = (2, 0, schedule.team.pinyin, schedule.team.name, schedule.team_id)
        name, note = schedule.team.name, schedule.service.name
    else:
        key = (1, 0, "", schedule.service.name, schedule.service_id)
        name, note = schedule.service.name, schedule.campus.name
    if key not in rows:
        rows[key] = Row(name, note)
    return rows[key]


def cell_of(schedule: Schedule, *, taken: int, total: int, opens_at: datetime | None, now: datetime) -> Cell:
    return Cell(
        pk=schedule.pk,
        taken=taken,
        total=total,
        stopped=schedule.status == Schedule.Status.STOPPED,
        unreleased=opens_at is not None and opens_at > now,
        evening=schedule.half == HalfDay.EVENING,
        label=f"{schedule.actor_name} {schedule.day:%m-%d} {schedule.get_half_display()}",
    )


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
    return [
        cell_of(row, taken=taken, total=total, opens_at=opening.get(row.pk), now=now)
        for row in rows
        for taken, total in [numbers.get(row.pk, (0, 0))]
    ]


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
    """Two queries; looks as many days ahead as any public pool opens."""
    today = clock.today(now)
    coming = Allotment.objects.filter(
        pool__kind=Pool.Kind.PUBLIC,
        pool__organization__in=organizations,
        day__range=(today, today + timedelta(days=within)),
        schedule__status=Schedule.Status.OPEN,
    )
    first = coming.filter(opens_at__gt=now).order_by("opens_at", "day").values_list("opens_at", "day").first()
    if first is None:
        return None
    opening = coming.filter(opens_at=first[0]).values("schedule")
    free = Slot.objects.filter(schedule__in=opening, pool__kind=Pool.Kind.PUBLIC, status=Slot.Status.FREE)
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
