"""Exact search. Three facts carry it:

- with the order, the places and the first start given, taking each next exam as early as it can is best for all that
  the cost counts, so only first starts are tried one by one;
- the earliest end never comes sooner for a later first start, so most first starts need no look;
- a day's fewest minutes for a set of exams depend on no other day, unless a gap between two days is a near thing.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

from .days import Days
from .narrow import Pairs
from .one_by_one import one_by_one
from .one_day import Day, OneDay
from .problem import Plan, Problem
from .several_days import Joint
from .tables import DAY_STEPS, Tables
from .watch import OutOfTime, Watch


class Solver:
    """One question, asked more than once: what was found of a day stays known."""

    def __init__(self, problem: Problem):
        self._tables = tables = Tables(problem)
        pairs = Pairs(tables)
        self._days = Days(tables, pairs)
        self._one_day = OneDay(tables, pairs, Watch(None))

    def best(
        self,
        *,
        without: Iterable[frozenset[int]] = (),
        fewest: int = 1,
        most: int | None = None,
        seconds: float | None = None,
    ) -> Plan | None:
        """The plan of the least cost: (trips, minutes in the house, end of the last exam). None: no plan at all.

        `without`: sets of days that are not wanted again. `fewest` and `most` trips are looked at. After `seconds` it
        ends with the best so far, which is then not proven; None then only says that nothing was found.
        """
        if self._days.hopeless:
            return None
        unwanted = frozenset(without)
        self._one_day.watch = Watch(seconds)
        limit = min(self._tables.size, self._tables.problem.days, most or self._tables.size)
        for trips in range(max(fewest, 1), limit + 1):
            search = _Trips(self._days, self._one_day, trips, unwanted)
            try:
                plan = search.best()
            except OutOfTime:
                return search.so_far() or _fallback(self._tables, unwanted, range(max(fewest, 1), limit + 1))
            if plan:
                return plan
        return None

    def others(self, plan: Plan, *, count: int = 2, seconds: float | None = None) -> list[Plan]:
        """The next best on other days, best first. `seconds` for all of them."""
        watch = Watch(seconds)
        seen = [plan.days]
        found = []
        for _ in range(count):
            other = self.best(without=seen, fewest=plan.trips if plan.proven else 1, seconds=watch.left())
            if other is None:
                break
            found.append(other)
            seen.append(other.days)
        return found


def best(problem: Problem, *, most: int | None = None, seconds: float | None = None) -> Plan | None:
    """As Solver.best, for one who asks once."""
    return Solver(problem).best(most=most, seconds=seconds)


def best_others(problem: Problem, plan: Plan, *, count: int = 2, seconds: float | None = None) -> list[Plan]:
    """As Solver.others, for one who asks once."""
    return Solver(problem).others(plan, count=count, seconds=seconds)


def _fallback(tables: Tables, unwanted: frozenset[frozenset[int]], trips: range) -> Plan | None:
    """Nothing found in time: one by one, in a few orders."""
    few_first = sorted(range(tables.size), key=lambda j: tables.days_of[j].bit_count())
    plans = (one_by_one(tables, order) for order in (few_first, range(tables.size), few_first[::-1]))
    good = [plan for plan in plans if plan and plan.trips in trips and plan.days not in unwanted]
    return min(good, key=lambda plan: plan.cost, default=None)


class _Trips:
    """The best plan with exactly so many trips."""

    def __init__(self, days: Days, one_day: OneDay, trips: int, without: frozenset[frozenset[int]]):
        self.tables = tables = days.tables
        self.agree = days
        self.one_day = one_day
        self.trips = trips
        self.without = without
        self.least = tables.work[tables.all]
        self.minutes = None  # of the best so far, in steps
        self.end = 0
        self.days: list[Day] = []
        self.shares: list[tuple[int, tuple[int, ...], dict[int, int]]] = []

    def best(self) -> Plan | None:
        tables = self.tables
        must = [days for j, days in enumerate(self.agree.of) if tables.stands >> j & 1]
        for chosen in sorted(combinations(range(tables.problem.days), self.trips), key=lambda days: days[::-1]):
            if self.minutes is not None and self.minutes <= self.least and self._later(chosen[-1]):
                break
            mask = sum(1 << day for day in chosen)
            if frozenset(chosen) in self.without or any(not days & mask for days in must):
                continue
            if all(days & mask for days in self.agree.of):
                self.one_day.watch.look()
                self._share_out(chosen)
        return self._plan() if self.minutes is not None else None

    def so_far(self) -> Plan | None:
        return replace(self._plan(), proven=False) if self.minutes is not None else None

    def _later(self, day: int) -> bool:
        """No plan that ends on this day can end before the best so far."""
        return not self.tables.stands and day * DAY_STEPS > self.end

    def _share_out(self, chosen: tuple[int, ...]):
        """Every way to give each exam one of the days, each day at least one; what may be short first."""
        order = sorted(range(self.tables.size), key=lambda j: sum(self.agree.of[j] >> d & 1 for d in chosen))
        self.shares = []
        self._give(order, 0, chosen, [0] * len(chosen), {})
        for _floor, subsets, on in sorted(self.shares, key=lambda share: share[:2]):
            self._weigh(chosen, subsets, on)

    def _give(self, order, at, chosen, subsets, on):
        if at == len(order):
            if all(subsets):
                floor = sum(self.one_day.floor(day, subset) for day, subset in zip(chosen, subsets, strict=True))
                if self.minutes is None or floor <= self.minutes:
                    self.shares.append((floor, tuple(subsets), dict(on)))
            return
        if len(order) - at < sum(not subset for subset in subsets):
            return
        j = order[at]
        for place, day in enumerate(chosen):
            if self.agree.of[j] >> day & 1 and self._agrees(j, day, on):
                subsets[place] |= 1 << j
                on[j] = day
                self._give(order, at + 1, chosen, subsets, on)
                del on[j]
                subsets[place] ^= 1 << j

    def _agrees(self, j: int, day: int, on: dict[int, int]) -> bool:
        """The rules with those that have a day already."""
        beside = self.agree.beside[j, day]
        return all(beside[i] >> other & 1 for i, other in on.items())

    def _weigh(self, chosen: tuple[int, ...], subsets: tuple[int, ...], on: dict[int, int]):
        floors = [self.one_day.floor(day, subset) for day, subset in zip(chosen, subsets, strict=True)]
        budget = self._budget(chosen, subsets)
        if budget is not None and sum(floors) > budget:
            return
        found = []
        for place, (day, subset) in enumerate(zip(chosen, subsets, strict=True)):
            rest = None if budget is None else budget - sum(floors) + floors[place]
            one = self.one_day.best(day, subset, DAY_STEPS if rest is None else min(rest, DAY_STEPS))
            if one is None:
                return
            floors[place] = one.minutes
            found.append(one)
        if self._near(on):
            found = Joint(self.tables, self.one_day, chosen, subsets).best(budget)
        if found:
            self._keep(found)

    def _budget(self, chosen, subsets) -> int | None:
        """Steps that are still worth looking at; a plan that ends later must be shorter."""
        if self.minutes is None:
            return None
        last = max(
            (day for day, subset in zip(chosen, subsets, strict=True) if subset & ~self.tables.stands), default=0
        )
        return self.minutes - (last * DAY_STEPS > self.end)

    def _near(self, on: dict[int, int]) -> bool:
        """A gap between two days hangs on the times of the day."""
        return any(
            on[i] < on[j] and not self.agree.surely_follows(i, on[i], j, on[j])
            for i in on
            for j, _gap in self.tables.later[i]
        )

    def _keep(self, found: list[Day]):
        cost = sum(day.minutes for day in found), max(day.end for day in found)
        if self.minutes is None or cost < (self.minutes, self.end):
            self.minutes, self.end = cost
            self.days = found

    def _plan(self) -> Plan:
        return self.tables.plan((day.day, start, j, place) for day in self.days for j, start, place in day.placed)
