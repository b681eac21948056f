"""暂缓放号 and 追加放号: may the moments of a schedule's pools be moved there, and what moves with them.

The order that holds always: a pool opens before its rest is shared, and nothing is shared before the public pool is
open (what the recall moves into a closed pool could be booked by nobody). Nothing that is open is taken back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appointments.errors import (
    MomentPassed,
    NothingToBringForward,
    NotLater,
    OpenAlready,
    PublicStillClosed,
    RecalledBefore,
    SharedAlready,
    StillClosed,
    TeamNumbersStay,
    VisitBegins,
)
from appointments.models import Allotment, Pool, Schedule
from hospital import clock
from hospital.errors import Refused

LEAD = timedelta(minutes=1)
"""So long before a moment it stands as it is: whoever confirms now must not cross a booking made on time."""


@dataclass(frozen=True)
class Shift:
    """One allotment whose moment changes: `field` is opens_at or shared_from."""

    allotment: Allotment
    field: str
    to: datetime


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(clock.ZONE):%m-%d %H:%M}"


def _refusal_to_moment(schedule: Schedule, moment: datetime, *, now: datetime) -> Refused | None:
    if moment <= now + LEAD:
        return MomentPassed(at=_said(moment))
    if moment >= schedule.starts_at:
        return VisitBegins(at=_said(schedule.starts_at))
    return None


def hold(
    schedule: Schedule, rows: Sequence[Allotment], *, chosen: Sequence[Allotment], moment: datetime, now: datetime
) -> list[Shift]:
    """`chosen` open at `moment` instead. With the public pool held, what would be shared before is shared with it.

    Raises the refusal that speaks for the schedule.
    """
    if refusal := _refusal_to_moment(schedule, moment, now=now):
        raise refusal
    shifts = [_later(row, moment, now=now) for row in chosen]
    if any(row.pool.kind == Pool.Kind.PUBLIC for row in chosen):
        mine = {row.pk for row in chosen}
        shifts += _recalls_with_it([row for row in rows if row.pk not in mine], moment, now=now)
    return shifts


def _later(row: Allotment, moment: datetime, *, now: datetime) -> Shift:
    if row.opened_at or row.opens_at <= now + LEAD:
        raise OpenAlready(pool=row.pool.name, at=_said(row.opens_at))
    if moment <= row.opens_at:
        raise NotLater(pool=row.pool.name, at=_said(row.opens_at))
    if row.shared_from and moment >= row.shared_from:
        raise RecalledBefore(pool=row.pool.name, at=_said(row.shared_from))
    return Shift(row, "opens_at", moment)


def _recalls_with_it(rows: Sequence[Allotment], moment: datetime, *, now: datetime) -> list[Shift]:
    """Shared with the public before it would be open: wait for it. What was shared stays with the public."""
    early = [row for row in rows if row.shared_from and row.shared_from < moment]
    for row in early:
        if row.moved_at or row.shared_from <= now + LEAD:
            raise SharedAlready(pool=row.pool.name, at=_said(row.shared_from))
    return [Shift(row, "shared_from", moment) for row in early]


def bring_forward(
    schedule: Schedule, rows: Sequence[Allotment], *, kinds: Sequence[str], moment: datetime, now: datetime
) -> list[Shift]:
    """The rest of pools of these kinds is everybody's from `moment` on, which is earlier than planned.

    Raises the refusal that speaks for the schedule.
    """
    if refusal := _refusal_to_moment(schedule, moment, now=now):
        raise refusal
    public = next((row for row in rows if row.pool.kind == Pool.Kind.PUBLIC), None)
    too = Pool.Kind.PUBLIC in kinds
    if public is None:
        raise TeamNumbersStay() if schedule.gate_team_id else NothingToBringForward(at=_said(moment))
    if public.opens_at > moment and not too:
        raise PublicStillClosed(at=_said(public.opens_at))
    shifts = [Shift(public, "opens_at", moment)] if too and public.opens_at > moment else []
    others = [row for row in rows if row.pool.kind in kinds and row.pool.kind != Pool.Kind.PUBLIC]
    shifts += [shift for row in others if (shift := _sooner(row, moment))]
    if not shifts:
        raise NothingToBringForward(at=_said(moment))
    return shifts


def _sooner(row: Allotment, moment: datetime) -> Shift | None:
    if row.moved_at or (row.shared_from and row.shared_from <= moment):
        return None
    if row.opens_at >= moment:
        raise StillClosed(pool=row.pool.name, at=_said(row.opens_at))
    return Shift(row, "shared_from", moment)
