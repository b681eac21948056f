"""What the public may take of some schedules now, and when more of them becomes the public's.

The shape measured for search: the schedules of a page, per schedule the moment from which each of its pools is the
public's, then its numbers by index. The claim decides; this only draws the page.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Q, QuerySet

from appointments.models import Schedule
from appointments.models.rules import Channel
from appointments.policies import waitlist
from appointments.policies.scarcity import State, is_few
from appointments.selectors import rules
from hospital import clock
from hospital.models import PriceItem

SHOWN = ("role__practitioner", "team", "service", "campus", "room")

NUMBERS = """
SELECT c.id, coalesce(c.gate_team_id, led.team) AS gate, numbers.takeable, numbers.of, numbers.more_at
  FROM appointments_schedule c
  LEFT JOIN hospital_practitionerrole r ON r.id = c.role_id
  LEFT JOIN (SELECT own.practitioner_id, min(m.team_id) AS team
               FROM hospital_careteammember m
               JOIN hospital_careteam t ON t.id = m.team_id AND t.active
               JOIN hospital_practitionerrole own ON own.id = m.role_id
              WHERE m.leader AND m.active
              GROUP BY own.practitioner_id) led ON led.practitioner_id = r.practitioner_id
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE a.from_at <= %(now)s AND (s.status = 'free'
                               OR (s.status IN ('held', 'resting') AND s.hold_until <= %(now)s
                                   AND NOT (s.status = 'held' AND booking_would_rest(s.id, %(now)s))))) AS takeable,
              count(*) FILTER (WHERE a.from_at <= %(now)s) AS of,
              min(a.from_at) FILTER (WHERE a.from_at > %(now)s AND s.status = 'free') AS more_at
         FROM (SELECT each.pool_id,
                      least(CASE WHEN each.pool_id = ANY (%(pools)s::bigint[]) THEN each.opens_at END,
                            CASE WHEN %(shared)s THEN each.shared_from END) AS from_at
                 FROM appointments_allotment each WHERE each.schedule_id = c.id) a
         JOIN appointments_slot s ON s.schedule_id = c.id AND s.pool_id = a.pool_id
        WHERE a.from_at IS NOT NULL AND s.status <> 'blocked' AND s.start > %(now)s) numbers
 WHERE c.id = ANY (%(schedules)s::bigint[])
"""
"""`led`: whoever leads a team today is behind its gate, on schedules laid out before as well (as booking_ground)."""


@dataclass(frozen=True)
class Opening:
    """One half-day as the public finds it."""

    schedule: Schedule
    state: State
    left: int = 0  # numbers that could be taken now
    of: int = 0  # numbers open to the public and still ahead, the taken ones too
    more_at: datetime | None = None  # when further free numbers become the public's, before the clinic starts
    gate: int | None = None  # the team whose referral opens it (B11)
    fee: Decimal | None = None  # yuan, on the schedule's day
    waits: bool = False  # it is full, and its line may be joined (B9)

    @property
    def few(self) -> bool:
        return self.state is State.FEW


@dataclass(frozen=True)
class PublicPools:
    """The pools that the web takes from, of one or several hospitals. `shared`: their public pool is among them."""

    ids: tuple[int, ...]
    shared: bool


def public_pools(organizations: Iterable[int], *, now: datetime) -> PublicPools:
    today = clock.today(now)
    each = [rules.pools_for(Channel.WEB, organization_id=pk, day=today) for pk in sorted(set(organizations))]
    return PublicPools(ids=tuple(pk for pools in each for pk in pools.ids), shared=any(pools.public for pools in each))


def days_shown(organization_id: int, *, now: datetime) -> list[date]:
    """Today and every day whose numbers the web may have by now, as the supply rules say."""
    today = clock.today(now)
    ahead = rules.public_horizon(organization_id, channel=Channel.WEB, day=today)
    return [today + timedelta(days=n) for n in range(ahead + 1)]


def to_come(days: list[date], *, now: datetime) -> QuerySet[Schedule]:
    """Schedules on these days that are not over, of doctors and services in use; with what a page shows of them."""
    rows = Schedule.objects.filter(day__range=(days[0], days[-1]), ends_at__gt=now, service__active=True)
    rows = rows.filter(Q(role=None) | Q(role__active=True, role__practitioner__active=True))
    rows = rows.filter(Q(team=None) | Q(team__active=True))
    return rows.select_related(*SHOWN).order_by("day", "starts_at", "id")


def openings_of(schedules: Iterable[Schedule], *, now: datetime) -> list[Opening]:
    """In the order given. Two queries: the numbers, and the prices of these hospitals."""
    schedules = list(schedules)
    if not schedules:
        return []
    pools = public_pools((schedule.organization_id for schedule in schedules), now=now)
    values = {"schedules": [schedule.pk for schedule in schedules], "pools": list(pools.ids), "shared": pools.shared}
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, values | {"now": now})
        numbers = {row[0]: row[1:] for row in cursor.fetchall()}
    fees = _fees(schedules)
    return [_opening(schedule, *numbers[schedule.pk], fee=fees.get(schedule.pk), now=now) for schedule in schedules]


def _opening(schedule, gate, left, of, more_at, *, fee, now) -> Opening:
    if more_at and more_at >= schedule.starts_at:
        more_at = None  # the on-site floor: nobody should plan on it from home
    state = _state(schedule, gate=gate, left=left, of=of, more_at=more_at, priced=fee is not None, now=now)
    if not state.bookable:
        left = 0
    if state in (State.STOPPED, State.GATED, State.OFFLINE):
        more_at = None
    waits = state is State.FULL and of > 0 and _has_a_line(schedule, now=now)
    return Opening(schedule=schedule, state=state, left=left, of=of, more_at=more_at, gate=gate, fee=fee, waits=waits)


def _has_a_line(schedule: Schedule, *, now: datetime) -> bool:
    closes = waitlist.closes_at(schedule.day, rules.booking_rule_for(schedule, day=clock.today(now)))
    return waitlist.refusal_to_join(schedule, channel=Channel.WEB, closes=closes, now=now) is None


def _state(schedule, *, gate, left: int, of: int, more_at, priced: bool, now: datetime) -> State:
    if schedule.status == Schedule.Status.STOPPED:
        return State.STOPPED
    if gate:
        return State.GATED
    if not priced:
        return State.OFFLINE
    if left:
        return State.FEW if is_few(left, of=of) else State.OPEN
    if of or schedule.starts_at <= now:
        return State.FULL
    return State.UNRELEASED if more_at else State.OFFLINE


def _fees(schedules: list[Schedule]) -> dict[int, Decimal]:
    """Schedule → what it costs on its day."""
    first, last = min(row.day for row in schedules), max(row.day for row in schedules)
    rows = PriceItem.objects.filter(
        Q(effective_to=None) | Q(effective_to__gte=first),
        organization__in={row.organization_id for row in schedules},
        effective_from__lte=last,
    )
    dated: dict[tuple[int, str], list[PriceItem]] = {}
    for item in rows:
        dated.setdefault((item.organization_id, item.code), []).append(item)
    found = {}
    for row in schedules:
        for item in dated.get((row.organization_id, row.service.price_code), []):
            if item.effective_from <= row.day and (item.effective_to is None or row.day <= item.effective_to):
                found[row.pk] = item.amount
    return found
