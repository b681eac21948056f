"""What became of the numbers that a hospital keeps for lower institutions: booked by them, or given up unused."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection
from django.db.models import Count, Q

from appointments.models import Appointment, Pool
from appointments.models.rules import Channel
from appointments.policies.rules import OF_PARTNERS
from appointments.selectors import rules
from appointments.stats import Rate
from hospital.models import Department, Organization

State = Appointment.Status

GIVEN_UP = """
WITH kept AS (
    SELECT a.pool_id, a.schedule_id, c.department_id, p.kind, a.shared_from, a.moved_at, c.starts_at,
           row_number() OVER (PARTITION BY a.schedule_id, p.kind ORDER BY a.pool_id) = 1 AS first
      FROM appointments_allotment a
      JOIN appointments_pool p ON p.id = a.pool_id
      JOIN appointments_schedule c ON c.id = a.schedule_id
     WHERE a.pool_id = ANY (%(pools)s) AND c.organization_id = %(house)s AND c.day BETWEEN %(first)s AND %(last)s),
given_up AS (
    SELECT k.pool_id, k.department_id,
           CASE WHEN f.payload ? 'numbers' THEN (f.payload -> 'numbers' ->> k.pool_id::text)::int
                WHEN k.first THEN (f.payload -> 'pools' ->> k.kind)::int END AS numbers
      FROM kept k
      JOIN hospital_fact f ON f.key = 'schedule:' || k.schedule_id AND f.topic = 'supply.shared'
     WHERE k.moved_at IS NOT NULL
     UNION ALL
    SELECT k.pool_id, k.department_id, 1
      FROM kept k
      JOIN appointments_slot s ON s.schedule_id = k.schedule_id AND s.pool_id = k.pool_id AND s.status = 'free'
     WHERE k.shared_from IS NULL AND k.starts_at <= %(now)s)
SELECT pool_id, department_id, sum(numbers)::int FROM given_up WHERE numbers > 0 GROUP BY 1, 2
"""
"""As the facts of the recalls say: the numbers themselves are long the public's. Facts from before pools were named in
them tell the kind only; they are counted once, for the schedule's first pool of it. What is never recalled was given up
when its sitting began."""


@dataclass
class Use:
    """Of the sittings of some days. `booked` are the institution's (`own` of the pools kept for it), `recalled` what
    those pools gave up unused."""

    house: Organization
    booked: int = 0
    own: int = 0
    came: int = 0
    noshow: int = 0
    cancelled: int = 0
    recalled: int = 0
    shared_pools: bool = False  # among its pools are some that other institutions book from as well
    departments: list[tuple[Department, Counter]] = field(default_factory=list)

    @property
    def noshow_percent(self) -> int:
        due = self.came + self.noshow
        return round(100 * self.noshow / due) if due else 0

    @property
    def used_percent(self) -> int:
        """Of what its pools had: booked by it, or given up."""
        kept = self.own + self.recalled
        return round(100 * self.own / kept) if kept else 0


@dataclass(frozen=True)
class HouseUse:
    """`of`: institution id → its use. `share`: of all pools kept for lower institutions, each number once."""

    of: dict[int, Use]
    share: Rate


def use_of(institution: Organization, house: Organization, *, first: date, last: date, now: datetime) -> Use:
    """By the day of the visit, both included."""
    return use_at(house, [institution], first=first, last=last, now=now).of[institution.pk]


def use_at(
    house: Organization, institutions: Iterable[Organization], *, first: date, last: date, now: datetime
) -> HouseUse:
    """Of each, and of all the house keeps. Four queries however many there are."""
    pools = list(Pool.objects.filter(organization=house, kind__in=OF_PARTNERS))
    given_up = _given_up([pool.pk for pool in pools], house, first=first, last=last, now=now)
    taken = list(_taken(house, first=first, last=last))
    names = {row.pk: row for row in Department.objects.filter(organization=house)}
    of = {}
    for one in institutions:
        kept = _kept(one, house, first=first, last=last)
        mine = [pool for pool in pools if pool.pk in kept]
        ours = [row for row in taken if row["partner"] == one.pk]
        of[one.pk] = _use(house, mine, ours, given_up, names)
    every = {pool.pk for pool in pools}
    used = sum(row["count"] for row in taken if row["slot__pool"] in every and row["status"] != State.CANCELLED)
    return HouseUse(of, Rate(used, used + sum(given_up.values())))


def _kept(institution: Organization, house: Organization, *, first: date, last: date) -> set[int]:
    """Pools open to it on the first or the last day: an agreement that began or ended in between counts."""
    said = {"organization_id": house.pk, "partner_id": institution.pk, "signed": True}
    return {pk for day in (first, last) for pk in rules.pools_for(Channel.PARTNER, day=day, **said).ids}


def _taken(house: Organization, *, first: date, last: date):
    """Confirmed numbers by who booked, department, state and pool: an institution's, or anybody's of a kept pool."""
    rows = Appointment.objects.filter(
        Q(partner__isnull=False) | Q(slot__pool__kind__in=OF_PARTNERS),
        schedule__organization=house, schedule__day__range=(first, last), confirmed_at__isnull=False,
    )  # fmt: skip
    return rows.order_by().values("partner", "department", "status", "slot__pool").annotate(count=Count("pk"))


def _use(house: Organization, pools: list[Pool], taken: list[dict], given_up: Counter, names: dict) -> Use:
    use, by_department = Use(house), defaultdict(Counter)
    use.shared_pools = any(pool.partner_id is None for pool in pools)
    kept = {pool.pk for pool in pools}
    for row in taken:
        mine, status, count = by_department[row["department"]], row["status"], row["count"]
        if status == State.CANCELLED:
            mine["cancelled"] += count
            continue
        mine["booked"] += count
        mine["own"] += count if row["slot__pool"] in kept else 0
        mine["came"] += count if status in (State.ARRIVED, State.FULFILLED) else 0
        mine["noshow"] += count if status == State.NOSHOW else 0
    for (pool, department), count in given_up.items():
        if pool in kept:
            by_department[department]["recalled"] += count
    for name in ("booked", "own", "came", "noshow", "cancelled", "recalled"):
        setattr(use, name, sum(mine[name] for mine in by_department.values()))
    order = sorted(by_department, key=lambda pk: (names[pk].order, names[pk].code))
    use.departments = [(names[pk], by_department[pk]) for pk in order]
    return use


def _given_up(pools: list[int], house: Organization, *, first: date, last: date, now: datetime) -> Counter:
    """(pool, department) → numbers."""
    said = {"pools": pools, "house": house.pk, "first": first, "last": last, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(GIVEN_UP, said)
        return Counter({(pool, department): numbers for pool, department, numbers in cursor.fetchall()})
