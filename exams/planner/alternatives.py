"""What else could be: fewer trips if something gave way; when an exam can begin at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from .problem import DAY, STEP, Plan, Problem
from .search import best
from .tables import Place, Tables, first_step
from .watch import Watch


@dataclass(frozen=True)
class Relaxed:
    """The same question with one thing given way: a wish dropped, another day allowed, a later return."""

    key: str
    problem: Problem


@dataclass(frozen=True)
class Fewer:
    key: str
    plan: Plan


def fewer(
    problem: Problem, plan: Plan | None, relaxed: Sequence[Relaxed], *, seconds: float | None = None
) -> list[Fewer]:
    """Which of these save a trip, or make a plan possible where there was none; best first, else as given.

    `seconds` is for all of them, shared out evenly; one that finds nothing in time counts as not saving any.
    """
    most = plan.trips - 1 if plan else len(problem.tasks)
    watch, found = Watch(seconds), []
    for number, each in enumerate(relaxed):
        left = watch.left()
        other = best(each.problem, most=most, seconds=None if left is None else left / (len(relaxed) - number))
        if other:
            found.append(Fewer(each.key, other))
    return sorted(found, key=lambda each: each.plan.cost)


class Starts:
    """When each exam could be done if nothing else were to be done. All times in minutes, as Placed.start."""

    def __init__(self, problem: Problem):
        self._tables = Tables(problem)
        self._number = {task.key: number for number, task in enumerate(problem.tasks)}

    def on(self, key: str, day: int) -> list[tuple[int, int]]:
        """(first, last) begin on the device, each whole step between them included."""
        starts, number = 0, self._number[key]
        for place in self._places(number, day):
            starts |= place.starts
        zero = day * DAY + self._tables.device_from[number] * STEP
        found = []
        step = 0
        while starts >> step:
            step += first_step(starts >> step)
            length = first_step(~(starts >> step))
            found.append((zero + step * STEP, zero + (step + length - 1) * STEP))
            step += length
        return found

    def done(self, key: str, day: int) -> int | None:
        """When a device can be done with it at the earliest."""
        places = self._places(self._number[key], day)
        return min((day * DAY + (first_step(each.starts) + each.device_to) * STEP for each in places), default=None)

    def _places(self, number: int, day: int) -> list[Place]:
        return self._tables.places[number][day] if day < self._tables.problem.days else []


def starts_on(problem: Problem, task_key: str, day: int) -> list[tuple[int, int]]:
    """Of one exam on one day. Who asks more keeps a Starts."""
    return Starts(problem).on(task_key, day)
