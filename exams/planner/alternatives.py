"""What else could be: fewer trips if something gave way; when an exam can begin at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from .problem import DAY, STEP, Plan, Problem
from .search import best
from .tables import Tables, first_step


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

    `seconds` is for each of them; one that finds nothing in time counts as not saving any.
    """
    most = plan.trips - 1 if plan else len(problem.tasks)
    found = []
    for each in relaxed:
        other = best(each.problem, most=most, seconds=seconds)
        if other:
            found.append(Fewer(each.key, other))
    return sorted(found, key=lambda each: each.plan.cost)


def starts_on(problem: Problem, task_key: str, day: int) -> list[tuple[int, int]]:
    """When the exam can begin that day if nothing else were to be done: (first, last) in minutes as Placed.start, each
    whole step between them included."""
    tables = Tables(problem)
    j = next(number for number, task in enumerate(problem.tasks) if task.key == task_key)
    starts = 0
    for place in tables.places[j][day] if day < problem.days else ():
        starts |= place.starts
    zero = day * DAY + tables.device_from[j] * STEP
    found = []
    step = 0
    while starts >> step:
        step += first_step(starts >> step)
        length = first_step(~(starts >> step))
        found.append((zero + step * STEP, zero + (step + length - 1) * STEP))
        step += length
    return found
