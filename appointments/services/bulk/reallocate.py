"""调整号池 (P1): free numbers of one pool into another, so many of each schedule, or all that are free."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from appointments.errors import NoFreeNumbers
from appointments.models import BulkAct, Pool, Schedule, Slot
from hospital.models import User

from . import pools
from .effects import Change, Effect, Handler, Line
from .pools import Number

LATE = (Pool.Kind.COUNTER, Pool.Kind.SPECIAL)
"""The on-site floor lies in the last third of a session: these pools get the last numbers, all others the first."""


class Reallocate(Handler):
    """params: source, target (pool ids), count (of each schedule; None: all that are free)."""

    def effect(self, schedules: Sequence[Schedule], params: dict, now: datetime) -> Effect:
        source, target = _pools(params)
        counts, openings = pools.Counts(schedules), pools.openings_of(schedules, target, now=now)
        lines = [
            self._line(one, source, target, params["count"], counts, openings[one.pk], now=now) for one in schedules
        ]
        done = [line.schedule for line in lines if not line.refusal]
        return Effect(lines=tuple(lines), seen=tuple(str(openings[pk].seen(now)) for pk in done))

    def _line(self, schedule, source, target, wanted, counts, opening, *, now) -> Line:
        free = counts.untaken(schedule, source, Slot.Status.FREE)
        refusal = pools.refusal_to_change(schedule, now=now) or opening.refusal
        if refusal is None and not free:
            refusal = NoFreeNumbers(pool=source.name)
        if refusal:
            return Line(schedule.pk, refusal=refusal)
        moving = free if wanted is None else min(free, wanted)
        note = opening.note(now)
        if wanted is not None and moving < wanted:
            short = _("只有%(count)s个空号") % {"count": moving}
            note = _("，").join(filter(None, [short, note]))
        here, there = counts.total(schedule, source), counts.total(schedule, target)
        says = ((source.name, here, here - moving), (target.name, there, there + moving))
        return Line(schedule.pk, numbers=moving, says=says, note=note)

    def apply(
        self, act: BulkAct, schedules: Sequence[Schedule], effect: Effect, by: User, now: datetime
    ) -> list[Change]:
        source, target = _pools(act.params)
        opened = pools.open_pools(pools.openings_of(schedules, target, now=now).values(), now=now)
        slots = _chosen(schedules, source, late=target.kind in LATE, count=act.params["count"])
        changes = pools.move([(slot, target.pk) for slot in slots])
        if target.kind == Pool.Kind.PUBLIC:
            pools.tell_shared(act, slots, {source.pk: source.kind}, now=now)
        return [*opened, *changes]


def _pools(params: dict) -> tuple[Pool, Pool]:
    pools = Pool.objects.select_related("organization").in_bulk([params["source"], params["target"]])
    return pools[params["source"]], pools[params["target"]]


def _chosen(schedules: Sequence[Schedule], source: Pool, *, late: bool, count: int | None) -> list[Number]:
    rows = Slot.objects.filter(schedule__in=schedules, pool=source, status=Slot.Status.FREE)
    chosen: dict[int, list[Number]] = defaultdict(list)
    for slot in Number.read(rows.order_by("schedule_id", "-number" if late else "number")):
        if count is None or len(chosen[slot.schedule_id]) < count:
            chosen[slot.schedule_id].append(slot)
    return [slot for each in chosen.values() for slot in each]
