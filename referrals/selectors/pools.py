"""The lower institution's own numbers at a hospital: what is left in which pool, and until when."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q

from appointments.models import Allotment, Pool, Schedule, Slot
from appointments.models.rules import Channel
from appointments.policies.rules import OF_PARTNERS
from appointments.selectors import operator, rules
from appointments.selectors.numbers import takeable
from hospital.models import Department, HealthcareService, Organization

SECONDS_MATTER = timedelta(hours=48)


@dataclass
class Cell:
    """One department's level on one day. `left` can be taken now, `signed` of it by signed residents only; `coming`
    opens at `opens`."""

    left: int = 0
    signed: int = 0
    coming: int = 0
    total: int = 0
    opens: datetime | None = None
    recall: datetime | None = None

    @property
    def recall_ms(self) -> int:
        return round(self.recall.timestamp() * 1000) if self.recall else 0


@dataclass
class Row:
    department: Department
    level: str
    cells: list[Cell]

    @property
    def level_name(self) -> str:
        return str(HealthcareService.Level(self.level).label) if self.level else ""


@dataclass(frozen=True)
class Numbers:
    """`next_recall`: the soonest moment at which something that is left now goes to the public."""

    house: Organization
    over: object  # why nothing is given here now (AgreementEnded)
    days: list[date]
    rows: list[Row]
    next_recall: datetime | None
    at_stake: int  # numbers left that go at that moment
    now: datetime

    @property
    def next_recall_ms(self) -> int:
        return round(self.next_recall.timestamp() * 1000) if self.next_recall else 0

    @property
    def ticking(self) -> bool:
        """Soon enough that the seconds are shown."""
        return self.next_recall is not None and self.next_recall - self.now < SECONDS_MATTER

    @property
    def left(self) -> int:
        return sum(cell.left for row in self.rows for cell in row.cells)


def scope_of(institution: Organization, house: Organization, *, now: datetime) -> operator.Scope:
    """The institution's reach at a hospital, of nobody in particular."""
    return operator.Scope(Channel.PARTNER, house, institution.pk, None, None, now)


def pools_kept(institution: Organization, house: Organization, *, day: date) -> list[int]:
    """Ids of the pools that are kept for lower institutions and open to this one, its signed residents' too."""
    pools = rules.pools_for(Channel.PARTNER, organization_id=house.pk, day=day, partner_id=institution.pk, signed=True)
    return list(Pool.objects.filter(pk__in=pools.ids, kind__in=OF_PARTNERS).values_list("pk", flat=True))


def numbers_of(institution: Organization, house: Organization, *, now: datetime) -> Numbers:
    """Not yet recalled, by department, level and day. Four queries however many there are."""
    scope = scope_of(institution, house, now=now)
    pools = pools_kept(institution, house, day=scope.today)
    opened = Q(opens_at__lte=now) & (Q(shared_from=None) | Q(shared_from__gt=now))
    soon = Q(opens_at__gt=now, schedule__day__lte=scope.last_day)
    shown = Allotment.objects.filter(
        opened | soon, pool__in=pools, schedule__in=scope.schedules().filter(status=Schedule.Status.OPEN)
    )
    found = list(shown.select_related("schedule__department", "schedule__service", "pool"))
    counts = _counts(found, now=now)
    days = sorted({row.schedule.day for row in found if counts.get((row.schedule_id, row.pool_id))})
    rows: dict[tuple, Row] = {}
    for row in found:
        if counted := counts.get((row.schedule_id, row.pool_id)):
            _add(rows, row, counted, days=days, now=now)
    at_stake = Counter()
    for row in found:
        if row.shared_from and row.opens_at <= now:
            at_stake[row.shared_from] += counts.get((row.schedule_id, row.pool_id), (0, 0))[0]
    recall = min((moment for moment, left in at_stake.items() if left), default=None)
    order = sorted(rows.values(), key=lambda row: (row.department.order, row.department.code, row.level))
    return Numbers(house, scope.over, days, order, recall, at_stake[recall] if recall else 0, now)


def _counts(found: list[Allotment], *, now: datetime) -> dict[tuple[int, int], tuple[int, int]]:
    """(schedule, pool) → (can be taken, all)."""
    places = {row.schedule_id for row in found}
    slots = Slot.objects.filter(schedule__in=places, pool__in={row.pool_id for row in found})
    slots = slots.exclude(status=Slot.Status.BLOCKED).order_by().values_list("schedule", "pool")
    counted = slots.annotate(left=Count("pk", filter=takeable(now=now)), total=Count("pk"))
    return {(schedule, pool): (left, total) for schedule, pool, left, total in counted}


def _add(rows: dict, row: Allotment, counted: tuple[int, int], *, days: list[date], now: datetime) -> None:
    schedule, (left, total) = row.schedule, counted
    key = (schedule.department_id, schedule.service.level)
    line = rows.setdefault(key, Row(schedule.department, schedule.service.level, [Cell() for _day in days]))
    cell = line.cells[days.index(schedule.day)]
    cell.total += total
    if row.opens_at > now:
        cell.coming += left
        cell.opens = min(filter(None, (cell.opens, row.opens_at)))
        return
    cell.left += left
    cell.signed += left if row.pool.kind == Pool.Kind.SIGNED else 0
    if left and row.shared_from:
        cell.recall = min(filter(None, (cell.recall, row.shared_from)))
