"""The same question answered by trying everything, written from the rules alone."""

from itertools import product

from exams.planner import Problem
from exams.planner.problem import DAY, STEP


def cheapest(problem: Problem):
    """(trips, minutes, end) of the best plan or None, by every start of every exam on every device."""
    choices = []
    for task in problem.tasks:
        starts = []
        for option in task.options:
            for a, b in option.free:
                for start in range(-(-a // STEP) * STEP, b - _up(task.minutes) + 1, STEP):
                    whole = (start - _up(task.before), start + _up(task.minutes) + _up(task.after))
                    if whole[0] >= start // DAY * DAY and whole[1] <= (start // DAY + 1) * DAY:
                        starts.append((start, option.place))
        choices.append(sorted(set(starts)))
    best = None
    for way in product(*choices):
        cost = _cost(problem, way)
        if cost and (best is None or cost < best):
            best = cost
    return best


def _up(minutes):
    return -(-minutes // STEP) * STEP


def _cost(problem, way):
    lines = []
    for task, (start, place) in zip(problem.tasks, way, strict=True):
        lines.append(
            (
                start - _up(task.before),
                start + _up(task.minutes) + _up(task.after),
                start,
                start + _up(task.minutes),
                place,
                task,
            )
        )
    in_order = sorted(lines, key=lambda line: line[:2])
    for one, other in zip(in_order, in_order[1:], strict=False):
        walk = _up(problem.walks.get((one[4], other[4]), problem.walks.get((other[4], one[4]), 0)))
        if one[2] // DAY != other[2] // DAY:
            walk = 0
        if other[0] < one[1] + walk:
            return None
    by_key = {line[5].key: line for line in lines}
    for rule in problem.rules:
        if rule.first in by_key and rule.second in by_key:
            first, second = by_key[rule.first], by_key[rule.second]
            early, late, gap = (first, second, rule.gap) if first[2] < second[2] else (second, first, rule.reverse)
            if gap is None or late[2] - early[3] < gap.minutes:
                return None
            if gap.other_day and late[2] // DAY == early[2] // DAY:
                return None
    days = {}
    for line in lines:
        days.setdefault(line[2] // DAY, []).append(line)
    minutes = sum(max(line[1] for line in day) - min(line[0] for line in day) for day in days.values())
    end = max((line[1] for line in lines if not line[5].stands), default=0)
    return len(days), minutes, end
