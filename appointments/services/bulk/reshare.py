"""按新规则重分: the free numbers of schedules that were laid out before a supply rule changed, shared out by it now.

Only free numbers move: what somebody has, holds or gave back just now stays in its pool and counts there. A pool that
has not opened opens when the rule says; one whose rest is not recalled yet is recalled when the rule says. What would
go to a pool whose recall has passed goes to the public at once. No rest is shared before the public pool opens.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from appointments.errors import SharedAsRuled
from appointments.models import Allotment, BulkAct, Pool, Schedule, Slot
from appointments.services import shares
from appointments.services.allocation import Allocation, Opening
from hospital.models import User

from . import pools
from .effects import Change, Effect, Handler, Line, plain
from .moments import WAITED_FOR
from .pools import Number


@dataclass(frozen=True)
class Timing:
    """A standing allotment and what the rule says of it now."""

    row: Allotment
    opens_at: datetime
    shared_from: datetime | None

    @property
    def fields(self) -> list[str]:
        return [name for name in ("opens_at", "shared_from") if getattr(self.row, name) != getattr(self, name)]


@dataclass(frozen=True)
class Plan:
    """Of one schedule: numbers with their new pool, openings to be made, moments to be rewritten."""

    moves: tuple[tuple[Number, int], ...]
    made: tuple[Opening, ...]
    timings: tuple[Timing, ...]
    before: Counter
    after: Counter


class Plans:
    """The plans of some schedules of one house. Four queries and the rules'."""

    def __init__(self, schedules: Sequence[Schedule], *, now: datetime):
        self.now = now
        self.allocation = Allocation(schedules[0].organization)
        self.public = self.allocation.pools[Pool.Kind.PUBLIC]
        pks = [schedule.pk for schedule in schedules]
        slots = Slot.objects.filter(schedule__in=pks).exclude(status=Slot.Status.BLOCKED).order_by("number")
        self.slots: dict[int, list[Number]] = defaultdict(list)
        for slot in Number.read(slots):
            self.slots[slot.schedule_id].append(slot)
        self.rows: dict[int, dict[int, Allotment]] = defaultdict(dict)
        for row in Allotment.objects.filter(schedule__in=pks).order_by("pk"):
            self.rows[row.schedule_id][row.pool_id] = row
        apart = [Pool.Kind.EXTRA, *pools.KEPT_APART]
        self.apart = set(Pool.objects.filter(kind__in=apart).values_list("pk", flat=True))

    def of(self, schedule: Schedule) -> Plan:
        openings = {one.pool: one for one in self.allocation.openings(schedule)}
        rows = self.rows[schedule.pk]
        gone = {pool for pool, one in openings.items() if self._is_shared(one, rows.get(pool))}
        wanted = [self.public if pool in gone else pool for pool in self.allocation.pools_by_number(schedule)]
        numbers = [
            slot
            for slot in self.slots[schedule.pk]
            if slot.number <= schedule.capacity and slot.pool_id not in self.apart
        ]
        moves = _moves(numbers, wanted)
        before = Counter(slot.pool_id for slot in numbers)
        after = before + Counter(pool for _slot, pool in moves) - Counter(slot.pool_id for slot, _pool in moves)
        needed = {pool for _slot, pool in moves if pool not in rows}
        made = tuple(one for pool, one in openings.items() if pool in needed)
        return Plan(tuple(moves), made, tuple(self._timings(openings, rows)), before, after)

    def _is_shared(self, opening: Opening, row: Allotment | None) -> bool:
        """What is put there now would be the public's already."""
        moments = [opening.shared_from, row.shared_from if row else None]
        return any(moment is not None and moment <= self.now for moment in moments)

    def _timings(self, openings: dict[int, Opening], rows: dict[int, Allotment]):
        public = rows.get(self.public)
        opens = self._opens(public, openings.get(self.public)) if public else self.now
        for pool, row in rows.items():
            opening = None if pool in self.apart else openings.get(pool)
            timing = Timing(row, self._opens(row, opening), self._shared(row, opening, opens))
            if timing.fields:
                yield timing

    def _opens(self, row: Allotment, opening: Opening | None) -> datetime:
        opened = row.opened_at is not None or row.opens_at <= self.now
        return row.opens_at if opened or opening is None else opening.opens_at

    def _shared(self, row: Allotment, opening: Opening | None, public: datetime) -> datetime | None:
        """By the rule, but never before the public pool opens: not of pools either that the rule knows nothing of."""
        if row.moved_at is not None or (row.shared_from is not None and row.shared_from <= self.now):
            return row.shared_from
        keep = opening is None or (opening.shared_from is not None and opening.shared_from <= self.now)
        shared_from = row.shared_from if keep else opening.shared_from
        return shared_from and max(shared_from, public)


def _moves(numbers: list[Number], wanted: list[int]) -> list[tuple[Number, int]]:
    """Free numbers that change their pool, as few as possible: each pool comes as near its share as taken ones let it.

    Numbers keep their pool where the rule's pattern has them there, then where the pool still needs some.
    """
    free = [slot for slot in numbers if slot.status == Slot.Status.FREE]
    taken = Counter(slot.pool_id for slot in numbers if slot.status != Slot.Status.FREE)
    lacking = {pool: count - taken[pool] for pool, count in Counter(wanted).items() if count > taken[pool]}
    if not free or not lacking:
        return []
    needs = Counter(shares.divide(len(free), lacking))
    left = []
    for at_home in (True, False):
        for slot in free if at_home else list(left):
            if needs[slot.pool_id] and (not at_home or wanted[slot.number - 1] == slot.pool_id):
                needs[slot.pool_id] -= 1
                if not at_home:
                    left.remove(slot)
            elif at_home:
                left.append(slot)
    moves = []
    for slot in left:
        own = wanted[slot.number - 1]
        pool = own if needs[own] else next(pool for pool, count in needs.items() if count)
        needs[pool] -= 1
        moves.append((slot, pool))
    return moves


class Reshare(Handler):
    """params: rule (id of the supply rule that it is done for; the trail's matter, each day's own rule holds)."""

    def effect(self, schedules: Sequence[Schedule], params: dict, now: datetime) -> Effect:
        if not schedules:
            return Effect(lines=())
        plans = Plans(schedules, now=now)
        refusals = {one.pk: pools.refusal_to_change(one, now=now) for one in schedules}
        each = {one.pk: plans.of(one) for one in schedules if refusals[one.pk] is None}  # makes the pools it needs
        names = dict(Pool.objects.filter(organization=schedules[0].organization).values_list("pk", "name"))
        words, lines, seen = _Words(names), [], []
        for schedule in schedules:
            refusal = refusals[schedule.pk]
            line, more = (Line(schedule.pk, refusal=refusal), []) if refusal else _line(schedule, each, words)
            lines.append(line)
            seen.append(more)
        return Effect(lines=tuple(lines), seen=tuple(seen), plan=(plans.public, each))

    def apply(
        self, act: BulkAct, schedules: Sequence[Schedule], effect: Effect, by: User, now: datetime
    ) -> list[Change]:
        public, plans = effect.plan
        kinds = dict(Pool.objects.filter(organization=schedules[0].organization).values_list("pk", "kind"))
        changes: list[Change] = []
        moves: list[tuple[Number, int]] = []
        made: list[Allotment] = []
        timings: list[Timing] = []
        for schedule in schedules:
            plan = plans[schedule.pk]
            made += [pools.allotment(schedule, one.pool, one.opens_at, one.shared_from, now=now) for one in plan.made]
            timings += plan.timings
            moves += plan.moves
        changes += _retimed(timings)
        Allotment.objects.bulk_create(made)
        changes += [Change("allotment", row.pk, {}, {}) for row in made]
        changes += pools.move(moves)
        pools.tell_shared(act, [slot for slot, pool in moves if pool == public], kinds, now=now)
        return changes


class _Words:
    """How pools and their moments are called: asked once, not for every schedule."""

    def __init__(self, names: dict[int, str]):
        self.names, self.never = names, _("不回收")
        self.of = {
            "opens_at": {pool: _("%(pool)s开放") % {"pool": name} for pool, name in names.items()},
            "shared_from": {pool: _("%(pool)s回收") % {"pool": name} for pool, name in names.items()},
        }

    def moments(self, timing: Timing):
        for name in timing.fields:
            before, after = getattr(timing.row, name), getattr(timing, name)
            said = [pools.said(moment) if moment else self.never for moment in (before, after)]
            yield (self.of[name].get(timing.row.pool_id, ""), *said)


def _line(schedule: Schedule, plans: dict[int, Plan], words: _Words) -> tuple[Line, list]:
    plan = plans[schedule.pk]
    if not plan.moves and not plan.timings:
        return Line(schedule.pk, refusal=SharedAsRuled()), []
    counts = [
        (words.names.get(pool, ""), plan.before[pool], plan.after[pool])
        for pool in sorted({*plan.before, *plan.after})
        if plan.before[pool] != plan.after[pool]
    ]
    times = [each for timing in plan.timings for each in words.moments(timing)]
    moved = [[slot.pk, pool] for slot, pool in plan.moves]
    return Line(schedule.pk, numbers=len(plan.moves), says=(*counts, *times)), moved


def _retimed(timings: Sequence[Timing]) -> list[Change]:
    """One statement for all that get the same moments: schedules of a day do."""
    alike: dict[tuple, list[int]] = defaultdict(list)
    changes = []
    for timing in timings:
        fields = timing.fields
        before = {name: plain(getattr(timing.row, name)) for name in fields}
        after = {name: plain(getattr(timing, name)) for name in fields} | {WAITED_FOR[name]: None for name in fields}
        changes.append(Change("allotment", timing.row.pk, before, after))
        alike[tuple((name, getattr(timing, name)) for name in fields)].append(timing.row.pk)
    for moments, pks in alike.items():
        Allotment.objects.filter(pk__in=pks).update(**dict(moments))
    return changes
