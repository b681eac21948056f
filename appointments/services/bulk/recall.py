"""回收到公共 (P6): what is left of some pools becomes everybody's now, before its planned moment."""

from collections.abc import Sequence
from datetime import datetime

from appointments.errors import NothingLeft
from appointments.models import BulkAct, Pool, Schedule, Slot
from hospital.models import User

from . import pools
from .effects import Change, Effect, Handler, Line


class Recall(Handler):
    """params: pools (ids of those that give up their rest). Numbers that rest keep their clock."""

    def effect(self, schedules: Sequence[Schedule], params: dict, now: datetime) -> Effect:
        sources, public = _pools(params)
        counts, openings = pools.Counts(schedules), pools.openings_of(schedules, public, now=now)
        lines = [self._line(one, sources, public, counts, openings[one.pk], now=now) for one in schedules]
        done = [line.schedule for line in lines if not line.refusal]
        return Effect(lines=tuple(lines), seen=tuple(str(openings[pk].seen(now)) for pk in done))

    def _line(self, schedule, sources, public, counts, opening, *, now) -> Line:
        left = [(pool, counts.untaken(schedule, pool)) for pool in sources]
        moving = sum(count for _pool, count in left)
        refusal = pools.refusal_to_change(schedule, now=now) or opening.refusal
        if refusal is None and not moving:
            refusal = NothingLeft()
        if refusal:
            return Line(schedule.pk, refusal=refusal)
        says = [(pool.name, counts.total(schedule, pool), counts.total(schedule, pool) - count) for pool, count in left]
        there = counts.total(schedule, public)
        return Line(
            schedule.pk, numbers=moving, says=(*says, (public.name, there, there + moving)), note=opening.note(now)
        )

    def apply(
        self, act: BulkAct, schedules: Sequence[Schedule], effect: Effect, by: User, now: datetime
    ) -> list[Change]:
        sources, public = _pools(act.params)
        opened = pools.open_pools(pools.openings_of(schedules, public, now=now).values(), now=now)
        rows = Slot.objects.filter(schedule__in=schedules, pool__in=sources, status__in=pools.UNTAKEN)
        slots = pools.Number.read(rows.order_by("pk"))
        changes = pools.move([(slot, public.pk) for slot in slots])
        pools.tell_shared(act, slots, {pool.pk: pool.kind for pool in sources}, now=now)
        return [*opened, *changes]


def _pools(params: dict) -> tuple[list[Pool], Pool]:
    sources = list(Pool.objects.filter(pk__in=params["pools"]).order_by("pk"))
    public = Pool.objects.select_related("organization").get(
        organization=sources[0].organization_id, kind=Pool.Kind.PUBLIC, partner=None
    )
    return sources, public
