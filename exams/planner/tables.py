"""The problem as small integers: steps instead of minutes, bit masks instead of ranges and sets."""

from dataclasses import dataclass

from .problem import DAY, STEP, Gap, Placed, Problem

DAY_STEPS = DAY // STEP
NEVER = None
"""In `Tables.gap`: not in this order. Otherwise (steps, other_day)."""


def up(minutes: int) -> int:
    """Whole steps, rounded up: no gap is shortened."""
    return -(-minutes // STEP)


@dataclass(frozen=True)
class Place:
    name: str
    starts: int  # bit s: the patient may begin at step s of the day


class Tables:
    """`length` is the patient's time; `device_from` and `device_to` are offsets of the device's time in it."""

    def __init__(self, problem: Problem):
        self.problem = problem
        self.tasks = problem.tasks
        self.size = len(self.tasks)
        self.all = (1 << self.size) - 1
        self.device_from = [up(task.before) for task in self.tasks]
        self.device_to = [up(task.before) + up(task.minutes) for task in self.tasks]
        self.length = [up(task.before) + up(task.minutes) + up(task.after) for task in self.tasks]
        self.stands = sum(1 << number for number, task in enumerate(self.tasks) if task.stands)
        self.work = [sum(self.length[j] for j in members(subset)) for subset in range(1 << self.size)]
        self.places = [[self._places(j, day) for day in range(problem.days)] for j in range(self.size)]
        self.days_of = [sum(1 << d for d in range(problem.days) if self.places[j][d]) for j in range(self.size)]
        self.places_of = [sorted({option.place for option in task.options if option.free}) for task in self.tasks]
        self._read_rules()
        self._rest: dict[tuple[int, str], int] = {}
        self.walk = {}
        for (one, other), minutes in problem.walks.items():
            self.walk[one, other] = self.walk[other, one] = up(minutes)

    def _places(self, j: int, day: int) -> list[Place]:
        """Where and when the exam can begin on that day: devices in one place are one choice for the patient."""
        found: dict[str, int] = {}
        for option in self.tasks[j].options:
            for start, end in option.free:
                found[option.place] = found.get(option.place, 0) | self._starts(j, day, start, end)
        return [Place(name, starts) for name, starts in found.items() if starts]

    def _starts(self, j: int, day: int, start: int, end: int) -> int:
        first = max(up(start - day * DAY), self.device_from[j], 0)
        last = min((end - day * DAY) // STEP, DAY_STEPS) - (self.device_to[j] - self.device_from[j])
        last = min(last, DAY_STEPS - self.length[j] + self.device_from[j])
        if last < first or start // DAY > day or end <= day * DAY:
            return 0
        return ((1 << (last - first + 1)) - 1) << (first - self.device_from[j])

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

    def ready(self, j: int, start: int, ready: tuple[int, ...]) -> tuple[int, ...]:
        """When each of the others may begin at the earliest, for the gaps after j."""
        after = list(ready)
        done = start + self.device_to[j]
        for k, gap in self.later[j]:
            after[k] = max(after[k], done + gap - self.device_from[k])
        return tuple(after)

    def placed(self, j: int, day: int, start: int, place: str) -> Placed:
        """The first device of the place that is free then."""
        begin = day * DAY + (start + self.device_from[j]) * STEP
        end = begin + (self.device_to[j] - self.device_from[j]) * STEP
        for option in self.tasks[j].options:
            if option.place == place and any(a <= begin and end <= b for a, b in option.free):
                return Placed(self.tasks[j].key, option.device, place, begin, begin + self.tasks[j].minutes)
        raise AssertionError("a start without a device")


def members(subset: int) -> list[int]:
    found = []
    while subset:
        low = subset & -subset
        found.append(low.bit_length() - 1)
        subset ^= low
    return found


def tighter(known: tuple[int, bool] | None, gap: Gap | None) -> tuple[int, bool] | None:
    if known is NEVER or gap is None:
        return NEVER
    return max(known[0], up(gap.minutes)), known[1] or gap.other_day


def same_day(gap: tuple[int, bool] | None) -> bool:
    return gap is not NEVER and not gap[1]
