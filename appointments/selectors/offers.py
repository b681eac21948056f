"""What a channel is offered of some schedules now, as the claim in sql/book_slot.sql would answer it. For programs.

A look, no promise: the claim decides. Limits and clashes are a patient's, not a number's: nobody is asked for here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection

from appointments.models import Schedule
from appointments.policies import booking as policy
from appointments.policies.scarcity import State, is_few
from hospital import clock

from . import rules

USABLE = """
SELECT a.pool_id,
       least(CASE WHEN a.pool_id = ANY (%(pools)s::bigint[]) THEN a.opens_at END,
             CASE WHEN c.organization_id = ANY (%(sharing)s::bigint[]) THEN a.shared_from END) AS from_at
  FROM appointments_allotment a WHERE a.schedule_id = c.id
"""
"""Per pool of a schedule: from when it is this channel's, as booking_ground says it."""

OFFERS = f"""
WITH led AS MATERIALIZED (
       SELECT DISTINCT r.practitioner_id
         FROM hospital_careteammember m
         JOIN hospital_careteam t ON t.id = m.team_id AND t.active
         JOIN hospital_practitionerrole r ON r.id = m.role_id
        WHERE m.leader AND m.active)
SELECT c.id, c.organization_id, c.day, c.half, c.starts_at, c.ends_at, c.status, c.role_id, p.name, p.title,
       c.team_id, team.name, svc.name, svc.level, price.amount,
       svc.active AND coalesce(r.active AND p.active, true),
       c.gate_team_id IS NOT NULL OR led.practitioner_id IS NOT NULL,
       numbers.left, numbers.of, numbers.opens_at
  FROM appointments_schedule c
  JOIN hospital_healthcareservice svc ON svc.id = c.service_id
  LEFT JOIN hospital_practitionerrole r ON r.id = c.role_id
  LEFT JOIN hospital_practitioner p ON p.id = r.practitioner_id
  LEFT JOIN hospital_careteam team ON team.id = c.team_id
  LEFT JOIN led ON led.practitioner_id = r.practitioner_id
  LEFT JOIN hospital_priceitem price
         ON price.organization_id = c.organization_id AND price.code = svc.price_code
        AND c.day >= price.effective_from AND (price.effective_to IS NULL OR c.day <= price.effective_to)
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE a.from_at <= %(now)s AND (s.status = 'free'
                               OR (s.status IN ('held', 'resting') AND s.hold_until <= %(now)s
                                   AND NOT (s.status = 'held' AND booking_would_rest(s.id, %(now)s))))) AS left,
              count(*) FILTER (WHERE a.from_at <= %(now)s) AS of,
              min(a.from_at) FILTER (WHERE a.from_at > %(now)s AND s.status = 'free') AS opens_at
         FROM ({USABLE}) a
         JOIN appointments_slot s ON s.schedule_id = c.id AND s.pool_id = a.pool_id
        WHERE a.from_at IS NOT NULL AND s.status <> 'blocked' AND (%(past)s OR s.start > %(now)s)) numbers
 WHERE {{which}}
 ORDER BY c.starts_at, c.id
"""
OF_DEPARTMENT = OFFERS.format(
    which="c.department_id = %(department)s AND c.day BETWEEN %(first)s AND %(last)s AND c.ends_at > %(now)s"
)
OF_SCHEDULES = OFFERS.format(which="c.id = ANY (%(schedules)s::bigint[])")

NUMBERS = f"""
SELECT s.number, s.start, s.minutes,
       s.status = 'free' OR (s.status IN ('held', 'resting') AND s.hold_until <= %(now)s
                             AND NOT (s.status = 'held' AND booking_would_rest(s.id, %(now)s)))
  FROM appointments_schedule c
 CROSS JOIN LATERAL ({USABLE}) a
  JOIN appointments_slot s ON s.schedule_id = c.id AND s.pool_id = a.pool_id
 WHERE c.id = %(schedule)s AND a.from_at <= %(now)s AND s.status <> 'blocked' AND (%(past)s OR s.start > %(now)s)
 ORDER BY s.start, s.number
"""


@dataclass(frozen=True)
class Offer:
    """One schedule for one channel. `left`: numbers it could take now; `of`: those it could ever, still ahead.

    `opens_at`: when more of its free numbers become this channel's.
    """

    schedule: int
    organization: int
    day: date
    half: str
    starts_at: datetime
    ends_at: datetime
    role: int | None
    doctor: str | None
    title: str | None
    team: int | None
    team_name: str | None
    service: str
    level: str
    fee: Decimal | None  # yuan, on that day
    state: State
    left: int
    of: int
    opens_at: datetime | None


@dataclass(frozen=True)
class Slice:
    """时段: the numbers that start within one public segment. `numbers`: those that could be taken now."""

    start: datetime
    end: datetime
    left: int
    of: int
    numbers: list[int]


def of_department(
    department_id: int,
    *,
    organization_id: int,
    first: date,
    last: date,
    channel: str,
    now: datetime,
    partner_id: int | None = None,
) -> list[Offer]:
    """Everything the department has on these days that is not over. One query."""
    values = {"department": department_id, "first": first, "last": last}
    asked = _Asked(channel, partner_id, now)
    return _ask(OF_DEPARTMENT, values, asked, organizations=[organization_id])


def of_schedules(
    schedules: Iterable[int],
    *,
    organizations: Iterable[int],
    channel: str,
    now: datetime,
    partner_id: int | None = None,
) -> dict[int, Offer]:
    """Schedule → what is offered of it. One query; `organizations` are whose schedules they may be."""
    values = {"schedules": list(schedules)}
    found = _ask(OF_SCHEDULES, values, _Asked(channel, partner_id, now), organizations=organizations)
    return {offer.schedule: offer for offer in found}


def slices_of(offer: Offer, *, channel: str, minutes: int, now: datetime, partner_id: int | None = None) -> list[Slice]:
    """The schedule's segments of `minutes` from its start on, the full ones too. One query; none if nothing is open.

    A booking with a slice's `start` takes one of its numbers: both count from the schedule's start.
    """
    if offer.state not in {State.OPEN, State.FEW, State.FULL}:
        return []
    values = _of_channel(_Asked(channel, partner_id, now), [offer.organization]) | {"schedule": offer.schedule}
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, values)
        rows = cursor.fetchall()
    segments: dict[datetime, list[tuple]] = {}
    for row in rows:
        place = (row[1] - offer.starts_at) // timedelta(minutes=minutes)
        segments.setdefault(offer.starts_at + timedelta(minutes=minutes * place), []).append(row)
    return [_slice(start, rows, end=start + timedelta(minutes=minutes)) for start, rows in segments.items()]


def _slice(start: datetime, rows: list[tuple], *, end: datetime) -> Slice:
    free = [number for number, _start, _minutes, takeable in rows if takeable]
    return Slice(start=start, end=end, left=len(free), of=len(rows), numbers=free)


@dataclass(frozen=True)
class _Asked:
    """Through which channel, for which lower institution, and when."""

    channel: str
    partner_id: int | None
    now: datetime


def _of_channel(asked: _Asked, organizations: Iterable[int]) -> dict:
    """What the statement must know of the channel: its pools, where its pools contain the public one, past numbers."""
    today = clock.today(asked.now)
    from_rules = {
        pk: rules.pools_for(asked.channel, organization_id=pk, day=today, partner_id=asked.partner_id)
        for pk in sorted(set(organizations))
    }
    return {
        "pools": [pool for pools in from_rules.values() for pool in pools.ids],
        "sharing": [pk for pk, pools in from_rules.items() if pools.public],
        "past": policy.may_take_past_numbers(asked.channel),
        "now": asked.now,
    }


def _ask(statement: str, values: dict, asked: _Asked, *, organizations: Iterable[int]) -> list[Offer]:
    with connection.cursor() as cursor:
        cursor.execute(statement, _of_channel(asked, organizations) | values)
        rows = cursor.fetchall()
    return [_offer(row, channel=asked.channel, now=asked.now) for row in rows]


def _offer(row: tuple, *, channel: str, now: datetime) -> Offer:
    pk, organization, day, half, starts_at, ends_at, status = row[:7]
    role, doctor, title, team, team_name, service, level = row[7:14]
    fee, active, gated, left, of, opens_at = row[14:]
    levels = rules.consult_levels(organization, day=clock.today(now))
    sold = active and fee is not None and not policy.refusal_by_level(channel=channel, level=level, levels=levels)
    if ends_at <= now:
        left, opens_at = 0, None
    stopped = status == Schedule.Status.STOPPED
    state = _state(stopped=stopped, gated=gated, sold=sold, left=left, of=of, opens_at=opens_at)
    return Offer(
        schedule=pk,
        organization=organization,
        day=day,
        half=half,
        starts_at=starts_at,
        ends_at=ends_at,
        role=role,
        doctor=doctor,
        title=title,
        team=team,
        team_name=team_name,
        service=service,
        level=level,
        fee=fee,
        state=state,
        left=left if state.bookable else 0,
        of=of,
        opens_at=opens_at if state.bookable or state in {State.UNRELEASED, State.FULL} else None,
    )


def _state(*, stopped: bool, gated: bool, sold: bool, left: int, of: int, opens_at: datetime | None) -> State:
    if stopped:
        return State.STOPPED
    if gated:
        return State.GATED
    if not sold:
        return State.OFFLINE
    if left:
        return State.FEW if is_few(left, of=of) else State.OPEN
    if of:
        return State.FULL
    return State.UNRELEASED if opens_at else State.OFFLINE
