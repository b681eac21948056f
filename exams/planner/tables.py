"""The problem as small integers: steps instead of minutes, bit masks instead of ranges and sets."""

from collections.abc import Iterable
from dataclasses import dataclass

from .problem import DAY, STEP, Gap, Option, Placed, Plan, Problem, Task

DAY_STEPS = DAY // STEP
NEVER = None
"""In `Tables.gap`: not in this order. Otherwise (steps, other_day)."""


def up(minutes: int) -> int:
    """Whole steps, rounded up: no gap is shortened."""
    return -(-minutes // STEP)


@dataclass(frozen=True)
class Place:
    """Where an exam can be done on a day. `length` is the patient's time, `device_to` where in it the device's ends."""

    name: str
    starts: int  # bit s: the patient may begin at step s of the day
    device_to: int
    length: int


class Tables:
    """`length` is the patient's time; `device_from` and `device_to` are offsets of the device's time in it. Of an exam
    that takes longer on some devices, `length` and `device_to` are the least; its places know their own."""

    def __init__(self, problem: Problem):
        self.problem = problem
        self.tasks = problem.tasks
        self.size = len(self.tasks)
        self.all = (1 << self.size) - 1
        self.device_from = [up(task.before) for task in self.tasks]
        self.stands = sum(1 << number for number, task in enumerate(self.tasks) if task.stands)
        self.places = [[self._places(j, day) for day in range(problem.days)] for j in range(self.size)]
        self.days_of = [sum(1 << d for d in range(problem.days) if self.places[j][d]) for j in range(self.size)]
        everywhere = [[place for day in self.places[j] for place in day] for j in range(self.size)]
        self.device_to = [min((place.device_to for place in places), default=0) for places in everywhere]
        self.length = [min((place.length for place in places), default=0) for places in everywhere]
        self.places_of = [sorted({place.name for place in places}) for places in everywhere]
        self.work = [sum(self.length[j] for j in members(subset)) for subset in range(1 << self.size)]
        self._read_rules()
        self._rest: dict[tuple[int, str], int] = {}
        self.walk = {}
        for (one, other), minutes in problem.walks.items():
            self.walk[one, other] = self.walk[other, one] = up(minutes)
        self._shortest = self._shortest_walks()

    def _places(self, j: int, day: int) -> list[Place]:
        """Where and when the exam can begin on that day: like devices in one place are one choice for the patient."""
        found: dict[tuple[str, int, int], int] = {}
        for option in self.tasks[j].options:
            for start, end in option.free:
                if start // DAY == day:
                    starts, device_to = self._starts(self.tasks[j], option, start - day * DAY, end - day * DAY)
                    key = option.place, device_to, device_to + up(self.tasks[j].after)
                    found[key] = found.get(key, 0) | starts
        return [Place(name, starts, to, length) for (name, to, length), starts in found.items() if starts]

    def _starts(self, task: Task, option: Option, start: int, end: int) -> tuple[int, int]:
        """The steps of the day at which the patient may begin, as bits, and how many the device is done after."""
        before = up(task.before)
        if task.stands:  # stands where it stands, on whole steps or not: both of its steps are taken
            first = last = start // STEP
            device_to = before + up(end) - first
        else:
            device_to = before + up(task.minutes_on(option))
            first = max(up(start), before)
            last = min(end // STEP, DAY_STEPS) - (device_to - before)
        last = min(last, DAY_STEPS - device_to - up(task.after) + before)
        if last < first or first < before:
            return 0, device_to
        return ((1 << (last - first + 1)) - 1) << (first - before), device_to

    def _shortest_walks(self) -> dict[tuple[str, str], int]:
        """Also by way of another exam's place: walks that somebody wrote down need not be the shortest."""
        names = sorted({name for places in self.places_of for name in places})
        shortest = {(one, other): self.walk.get((one, other), 0) for one in names for other in names if one != other}
        for via in names:
            for one in names:
                for other in names:
                    if len({one, via, other}) == 3:
                        way = shortest[one, via] + shortest[via, other]
                        if way < shortest[one, other]:
                            shortest[one, other] = way
        return shortest

    def shortest_walk(self, one: str, other: str) -> int:
        return self._shortest.get((one, other), 0)

    def _read_rules(self):
        """`gap[i][j]`: i before j. `wait[j]`: who may not follow j on the same day, so must be done before it."""
        number = {task.key: place for place, task in enumerate(self.tasks)}
        self.gap = [[(0, False)] * self.size for _ in range(self.size)]
        for rule in self.problem.rules:
            if rule.first in number and rule.second in number:
                i, j = number[rule.first], number[rule.second]
                self.gap[i][j] = tighter(self.gap[i][j], rule.gap)
                self.gap[j][i] = tighter(self.gap[j][i], rule.reverse)
        self.wait = [
            sum(1 << j for j in range(self.size) if j != i and not same_day(self.gap[i][j])) for i in range(self.size)
        ]
        self.behind = [  # who must follow i on its day, with the steps from the begin of i to the end of that one
            [(1 << j, self._apart(i, j)) for j in range(self.size) if j != i and self.wait[j] >> i & 1]
            for i in range(self.size)
        ]
        self.later = [
            [(j, gap[0]) for j, gap in enumerate(self.gap[i]) if j != i and gap is not NEVER and gap[0]]
            for i in range(self.size)
        ]

    def rest(self, remaining: int, here: str) -> int:
        """Fewest steps that these take from here on, walks and order included, as if every device were always free."""
        if not remaining:
            return 0
        known = self._rest.get((remaining, here))
        if known is None:
            known = DAY_STEPS + 1
            for k in members(remaining):
                if not self.wait[k] & remaining:
                    left = remaining & ~(1 << k)
                    for place in self.places_of[k]:
                        way = self.walk.get((here, place), 0) + self.length[k] + self.rest(left, place)
                        if way < known:
                            known = way
            self._rest[remaining, here] = known
        return known

    def floor(self, subset: int) -> int:
        """Fewest steps in the house that these can take on one day; closed hours come on top."""
        most = self.rest(subset, "")
        chosen = members(subset)
        for i in chosen:
            for j in chosen:
                if i < j:
                    most = max(most, min(self._apart(i, j), self._apart(j, i)))
        return most

    def _apart(self, i: int, j: int) -> int:
        """Steps from the patient's begin of i to the end of j, i first."""
        gap = self.gap[i][j]
        if not same_day(gap):
            return DAY_STEPS + 1
        begin = max(self.length[i], self.device_to[i] + gap[0] - self.device_from[j])
        return begin + self.length[j]

    def ready(self, j: int, done: int, ready: tuple[int, ...]) -> tuple[int, ...]:
        """When each of the others may begin at the earliest, for the gaps after j's device is done."""
        after = list(ready)
        for k, gap in self.later[j]:
            after[k] = max(after[k], done + gap - self.device_from[k])
        return tuple(after)

    def placed(self, j: int, day: int, start: int, place: Place) -> Placed:
        """The first device of the place that is free then."""
        task = self.tasks[j]
        begin = day * DAY + (start + self.device_from[j]) * STEP
        for option in task.options:
            for a, b in option.free:
                if option.place != place.name or a // DAY != day:
                    continue
                if task.stands:
                    return Placed(task.key, option.device, option.place, a, b)
                taken = up(task.minutes_on(option))
                if taken == place.device_to - self.device_from[j] and a <= begin and begin + taken * STEP <= b:
                    return Placed(task.key, option.device, option.place, begin, begin + task.minutes_on(option))
        raise AssertionError("a start without a device")

    def plan(self, taken: Iterable[tuple[int, int, int, Place]], *, proven: bool = True) -> Plan:
        """Of (day, the patient's begin as a step of it, exam, place)."""
        taken = list(taken)
        days = {day for day, *_where in taken}
        begins = {day: min(start for on, start, _j, _place in taken if on == day) for day in days}
        ends = {day: max(start + place.length for on, start, _j, place in taken if on == day) for day in days}
        open_ones = [day * DAY_STEPS + start + at.length for day, start, j, at in taken if not self.stands >> j & 1]
        placed = [self.placed(j, day, start, place) for day, start, j, place in taken]
        return Plan(
            placed=tuple(sorted(placed, key=lambda line: line.start)),
            trips=len(days),
            minutes=sum(ends[day] - begins[day] for day in days) * STEP,
            end=max(open_ones, default=0) * STEP,
            proven=proven,
        )


def members(subset: int) -> list[int]:
    found = []
    while subset:
        low = subset & -subset
        found.append(low.bit_length() - 1)
        subset ^= low
    return found


def first_step(starts: int) -> int:
    return (starts & -starts).bit_length() - 1


def last_step(starts: int) -> int:
    return starts.bit_length() - 1


def tighter(known: tuple[int, bool] | None, gap: Gap | None) -> tuple[int, bool] | None:
    if known is NEVER or gap is None:
        return NEVER
    return max(known[0], up(gap.minutes)), known[1] or gap.other_day


def same_day(gap: tuple[int, bool] | None) -> bool:
    return gap is not NEVER and not gap[1]
