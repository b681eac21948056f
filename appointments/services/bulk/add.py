"""加号 by the office (B10): numbers after the session's last, above its capacity, within the session's limit.

In the add-on pool they wait for the consult room, whose own 加号 takes them first; in another pool its channels
book them like any number.
"""

from collections.abc import Sequence
from datetime import datetime

from appointments.errors import TeamNumbersStay
from appointments.models import BulkAct, Pool, Schedule, Slot
from appointments.policies import booking as policy
from appointments.selectors import rules
from appointments.selectors.extras import count_extras
from appointments.services import extras
from hospital import clock, outbox
from hospital.models import User

from . import pools
from .effects import Change, Effect, Handler, Line

ADDED = "supply.added"


class AddNumbers(Handler):
    """params: count (of each schedule), pool (id)."""

    def effect(self, schedules: Sequence[Schedule], params: dict, now: datetime) -> Effect:
        pool = _pool(params)
        standing, openings = count_extras(schedules), pools.openings_of(schedules, pool, now=now)
        counts = pools.Counts(schedules)
        lines = [
            self._line(one, pool, params["count"], standing.get(one.pk, 0), counts, openings[one.pk], now=now)
            for one in schedules
        ]
        done = [line.schedule for line in lines if not line.refusal]
        return Effect(lines=tuple(lines), seen=tuple(str(openings[pk].seen(now)) for pk in done))

    def _line(self, schedule, pool, wanted, standing, counts, opening, *, now) -> Line:
        rule = rules.booking_rule_for(schedule, day=clock.today(now))
        refusal = policy.refusal_to_extend(schedule, extras=standing, wanted=wanted, rule=rule, now=now)
        if refusal is None and schedule.gate_team_id and pool.kind != Pool.Kind.EXTRA:
            refusal = TeamNumbersStay()
        refusal = refusal or opening.refusal
        if refusal:
            return Line(schedule.pk, refusal=refusal)
        here = counts.total(schedule, pool)
        return Line(schedule.pk, numbers=wanted, says=((pool.name, here, here + wanted),), note=opening.note(now))

    def apply(
        self, act: BulkAct, schedules: Sequence[Schedule], effect: Effect, by: User, now: datetime
    ) -> list[Change]:
        pool = _pool(act.params)
        opened = pools.open_pools(pools.openings_of(schedules, pool, now=now).values(), now=now)
        slots = extras.next_numbers(schedules, pool=pool, count=act.params["count"], now=now)
        added = {"count": act.params["count"], "act": act.pk}  # who waits for a number hears of it
        facts = [(f"schedule:{one.pk}", {"schedule": one.pk, **added}) for one in schedules]
        outbox.publish_many(topic=ADDED, facts=facts, now=now)
        taken_back, stands = {"status": Slot.Status.BLOCKED}, {"status": Slot.Status.FREE, "pool_id": pool.pk}
        return [*opened, *(Change("slot", slot.pk, taken_back, stands) for slot in slots)]


def _pool(params: dict) -> Pool:
    return Pool.objects.select_related("organization").get(pk=params["pool"])
