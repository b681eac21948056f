"""What a day's free times and a limit to the stay already settle: who must go before whom, and when each can begin."""

from dataclasses import dataclass, replace

from .tables import DAY_STEPS, Place, Tables, first_step, last_step, members, same_day

OUT_OF_REACH = DAY_STEPS + 1


Window = tuple[int, int, int]
"""Exam, the patient begins not before, the device is done by: steps of the day."""

Windows = tuple[Window, ...]


@dataclass(frozen=True)
class Limits:
    """What is asked of a day besides its own rules: these two in this order, and some exams within windows."""

    order: tuple[int, int] | None = None
    windows: Windows = ()


@dataclass(frozen=True)
class Narrow:
    """`before[j]`: who must be done before j. `behind[i]`: who must follow i, with the fewest steps from the begin of i
    to the end of that one."""

    places: dict[int, list[Place]]
    before: dict[int, int]
    behind: dict[int, list[tuple[int, int]]]


class Pairs:
    """For each day the fewest steps from the begin of one exam to the begin of another after it."""

    def __init__(self, tables: Tables):
        self.tables = tables
        self._days: dict[int, list[list[int]]] = {}

    def on(self, day: int) -> list[list[int]]:
        known = self._days.get(day)
        if known is None:
            every = range(self.tables.size)
            known = self._days[day] = [[self._apart(day, i, j) if i != j else 0 for j in every] for i in every]
        return known

    def _apart(self, day: int, i: int, j: int) -> int:
        tables = self.tables
        gap = tables.gap[i][j]
        if not same_day(gap):
            return OUT_OF_REACH
        least = OUT_OF_REACH
        for one in tables.places[i][day]:
            for other in tables.places[j][day]:
                apart = one.length + tables.shortest_walk(one.name, other.name)
                apart = max(apart, one.device_to + gap[0] - tables.device_from[j])
                last = min(least - 1, last_step(other.starts) - first_step(one.starts))
                while apart <= last and not one.starts << apart & other.starts:
                    apart += 1
                if apart <= last:
                    least = apart
        return least

    def floor(self, day: int, subset: int) -> int:
        """No two of them take less, in whichever order."""
        apart, length = self.on(day), self.tables.length
        chosen = members(subset)
        return max(
            (min(apart[i][j] + length[j], apart[j][i] + length[i]) for i in chosen for j in chosen if i < j), default=0
        )

    def far_apart(self, day: int, subset: int, budget: int) -> tuple[int, int] | None:
        """Two of them that may go in either order, but far from each other: the one decision that settles most."""
        apart, length = self.on(day), self.tables.length
        chosen = members(subset)
        most, pair = self.tables.rest(subset, ""), None
        for i in chosen:
            for j in chosen:
                least = min(apart[i][j] + length[j], apart[j][i] + length[i])
                if i < j and least > most and max(apart[i][j] + length[j], apart[j][i] + length[i]) <= budget:
                    most, pair = least, (i, j)
        return pair

    def narrow(self, day: int, subset: int, budget: int, limits: Limits) -> Narrow | None:
        """All of these within so many steps. None: that cannot be."""
        chosen = members(subset)
        apart = self._forced(day, chosen, budget, limits.order)
        if apart is None:
            return None
        places = {j: self.tables.places[j][day] for j in chosen}
        for j, first, until in limits.windows:
            places[j] = [left for each in places[j] for left in _between([each], first, until - each.device_to)]
        places = self._within_reach(places, budget, apart)
        if places is None:
            return None
        length = self.tables.length
        return Narrow(
            places=places,
            before={j: sum(1 << i for i in chosen if (i, j) in apart) for j in chosen},
            behind={i: [(1 << j, apart[i, j] + length[j]) for j in chosen if (i, j) in apart] for i in chosen},
        )

    def _forced(self, day, chosen: list[int], budget, order) -> dict[tuple[int, int], int] | None:
        """Pairs with one order left, with the steps between their begins, also by way of others."""
        length = self.tables.length
        table = self.on(day)
        apart: dict[tuple[int, int], int] = {}
        for i in chosen:
            for j in chosen:
                if i != j and (table[j][i] + length[i] > budget or (i, j) == order):
                    if table[i][j] + length[j] > budget:
                        return None
                    apart[i, j] = table[i][j]
        for k in chosen:
            into = [(i, steps) for (i, j), steps in apart.items() if j == k]
            out = [(j, steps) for (i, j), steps in apart.items() if i == k]
            for i, first in into:
                for j, then in out:
                    if i == j or first + then + length[j] > budget:
                        return None
                    if first + then > apart.get((i, j), 0):
                        apart[i, j] = first + then
        return apart

    def _within_reach(self, places, budget, apart) -> dict[int, list[Place]] | None:
        """Each exam's starts without those from which another is out of reach."""
        length = self.tables.length
        changed = True
        while changed:
            if not all(places.values()):
                return None
            changed = False
            first = {j: min(first_step(place.starts) for place in places[j]) for j in places}
            last = {j: max(last_step(place.starts) for place in places[j]) for j in places}
            low = max(first[j] + length[j] for j in places) - budget
            high = min(last.values()) + budget
            for j in places:
                after = max([low, *(first[i] + steps for (i, k), steps in apart.items() if k == j)])
                until = min([high - length[j], *(last[k] - steps for (i, k), steps in apart.items() if i == j)])
                if after > first[j] or until < last[j]:
                    places[j] = list(_between(places[j], after, until))
                    changed = True
        return places


def _between(places: list[Place], first: int, last: int):
    mask = (1 << last + 1) - (1 << max(first, 0)) if max(first, 0) <= last else 0
    for place in places:
        if starts := place.starts & mask:
            yield place if starts == place.starts else replace(place, starts=starts)
