"""检查先后 (E3): the office's ordering rules as what the planner obeys, and the circle that would leave no order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from exams.models import Follow, OrderingRule
from exams.planner.problem import Gap, Rule

FREEDOM = {Follow.GAP: 0, Follow.OTHER_DAY: 1, Follow.NEVER: 2}
"""How much a direction forbids: nothing but time between, the same day, the direction itself."""


@dataclass(frozen=True)
class Exam:
    """What rules see of an exam. `key` names it in the planner; `answers`: question code → answer code; `draw`: it
    takes blood."""

    key: str
    item: int
    groups: frozenset[int] = frozenset()
    answers: Mapping[str, str] = field(default_factory=dict)
    draw: bool = False


def planner_rules(exams: Iterable[Exam], rules: Iterable[OrderingRule]) -> tuple[Rule, ...]:
    """Every rule for every pair of exams that it speaks of; where several do, the planner takes the strictest."""
    rules = list(rules)
    return tuple(
        found for one, other in combinations(exams, 2) for rule in rules if (found := between(one, other, rule=rule))
    )


def between(one: Exam, other: Exam, *, rule: OrderingRule) -> Rule | None:
    """What the rule says of these two, or None. Each of them may stand on either side."""
    if not holds(rule, one, other):
        return None
    straight, crossed = _sides(rule, one, other), _sides(rule, other, one)
    if straight and crossed:
        return _either_way(rule, one, other)
    if crossed:
        one, other = other, one
    if not straight and not crossed:
        return None
    return Rule(one.key, other.key, gap=gap_of(rule.forward, rule.forward_minutes),
                reverse=gap_of(rule.reverse, rule.reverse_minutes), why=rule.why)  # fmt: skip


def _either_way(rule: OrderingRule, one: Exam, other: Exam) -> Rule:
    """Both exams belong to both sides (a scan of the abdomen and the bladder), so either may be the first: the
    direction that forbids less holds both ways, of two alike the longer interval."""
    ways = [(FREEDOM[rule.forward], rule.forward, rule.forward_minutes)]
    ways.append((FREEDOM[rule.reverse], rule.reverse, rule.reverse_minutes))
    least = min(ways)[0]
    follow, minutes = max((follow, minutes) for freedom, follow, minutes in ways if freedom == least)
    gap = gap_of(follow, minutes)
    return Rule(one.key, other.key, gap=gap, reverse=gap, why=rule.why)


def holds(rule: OrderingRule, *exams: Exam) -> bool:
    """A rule with a question is for those who gave one of its answers at any of these exams. Nobody asked: it holds,
    because nobody knows better."""
    if rule.question is None:
        return True
    given = {exam.answers[rule.question.code] for exam in exams if exam.answers.get(rule.question.code)}
    return not given or not given.isdisjoint(rule.answers)


def gap_of(follow: str, minutes: int) -> Gap | None:
    """None: never in that order."""
    return None if follow == Follow.NEVER else Gap(minutes=minutes, other_day=follow == Follow.OTHER_DAY)


def sittings(exams: Iterable[Exam], rules: Iterable[OrderingRule]) -> list[tuple[str, str]]:
    """同一次麻醉: pairs of keys that are done as one, the first side first. An exam has one partner at most."""
    exams, taken, pairs = list(exams), set(), []
    for rule in rules:
        if not rule.one_sitting:
            continue
        for one, other in combinations(exams, 2):
            if one.key in taken or other.key in taken or not holds(rule, one, other):
                continue
            if not _sides(rule, one, other):
                one, other = other, one
            if _sides(rule, one, other):
                pairs.append((one.key, other.key))
                taken |= {one.key, other.key}
    return pairs


def draws(exams: Iterable[Exam], rules: Iterable[OrderingRule]) -> list[tuple[str, ...]]:
    """一次采血: keys of blood tests that one needle serves, in the order given; not those that a rule sets apart."""
    found: list[list[Exam]] = []
    for exam in (each for each in exams if each.draw):
        mates = (group for group in found if all(_one_needle(exam, other, rules) for other in group))
        group = next(mates, None)
        if group is None:
            found.append([exam])
        else:
            group.append(exam)
    return [tuple(exam.key for exam in group) for group in found if len(group) > 1]


def _one_needle(one: Exam, other: Exam, rules: Iterable[OrderingRule]) -> bool:
    told = [rule for rule in (between(one, other, rule=each) for each in rules) if rule]
    return all(gap == Gap() for rule in told for gap in (rule.gap, rule.reverse))


def _sides(rule: OrderingRule, one: Exam, other: Exam) -> bool:
    return is_first(rule, one) and is_second(rule, other)


def is_first(rule: OrderingRule, exam: Exam) -> bool:
    return exam.item == rule.first_item_id if rule.first_item_id else rule.first_group_id in exam.groups


def is_second(rule: OrderingRule, exam: Exam) -> bool:
    return exam.item == rule.second_item_id if rule.second_item_id else rule.second_group_id in exam.groups


def cycle(rules: Iterable[OrderingRule], exams: Iterable[Exam]) -> list[str] | None:
    """甲 → 乙 → 丙 → 甲: exams (their `key` is a name here) of which each must come before the next, the first named
    again at the end; the shortest such circle, or None.

    A rule orders two exams if one direction forbids more than the other: "the other way only on another day" does,
    "four hours apart either way" does not. Rules with a question all count, as for somebody who was not asked.
    """
    exams = list(exams)
    after: dict[str, dict[str, None]] = {exam.key: {} for exam in exams}  # in the order given, so the answer is steady
    for rule in rules:
        for first, second in _ordered(rule, exams):
            after[first][second] = None
    circles = [found for name in after if (found := _way_back(name, after))]
    return min(circles, key=len, default=None)


def _ordered(rule: OrderingRule, exams: list[Exam]) -> Iterable[tuple[str, str]]:
    """Pairs of names (before, after) by one rule."""
    turn = FREEDOM[rule.reverse] - FREEDOM[rule.forward]
    if not turn:
        return
    firsts = [exam for exam in exams if is_first(rule, exam)]
    seconds = [exam for exam in exams if is_second(rule, exam)]
    for one in firsts:
        for other in seconds:
            if one.key != other.key and not _sides(rule, other, one):
                yield (one.key, other.key) if turn > 0 else (other.key, one.key)


def _way_back(start: str, after: Mapping[str, Iterable[str]]) -> list[str] | None:
    """The shortest way from `start` along `after` back to it."""
    came_from: dict[str, str] = {}
    front = [start]
    while front:
        reached = []
        for here in front:
            for there in after[here]:
                if there == start:
                    return _walked(start, here, came_from)
                if there not in came_from:
                    came_from[there] = here
                    reached.append(there)
        front = reached
    return None


def _walked(start: str, end: str, came_from: Mapping[str, str]) -> list[str]:
    way = [start]
    while end != start:
        way.insert(1, end)
        end = came_from[end]
    return [*way, start]
