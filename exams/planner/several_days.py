"""Days that hang together: a gap between two of them is a near thing, so their times are sought at once."""

from .one_day import OUT_OF_REACH, Day, OneDay, next_start
from .tables import DAY_STEPS, Place, Tables, members


class Joint:
    """Depth first over the days in order, each with every first start and every order that the budget allows."""

    def __init__(self, tables: Tables, one_day: OneDay, days: tuple[int, ...], subsets: tuple[int, ...]):
        self.tables = tables
        self.watch = one_day.watch
        self.days = days
        self.subsets = subsets
        floors = [one_day.floor(day, subset) for day, subset in zip(days, subsets, strict=True)]
        self.rest = [sum(floors[place + 1 :]) for place in range(len(days))]
        self.cost: tuple[int, int] | None = None
        self.found: list[Day] | None = None
        self.budget = 0
        self.whole: list[Day] = []
        self.path: list[tuple[int, int, Place]] = []

    def best(self, budget: int | None) -> list[Day] | None:
        self.budget = DAY_STEPS * len(self.days) if budget is None else budget
        self._day(0, 0, (0,) * self.tables.size)
        return self.found

    def _day(self, at: int, spent: int, ready: tuple[int, ...]):
        """`ready` in steps from 00:00 of the first day."""
        if at == len(self.days):
            cost = spent, max(day.end for day in self.whole)
            if self.cost is None or cost < self.cost:
                self.cost, self.found, self.budget = cost, list(self.whole), spent
            return
        day, subset = self.days[at], self.subsets[at]
        zero = day * DAY_STEPS
        local = tuple(max(0, step - zero) for step in ready)
        for j in members(subset):
            if self.tables.wait[j] & subset:
                continue
            for place in self.tables.places[j][day]:
                for start in members(place.starts):
                    if start >= local[j]:
                        self._take(at, spent, j, start, place, subset, local, 0, start)

    def _take(self, at, spent, j, start, place, remaining, ready, exam, first):
        tables = self.tables
        self.watch.look()
        remaining ^= 1 << j
        end = start + place.length
        if spent + end + tables.rest(remaining, place.name) - first + self.rest[at] > self.budget:
            return
        if not tables.stands >> j & 1:
            exam = end
        ready = self.tables.ready(j, start + place.device_to, ready)
        self.path.append((j, start, place))
        if remaining:
            self._go_on(at, spent, remaining, end, place.name, ready, exam, first)
        else:
            self._close(at, spent, end - first, ready, exam)
        self.path.pop()

    def _close(self, at, spent, minutes, ready, exam):
        day = self.days[at]
        path, self.path = self.path, []
        self.whole.append(Day(day, minutes, day * DAY_STEPS + exam if exam else 0, tuple(path)))
        self._day(at + 1, spent + minutes, tuple(day * DAY_STEPS + step for step in ready))
        self.whole.pop()
        self.path = path

    def _go_on(self, at, spent, remaining, now, here, ready, exam, first):
        tables = self.tables
        for k in members(remaining):
            if tables.wait[k] & remaining:
                continue
            for place in tables.places[k][self.days[at]]:
                start = next_start(place.starts, max(ready[k], now + tables.walk.get((here, place.name), 0)))
                if start < OUT_OF_REACH:
                    self._take(at, spent, k, start, place, remaining, ready, exam, first)
