"""The shortest stay of one day for a given set of exams."""

from dataclasses import dataclass

from .narrow import OUT_OF_REACH, Limits, Narrow, Pairs, Windows
from .tables import DAY_STEPS, Place, Tables, members
from .watch import Watch


@dataclass(frozen=True)
class Day:
    """`minutes` in steps; `end` of the last exam that does not stand already, in steps from 00:00 of the first day."""

    day: int
    minutes: int
    end: int
    placed: tuple[tuple[int, int, Place], ...]  # (task, the patient's begin as a step of the day, place)


class OneDay:
    def __init__(self, tables: Tables, pairs: Pairs, watch: Watch):
        self.tables = tables
        self.pairs = pairs
        self.watch = watch
        self._known: dict[tuple, Day] = {}
        self._floors: dict[tuple, int] = {}  # nothing shorter than this
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
                floor = self._base[subset] = self.tables.rest(subset, "")
            floor = self._floors[day, subset] = max(floor, self.pairs.floor(day, subset))
        return floor

    def best(self, day: int, subset: int, budget: int, windows: Windows = ()) -> Day | None:
        """Fewest steps, then the earliest end. None if that takes more than the budget.

        `windows` as in several_days: exams that must begin later or be done sooner than their devices ask.
        """
        key = (day, subset, windows) if windows else (day, subset)
        known = self._known.get(key)
        if known:
            return known if known.minutes <= budget else None
        floor = max(self.floor(day, subset), self._floors.get(key, 0))
        if floor > budget:
            return None
        found = self._sought(day, subset, budget, floor, windows)
        if found:
            self._known[key] = found
        else:
            self._floors[key] = budget + 1
        return found

    def _sought(self, day: int, subset: int, budget: int, floor: int, windows: Windows) -> Day | None:
        """In one go, or, where two are far apart in whichever order (contrast for CT, contrast for MRI), for each."""
        pair = self.pairs.far_apart(day, subset, budget)
        if pair is None:
            return _Search(self, day, subset, Limits(windows=windows)).best(budget, floor)
        one = _Search(self, day, subset, Limits(pair, windows)).best(budget, floor)
        other = _Search(self, day, subset, Limits(pair[::-1], windows)).best(one.minutes if one else budget, floor)
        return min((day for day in (one, other) if day), key=lambda day: (day.minutes, day.end), default=None)


class _Search:
    """For each first start that could be worth it, in the order of time: the earliest end of all that begins no sooner.

    That end never comes sooner for a later start, so a start from which even the last one found would take too long
    needs no look."""

    def __init__(self, one_day: OneDay, day: int, subset: int, limits: Limits):
        self.tables = one_day.tables
        self.watch = one_day.watch
        self.pairs = one_day.pairs
        self.day = day
        self.subset = subset
        self.limits = limits
        self.narrow: Narrow | None = None
        self.firsts = 0
        self.ties = bool(subset & self.tables.stands)  # only then a plan can end later than its last exam
        self.seen: dict = {}
        self.soonest = 0
        self.limit = 0
        self.exam = 0
        self.path: list[tuple[int, int, Place]] = []
        self.found: tuple[tuple[int, int, Place], ...] = ()

    def best(self, budget: int, floor: int) -> Day | None:
        best: Day | None = None
        shortest = budget + 1
        soonest = start = 0
        self._narrow_to(budget)
        while self.narrow and shortest > floor:
            start = next_start(self.firsts, max(start, soonest - shortest + 1))
            if start == OUT_OF_REACH:
                break
            soonest = max(soonest, start + floor)
            end = self._earliest_end(start, soonest, start + shortest - 1)
            soonest = start + shortest if end is None else end
            if end is not None:
                placed = self._pressed(end)
                if end - placed[0][1] < shortest:
                    shortest = end - placed[0][1]
                    best = Day(self.day, shortest, self.day * DAY_STEPS + self.exam if self.exam else 0, placed)
                    self._narrow_to(shortest - 1)
            start += 1
        return best

    def _narrow_to(self, budget: int):
        self.narrow = self.pairs.narrow(self.day, self.subset, budget, self.limits)
        self.firsts = 0
        if self.narrow:
            for j, places in self.narrow.places.items():
                if not self.narrow.before[j]:
                    for place in places:
                        self.firsts |= place.starts

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
        narrow = self.narrow
        ways = []
        for k in members(remaining):
            soonest = OUT_OF_REACH
            at = ready[k] if ready[k] > now else now
            free = not narrow.before[k] & remaining
            for place in narrow.places[k]:
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
            for other, apart in narrow.behind[k]:
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
