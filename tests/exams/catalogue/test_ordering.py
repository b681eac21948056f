"""Ordering rules as the planner hears them, and circles in them (E3). No database."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exams.models import Follow, OrderingRule, ScreeningQuestion
from exams.planner.problem import Gap, Rule
from exams.policies.ordering import Exam, cycle, planner_rules, sittings

A, B, C = 1, 2, 3
NEVER, OTHER_DAY = Follow.NEVER, Follow.OTHER_DAY


def order(first, second, reverse=OTHER_DAY, **more) -> OrderingRule:
    """Sides are group ids, or items written as "i7"."""
    sides = {}
    for name, side in (("first", first), ("second", second)):
        sides |= {f"{name}_item_id": int(side[1:])} if isinstance(side, str) else {f"{name}_group_id": side}
    return OrderingRule(**sides, reverse=reverse, why="why", **more)


def exam(key, *groups, item=0, **answers) -> Exam:
    return Exam(key=key, item=item, groups=frozenset(groups), answers=answers)


BEFORE = Rule("x", "y", gap=Gap(), reverse=None, why="why")


@pytest.mark.parametrize(
    ("exams", "rule", "said"),
    [
        ([exam("x", A), exam("y", B)], order(A, B, NEVER), [BEFORE]),
        ([exam("y", B), exam("x", A)], order(A, B, NEVER), [BEFORE]),
        ([exam("x", item=7), exam("y", item=8)], order("i7", "i8", NEVER), [BEFORE]),
        ([exam("x", item=7), exam("y", B)], order("i7", B, NEVER), [BEFORE]),
        ([exam("x", A), exam("y", C)], order(A, B, NEVER), []),
        ([exam("x", A)], order(A, A, NEVER), []),
        (
            [exam("x", A), exam("y", B)],
            order(A, B, Follow.GAP, forward_minutes=60, reverse_minutes=4320),
            [Rule("x", "y", gap=Gap(60), reverse=Gap(4320), why="why")],
        ),
        (
            [exam("x", A), exam("y", B)],
            order(A, B, OTHER_DAY, reverse_minutes=600),
            [Rule("x", "y", gap=Gap(), reverse=Gap(600, other_day=True), why="why")],
        ),
        # both on both sides: either may come first, the gentler way holds
        ([exam("x", A, B), exam("y", A, B)], order(A, B, NEVER), [Rule("x", "y", gap=Gap(), reverse=Gap(), why="why")]),
        (
            [exam("x", A), exam("y", A)],
            order(A, A, Follow.GAP, forward_minutes=60, reverse_minutes=90),
            [Rule("x", "y", gap=Gap(90), reverse=Gap(90), why="why")],
        ),
    ],
)
def test_a_rule_speaks_of_a_pair_whichever_is_named_first(exams, rule, said):
    """E3."""
    assert list(planner_rules(exams, [rule])) == said


@pytest.mark.parametrize(
    ("one", "other", "holds"),
    [
        ({}, {}, True),
        ({"renal": "severe"}, {}, True),
        ({}, {"renal": "normal"}, False),
        ({"renal": "normal"}, {"renal": "severe"}, True),
        ({"renal": ""}, {"other": "severe"}, True),
    ],
)
def test_a_rule_with_a_question_holds_for_its_answers_and_for_whoever_was_not_asked(one, other, holds):
    """E4: given at either exam."""
    rule = order(A, B, question=ScreeningQuestion(code="renal"), answers=["severe"])
    assert bool(planner_rules([exam("x", A, **one), exam("y", B, **other)], [rule])) is holds


def test_what_is_done_in_one_sitting_has_one_partner_and_stands_in_the_rules_order():
    rules = [order(A, B, one_sitting=True), order(A, C)]
    assert sittings([exam("y", B), exam("x", A), exam("z", B), exam("w", C)], rules) == [("x", "y")]
    assert sittings([exam("x", A), exam("w", C)], rules) == []


@pytest.mark.parametrize(
    ("rules", "exams", "circle"),
    [
        ([order(A, B), order(B, C)], [exam("甲", A), exam("乙", B), exam("丙", C)], None),
        ([order(A, B), order(B, C), order(C, A)], [exam("甲", A), exam("乙", B), exam("丙", C)], "甲乙丙甲"),
        ([order(A, B), order(B, A)], [exam("甲", A), exam("乙", B)], "甲乙甲"),
        # 乙 is in both groups: the circle closes through it
        ([order(A, B), order(C, "i5")], [exam("甲", A, item=5), exam("乙", B, C)], "甲乙甲"),
        # one side is another variant of the same item, so nothing closes
        ([order(A, B), order(C, A)], [exam("甲", A), exam("乙", B), exam("乙增强", C)], None),
        # intervals are no order
        ([order(A, B, Follow.GAP, reverse_minutes=9), order(B, A, Follow.GAP)], [exam("甲", A), exam("乙", B)], None),
        ([order(A, B, OTHER_DAY, forward=OTHER_DAY), order(B, A)], [exam("甲", A), exam("乙", B)], None),
        ([order(A, B, Follow.GAP, forward=NEVER), order(A, B)], [exam("甲", A), exam("乙", B)], "甲乙甲"),
        ([order(A, B)], [exam("甲", A, B), exam("乙", A, B)], None),
    ],
)
def test_a_circle_is_named_and_nothing_else_is_called_one(rules, exams, circle):
    """E3: the shortest."""
    assert cycle(rules, exams) == (list(circle) if circle else None)


WAYS = st.sampled_from([(f, r) for f in Follow.values for r in Follow.values if (f, r) != (NEVER, NEVER)])
RULES = st.lists(
    st.builds(
        lambda first, second, way: order(first, second, way[1], forward=way[0]),
        st.sampled_from([1, 2, 3, 4, "i1", "i2"]), st.sampled_from([1, 2, 3, 4, "i1", "i3"]), WAYS,
    ),
    max_size=6,
)  # fmt: skip
EXAMS = st.lists(st.tuples(st.frozensets(st.integers(1, 4), max_size=2), st.integers(1, 4)), min_size=1, max_size=6)


def forbids(gap: Gap | None) -> int:
    return 2 if gap is None else int(gap.other_day)


@settings(max_examples=300, deadline=None)
@given(RULES, EXAMS)
def test_rules_without_a_circle_leave_an_order_that_bends_none_and_a_circle_leaves_none(rules, drawn):
    """E3: against what the planner hears, pair by pair, not against the search for circles."""
    exams = [Exam(key=f"e{n}", item=item, groups=groups) for n, (groups, item) in enumerate(drawn)]
    before = set()
    for heard in planner_rules(exams, rules):
        if forbids(heard.reverse) > forbids(heard.gap):
            before.add((heard.first, heard.second))
        elif forbids(heard.reverse) < forbids(heard.gap):
            before.add((heard.second, heard.first))

    circle = cycle(rules, exams)
    if circle:
        assert circle[0] == circle[-1]
        assert len(set(circle)) == len(circle) - 1
        assert set(pairwise(circle)) <= before
    left = {exam.key for exam in exams}
    while free := {key for key in left if not any(second == key and first in left for first, second in before)}:
        left -= free
    assert bool(left) is bool(circle)
