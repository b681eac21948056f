"""The shortest stay of one day for a given set of exams."""

from dataclasses import dataclass

from .tables import DAY_STEPS, NEVER, Place, Tables, members
from .watch import Watch

OUT_OF_REACH = DAY_STEPS + 1


@dataclass(frozen=True)
class Day:
    """`minutes` in steps; `end` of the last exam that does not stand already, in steps from 00:00 of the first day."""

    day: int
    minutes: int
    end: int
    placed: tuple[tuple[int, int, Place], ...]  # (task, the patient's begin as a step of the day, place)


class OneDay:
    def __init__(self, tables: Tables, watch: Watch):
        self.tables = tables
        self.watch = watch
        self._known: dict[tuple[int, int], Day] = {}
        self._floors: dict[tuple[int, int], int] = {}  # nothing shorter than this
        self._base: dict[int, int] = {}

    def floor(self, day: int, subset: int) -> int:
        """At least so many steps: the exact figure where it is known."""
        known = self._known.get((day, subset))
        if known:
            return known.minutes
        floor = self._floors.get((day, subset))
        if floor is None:
            floor = self._base.get(subset)
            if floor is None:
                floor = self._base[subset] = self.tables.floor(subset)
        return floor

    def best(self, day: int, subset: int, budget: int) -> Day | None:
        """Fewest steps, then the earliest end. None if that takes more than the budget."""
        known = self._known.get((day, subset))
        if known:
            return known if known.minutes <= budget else None
        if self.floor(day, subset) > budget:
            return None
        found = _Search(self.tables, self.watch, day, subset).best(budget, self.floor(day, subset))
        if found:
            self._known[day, subset] = found
        else:
            self._floors[day, subset] = budget + 1
        return found

    def can_follow(self, i: int, day_i: int, j: int, day_j: int) -> bool:
        """With i as early and j as late as their days allow."""
        return self._room(i, day_i, j, day_j, min, max) >= self.tables.gap[i][j][0]

    def surely_follows(self, i: int, day_i: int, j: int, day_j: int) -> bool:
        gap = self.tables.gap[i][j]
        return gap is not NEVER and self._room(i, day_i, j, day_j, max, min) >= gap[0]

    def _room(self, i, day_i, j, day_j, of_i, of_j) -> int:
        tables = self.tables
        first = of_i(_edge(place.starts, of_i) + place.device_to for place in tables.places[i][day_i])
        second = of_j(_edge(place.starts, of_j) for place in tables.places[j][day_j]) + tables.device_from[j]
        return (day_j - day_i) * DAY_STEPS + second - first


def _edge(starts: int, which) -> int:
    return (starts & -starts).bit_length() - 1 if which is min else starts.bit_length() - 1


class _Search:
    """For each first start that could be worth it, in the order of time: the earliest end of all that begins no sooner.

    That end never comes sooner for a later start, so a start from which even the last one found would take too long
    needs no look."""

    def __init__(self, tables: Tables, watch: Watch, day: int, subset: int):
        self.tables = tables
        self.watch = watch
        self.day = day
        self.subset = subset
        self.places = {j: tables.places[j][day] for j in members(subset)}
        self.ties = bool(subset & tables.stands)  # only then a plan can end later than its last exam
        self.seen: dict = {}
        self.soonest = 0
        self.limit = 0
        self.exam = 0
        self.path: list[tuple[int, int, Place]] = []
        self.found: tuple[tuple[int, int, Place], ...] = ()

    def best(self, budget: int, floor: int) -> Day | None:
        best: Day | None = None
        shortest = budget + 1
        soonest = 0
        for start in self._first_starts():
            if soonest - start >= shortest:
                continue
            soonest = max(soonest, start + floor)
            end = self._earliest_end(start, soonest, start + shortest - 1)
            if end is None:
                soonest = start + shortest
                continue
            soonest = end
            placed = self._pressed(end)
            if end - placed[0][1] < shortest:
                shortest = end - placed[0][1]
                best = Day(self.day, shortest, self.day * DAY_STEPS + self.exam if self.exam else 0, placed)
            if shortest <= floor:
                break
        return best

    def _first_starts(self) -> list[int]:
        starts = 0
        for j in members(self.subset):
            if not self.tables.wait[j] & self.subset:
                for place in self.places[j]:
                    starts |= place.starts
        return members(starts)

    def _earliest_end(self, start: int, soonest: int, limit: int) -> int | None:
        """When nothing begins before `start`; never before `soonest`. `found` and `exam` hold the way."""
        self.seen = {}
        self.soonest = soonest
        self.limit = limit
        self.found = ()
        self._go_on(self.subset, start, "", (0,) * self.tables.size, 0)
        if not self.found:
            return None
        _j, begin, place = self.found[-1]
        return begin + place.length

    def _pressed(self, end: int) -> tuple[tuple[int, int, Place], ...]:
        """The way found, each as late as the end and the order let it be: the patient comes no sooner than needed."""
        tables = self.tables
        pressed: list[tuple[int, int, Place]] = []
        latest = end
        for j, _start, place in reversed(self.found):
            latest = latest if tables.stands >> j & 1 else min(latest, self.exam)
            if pressed:
                _k, begin, there = pressed[-1]
                latest = min(latest, begin - tables.walk.get((place.name, there.name), 0))
            last = latest - place.length
            for k, begin, _there in pressed:
                last = min(last, begin + tables.device_from[k] - tables.gap[j][k][0] - place.device_to)
            pressed.append((j, (place.starts & ((2 << last) - 1)).bit_length() - 1, place))
        return tuple(reversed(pressed))

    def _take(self, j: int, start: int, place: Place, remaining: int, ready: tuple[int, ...], exam: int):
        tables = self.tables
        self.watch.look()
        remaining ^= 1 << j
        end = start + place.length
        if not tables.stands >> j & 1:
            exam = end
        if end + tables.rest(remaining, place.name) > self.limit:
            return
        self.path.append((j, start, place))
        if not remaining:
            self._arrive(end, exam)
        else:
            if any(remaining >> k & 1 for k, _gap in tables.later[j]):
                ready = tables.ready(j, start + place.device_to, ready)
            if self._is_new(place.name, remaining, end, ready, exam):
                self._go_on(remaining, end, place.name, ready, exam)
        self.path.pop()

    def _is_new(self, place, remaining, end, ready, exam) -> bool:
        """Nobody was here as early and as free."""
        label = (end, exam if self.ties else 0, *(max(end, ready[k]) for k in members(remaining)))
        known = self.seen.setdefault((remaining, place), [])
        if any(all(a <= b for a, b in zip(old, label, strict=True)) for old in known):
            return False
        known.append(label)
        return True

    def _go_on(self, remaining: int, now: int, here: str, ready: tuple[int, ...], exam: int):
        tables = self.tables
        ways = []
        for k in members(remaining):
            soonest = OUT_OF_REACH
            at = ready[k] if ready[k] > now else now
            free = not tables.wait[k] & remaining
            for place in self.places[k]:
                start = next_start(place.starts, at)
                if start < soonest:
                    soonest = start
                if free:
                    walked = now + tables.walk.get((here, place.name), 0)
                    if start < walked:
                        start = next_start(place.starts, walked)
                    if start < OUT_OF_REACH:
                        ways.append((start, place.length, k, place))
            if soonest + tables.length[k] > self.limit:
                return
            for other, apart in tables.behind[k]:
                if remaining & other and soonest + apart > self.limit:
                    return
        ways.sort(key=lambda way: way[:3])
        for start, _length, k, place in ways:
            self._take(k, start, place, remaining, ready, exam)

    def _arrive(self, end: int, exam: int):
        if self.ties and self.found and end == self.limit and exam >= self.exam:
            return
        self.found = tuple(self.path)
        self.exam = exam
        self.limit = end if self.ties else end - 1 if end > self.soonest else 0


def next_start(starts: int, at: int) -> int:
    """The first start not before `at`."""
    rest = starts >> at
    return at + (rest & -rest).bit_length() - 1 if rest else OUT_OF_REACH
