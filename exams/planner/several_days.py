"""Days that hang together: a gap between two of them is a near thing, so their times cannot be sought alone.

Each day's shortest is found as if it were alone. Where a gap then breaks, a moment between the two exams parts all
plans in two: the first is done by then, or the second begins late enough after it. Both are looked at in the same way.
"""

from .narrow import Window
from .one_day import Day, OneDay
from .tables import DAY_STEPS, Tables


class Joint:
    def __init__(self, tables: Tables, one_day: OneDay, days: tuple[int, ...], subsets: tuple[int, ...]):
        self.tables = tables
        self.one_day = one_day
        self.days = list(zip(days, subsets, strict=True))
        self.day_of = {j: day for day, subset in self.days for j in range(tables.size) if subset >> j & 1}
        self.near = [
            (i, j, gap)
            for i in self.day_of
            for j, gap in tables.later[i]
            if j in self.day_of and self.day_of[i] < self.day_of[j]
        ]
        self.cost: tuple[int, int] | None = None
        self.found: list[Day] | None = None

    def best(self, budget: int | None) -> list[Day] | None:
        self._part(DAY_STEPS * len(self.days) if budget is None else budget, {})
        return self.found

    def _part(self, budget: int, windows: dict[int, Window]):
        if self.cost:
            budget = min(budget, self.cost[0])
        found = self._each_alone(budget, windows)
        if found is None:
            return
        cost = sum(day.minutes for day in found), max(day.end for day in found)
        if self.cost is not None and cost >= self.cost:
            return
        broken = self._broken(found)
        if broken is None:
            self.cost, self.found = cost, found
            return
        i, j, moment, gap = broken
        zero_i, zero_j = self.day_of[i] * DAY_STEPS, self.day_of[j] * DAY_STEPS
        later = moment + 1 + gap - self.tables.device_from[j] - zero_j
        _j, first, until = windows.get(j, (j, 0, DAY_STEPS))
        self._part(budget, windows | {j: (j, max(first, later), until)})
        _i, first, until = windows.get(i, (i, 0, DAY_STEPS))
        self._part(budget, windows | {i: (i, first, min(until, moment - zero_i))})

    def _each_alone(self, budget: int, windows: dict[int, Window]) -> list[Day] | None:
        floors = [self.one_day.floor(day, subset) for day, subset in self.days]
        found = []
        for number, (day, subset) in enumerate(self.days):
            rest = budget - sum(floors) + floors[number]
            here = tuple(window for j, window in sorted(windows.items()) if subset >> j & 1)
            one = self.one_day.best(day, subset, min(rest, DAY_STEPS), here)
            if one is None:
                return None
            floors[number] = one.minutes
            found.append(one)
        return found

    def _broken(self, found: list[Day]) -> tuple[int, int, int, int] | None:
        """The gap that is missed by most, and the moment that parts it: halfway back."""
        begins = {j: day.day * DAY_STEPS + start for day in found for j, start, _place in day.placed}
        done = {j: begins[j] + place.device_to for day in found for j, _start, place in day.placed}
        most, broken = 0, None
        for i, j, gap in self.near:
            missing = gap - (begins[j] + self.tables.device_from[j] - done[i])
            if missing > most:
                most, broken = missing, (i, j, done[i] - (missing + 1) // 2, gap)
        return broken
