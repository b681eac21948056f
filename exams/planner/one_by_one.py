"""What booking one exam after the other comes to: the yardstick for trips saved, and a plan to fall back on."""

from collections.abc import Sequence

from .problem import Plan, Problem
from .tables import DAY_STEPS, NEVER, Place, Tables, first_step


def first_come(problem: Problem, order: Sequence[str]) -> Plan | None:
    """Each exam takes the earliest time that fits those taken before it, as if booked one by one at the counter.

    What stands already is there first. None: one of them finds no time any more.
    """
    tables = Tables(problem)
    number = {task.key: j for j, task in enumerate(problem.tasks)}
    return one_by_one(tables, [number[key] for key in order])


def one_by_one(tables: Tables, order: Sequence[int]) -> Plan | None:
    queue = [j for j in range(tables.size) if tables.stands >> j & 1]
    queue += [j for j in order if not tables.stands >> j & 1]
    taken: list[tuple[int, int, int, Place]] = []
    for j in queue:
        found = _earliest(tables, j, taken)
        if found is None:
            return None
        taken.append(found)
    return tables.plan(((day, start, j, place) for j, day, start, place in taken), proven=False)


def _earliest(tables: Tables, j: int, taken) -> tuple[int, int, int, Place] | None:
    for day in range(tables.problem.days):
        fits = []
        for place in tables.places[j][day]:
            starts = place.starts
            for other in taken:
                starts &= _beside(tables, j, day, place, *other)
            if starts:
                fits.append((first_step(starts), place.length, place))
        if fits:
            start, _length, place = min(fits, key=lambda fit: fit[:2])
            return j, day, start, place
    return None


def _beside(tables: Tables, j: int, day: int, place: Place, i: int, on: int, start: int, there: Place) -> int:
    """The steps of the day at which the patient may begin j, i being where it is: a mask."""
    shift = (on - day) * DAY_STEPS  # from i's day to j's
    begin, end = start + shift, start + there.length + shift
    walk = tables.walk.get((place.name, there.name), 0) if on == day else 0
    after, before = end + walk, begin - walk - place.length
    gap = tables.gap[i][j]
    after = max(after, start + shift + there.device_to + gap[0] - tables.device_from[j]) if gap is not NEVER else None
    back = tables.gap[j][i]
    before = min(before, begin + tables.device_from[i] - back[0] - place.device_to) if back is not NEVER else None
    if on == day:
        after = None if gap is not NEVER and gap[1] else after
        before = None if back is not NEVER and back[1] else before
    late = ~0 << max(after, 0) if after is not None else 0
    soon = (1 << before + 1) - 1 if before is not None and before >= 0 else 0
    return late | soon
