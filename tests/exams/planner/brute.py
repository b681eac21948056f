"""The same question answered by trying everything. Written from the rules alone: it shares with the planner only the
words of the question. Slow, and short enough to be read and believed."""

from dataclasses import dataclass
from itertools import pairwise, product

from exams.planner import DAY, STEP, Option, Problem, Task


@dataclass(frozen=True)
class Line:
    """One exam at one time: on the device from `start` to `end`, the patient there from `comes` to `leaves`."""

    task: Task
    place: str
    start: int
    end: int
    comes: int
    leaves: int

    @property
    def day(self) -> int:
        return self.start // DAY


def cheapest(problem: Problem) -> tuple[int, int, int] | None:
    """(trips, minutes in the house, end of the last exam) of the best plan; None if there is none."""
    costs = (cost(problem, lines) for lines in product(*(choices(task) for task in problem.tasks)))
    return min((each for each in costs if each is not None), default=None)


def choices(task: Task) -> list[Line]:
    """Every whole step of every free range of every device. What stands already has no choice."""
    found = []
    for option in task.options:
        for first, last in option.free:
            if task.stands:
                found.append(line(task, option, first, last))
            else:
                minutes = up(option.minutes or task.minutes)
                found += [
                    line(task, option, start, start + minutes) for start in range(up(first), last - minutes + 1, STEP)
                ]
    return [each for each in found if each.comes // DAY == (each.leaves - 1) // DAY]  # nobody stays over midnight


def line(task: Task, option: Option, start: int, end: int) -> Line:
    return Line(task, option.place, start, end, down(start) - up(task.before), up(end) + up(task.after))


def cost(problem: Problem, lines: tuple[Line, ...]) -> tuple[int, int, int] | None:
    """None: it breaks a rule, or the patient would be in two places or could not walk there in time."""
    days: dict[int, list[Line]] = {}
    for each in sorted(lines, key=lambda each: (each.comes, each.leaves)):
        days.setdefault(each.day, []).append(each)
    for day in days.values():
        if any(there.comes < here.leaves + walk(problem, here, there) for here, there in pairwise(day)):
            return None
    by_key = {each.task.key: each for each in lines}
    for rule in problem.rules:
        if rule.first in by_key and rule.second in by_key and not obeys(rule, by_key[rule.first], by_key[rule.second]):
            return None
    minutes = sum(day[-1].leaves - day[0].comes for day in days.values())
    return len(days), minutes, max((each.leaves for each in lines if not each.task.stands), default=0)


def obeys(rule, first: Line, second: Line) -> bool:
    """Minutes count from the end of the one on its device to the start of the other, in whole steps."""
    earlier, later, gap = (first, second, rule.gap) if first.start < second.start else (second, first, rule.reverse)
    if gap is None or gap.other_day and earlier.day == later.day:
        return False
    return down(later.start) - up(earlier.end) >= up(gap.minutes)


def walk(problem: Problem, here: Line, there: Line) -> int:
    ways = problem.walks
    return up(ways.get((here.place, there.place), ways.get((there.place, here.place), 0)))


def up(minutes: int) -> int:
    return -(-minutes // STEP) * STEP


def down(minutes: int) -> int:
    return minutes // STEP * STEP


def ways(problem: Problem) -> int:
    """How many there are to try."""
    count = 1
    for task in problem.tasks:
        count *= len(choices(task))
    return count


def lines_of(problem: Problem, plan) -> tuple[Line, ...]:
    """What a plan says, in the order of the tasks; fails if it is not one of the choices."""
    placed = {each.key: each for each in plan.placed}
    found = []
    for task in problem.tasks:
        each = placed[task.key]
        option = next(option for option in task.options if option.device == each.device and option.place == each.place)
        found.append(line(task, option, each.start, each.end))
        assert any(one.start == each.start and one.place == each.place for one in choices(task)), "not free then"
    return tuple(found)
