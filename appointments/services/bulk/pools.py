"""What the kinds that move numbers share: how many there are, when the target pool opens, and the move itself."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from appointments.errors import RecallUnderWay, SessionOver, Stopped, TeamNumbersStay
from appointments.models import Allotment, BulkAct, Pool, Schedule, Slot, SupplyShare
from appointments.services.allocation import Allocation
from appointments.services.supply import SHARED
from hospital import clock, outbox
from hospital.errors import Refused

from .effects import Change, plain

UNTAKEN = (Slot.Status.FREE, Slot.Status.RESTING)
"""What a recall moves: a returned number that rests keeps its clock."""

KEPT_APART = (Pool.Kind.TEAM, Pool.Kind.REBOOK)
"""Pools that the office moves nothing into or out of: a leading expert's, and what is kept for a stop's patients."""


MOVE = """
UPDATE appointments_slot s SET pool_id = v.pool
  FROM unnest(%s::bigint[], %s::bigint[]) AS v (id, pool) WHERE s.id = v.id
"""


class Counts:
    """Numbers of some schedules by pool, in one query; blocked ones are none."""

    def __init__(self, schedules: Sequence[Schedule]):
        rows = Slot.objects.filter(schedule__in=schedules).exclude(status=Slot.Status.BLOCKED).order_by()
        counted = rows.values_list("schedule_id", "pool_id", "status").annotate(count=Count("id"))
        self._all: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
        for schedule, pool, status, count in counted:
            self._all[schedule, pool][status] = count

    def total(self, schedule: Schedule, pool: Pool) -> int:
        return sum(self._all.get((schedule.pk, pool.pk), {}).values())

    def untaken(self, schedule: Schedule, pool: Pool, *statuses: str) -> int:
        return sum(self._all.get((schedule.pk, pool.pk), {}).get(status, 0) for status in statuses or UNTAKEN)


def refusal_to_change(schedule: Schedule, *, now: datetime) -> Refused | None:
    """Numbers of a schedule that is stopped, over, or a leading expert's stay where they are."""
    if schedule.status == Schedule.Status.STOPPED:
        return Stopped()
    if schedule.ends_at <= now:
        return SessionOver()
    return TeamNumbersStay() if schedule.gate_team_id else None


@dataclass(frozen=True)
class Opening:
    """The target pool's opening in one schedule: as it stands (`row`), to be made, or to be armed anew."""

    schedule: Schedule
    pool: Pool
    row: Allotment | None
    opens_at: datetime
    shared_from: datetime | None
    rearmed: bool = False
    refusal: Refused | None = None

    def seen(self, now: datetime) -> list:
        """For the digest; "now" moves on between preview and confirmation."""
        return [self.schedule.pk, plain(self.opens_at) if self.opens_at > now else "open", plain(self.shared_from)]

    def note(self, now: datetime) -> str:
        told = []
        if self.opens_at > now:
            told.append(_("%(pool)s号 %(at)s 开放") % {"pool": self.pool.name, "at": said(self.opens_at)})
        if self.shared_from and self.shared_from > now:
            told.append(_("余号 %(at)s 回收到公共") % {"at": said(self.shared_from)})
        return _("，").join(told)


def said(moment: datetime) -> str:
    """11-25 07:00, at the hospital."""
    return f"{moment.astimezone(clock.ZONE):%m-%d %H:%M}"


def openings_of(schedules: Sequence[Schedule], pool: Pool, *, now: datetime) -> dict[int, Opening]:
    """Schedule → when `pool` opens there. Where it has none: by the supply rule; without a share there, at once.

    A pool whose rest was given to the public already is armed anew, until the session starts: what is moved there
    now is meant to be kept.
    """
    rows = {row.schedule_id: row for row in Allotment.objects.filter(schedule__in=schedules, pool=pool)}
    allocation = Allocation(pool.organization)
    return {one.pk: _opening(one, pool, rows.get(one.pk), allocation, now=now) for one in schedules}


def _opening(schedule: Schedule, pool: Pool, row: Allotment | None, allocation: Allocation, *, now: datetime):
    if row is None:
        opens_at, shared_from = _by_rule(schedule, pool, allocation, now=now)
        return Opening(schedule, pool, None, opens_at, shared_from)
    if row.shared_from is None or row.shared_from > now:
        return Opening(schedule, pool, row, row.opens_at, row.shared_from)
    if row.moved_at is None:
        return Opening(schedule, pool, row, row.opens_at, row.shared_from, refusal=RecallUnderWay(pool=pool.name))
    return Opening(schedule, pool, row, row.opens_at, _at_start(schedule, now=now), rearmed=True)


def _by_rule(schedule: Schedule, pool: Pool, allocation: Allocation, *, now: datetime):
    if pool.kind == Pool.Kind.EXTRA:
        return now, None
    _rule, shares = allocation.shares_of(schedule)
    share = next((one for one in shares if _is_of(one, pool)), None)
    if pool.kind == Pool.Kind.PUBLIC:
        return (_opens(share, schedule) if share else now), None
    start = _at_start(schedule, now=now)
    if share is None:
        return now, start
    shared_from = start
    if share.shared_days is not None:
        shared_from = clock.days_before(schedule.day, share.shared_days, share.shared_time)
    return _opens(share, schedule), shared_from if shared_from and shared_from > now else start


def _is_of(share: SupplyShare, pool: Pool) -> bool:
    return (share.kind, share.partner_id, share.group_id) == (pool.kind, pool.partner_id, pool.group_id)


def _opens(share: SupplyShare, schedule: Schedule) -> datetime:
    return clock.days_before(schedule.day, share.opens_days, share.opens_time)


def _at_start(schedule: Schedule, *, now: datetime) -> datetime | None:
    """The rest is everybody's when the session starts; once it runs, what is moved stays to its end."""
    return schedule.starts_at if schedule.starts_at > now else None


def open_pools(openings: Iterable[Opening], *, now: datetime) -> list[Change]:
    """Make or arm the allotments that the numbers moved need."""
    changes, made = [], []
    for one in openings:
        if one.row is None:
            made.append(allotment(one.schedule, one.pool.pk, one.opens_at, one.shared_from, now=now))
        elif one.rearmed:
            before = {name: plain(getattr(one.row, name)) for name in ("shared_from", "moved_at")}
            one.row.shared_from, one.row.moved_at = one.shared_from, None
            one.row.save(update_fields=["shared_from", "moved_at"])
            after = {"shared_from": plain(one.shared_from), "moved_at": None}
            changes.append(Change("allotment", one.row.pk, before, after))
    Allotment.objects.bulk_create(made)
    return [*changes, *(Change("allotment", row.pk, {}, {}) for row in made)]


def allotment(
    schedule: Schedule, pool: int, opens_at: datetime, shared_from: datetime | None, *, now: datetime
) -> Allotment:
    """Not saved. What is open from the first moment on needs no release."""
    return Allotment(
        schedule=schedule,
        pool_id=pool,
        department_id=schedule.department_id,
        day=schedule.day,
        opens_at=opens_at,
        shared_from=shared_from,
        opened_at=now if opens_at <= now else None,
    )


class Number(NamedTuple):
    """A number as these acts need it: a house's thousands of them are read without a model's weight."""

    pk: int
    schedule_id: int
    number: int
    pool_id: int
    status: str

    @classmethod
    def read(cls, rows: QuerySet[Slot]) -> list["Number"]:
        return [cls._make(row) for row in rows.values_list(*cls._fields)]


def move(moves: Sequence[tuple[Number, int]]) -> list[Change]:
    """Each number into its pool. No index holds the pool: a move is a heap-only update."""
    if moves:
        with connection.cursor() as cursor:
            cursor.execute(MOVE, [[number.pk for number, _pool in moves], [pool for _number, pool in moves]])
    return [
        Change("slot", number.pk, {"pool_id": number.pool_id}, {"pool_id": pool, "status": number.status})
        for number, pool in moves
    ]


def tell_shared(act: BulkAct, slots: Sequence[Number], kinds: dict[int, str], *, now: datetime) -> None:
    """One fact per schedule, as the recall job leaves it: who waits for a number hears of these, too."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    numbers: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for slot in slots:
        counts[slot.schedule_id][kinds[slot.pool_id]] += 1
        numbers[slot.schedule_id][slot.pool_id] += 1
    facts = [
        (f"schedule:{pk}", {"schedule": pk, "pools": dict(pools), "numbers": dict(numbers[pk]), "act": act.pk})
        for pk, pools in sorted(counts.items())
    ]
    if facts:
        outbox.publish_many(topic=SHARED, facts=facts, now=now)
