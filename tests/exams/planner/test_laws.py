"""No plan ever breaks a rule, whatever is asked; and the edges of days, devices and rules."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exams.planner import DAY, STEP, Gap, Option, Problem, Rule, Task, best, best_others, first_come

from .brute import cost, lines_of
from .scenes import EIGHT, at, exam, open_days

GAPS = st.sampled_from([None, Gap(), Gap(30), Gap(240), Gap(1440), Gap(2880), Gap(other_day=True), Gap(4320, True)])
MINUTES = st.integers(1, 9).map(lambda steps: steps * STEP)


PLACES = ("一楼", "二楼", "东院")
DEVICES = st.tuples(st.integers(1, 127), st.integers(0, 60), st.integers(1, 30), st.integers(0, 2))
TASKS = st.tuples(MINUTES, st.sampled_from([(0, 0), (10, 0), (0, 30)]), st.lists(DEVICES, min_size=1, max_size=2))
PAIRS = st.permutations(range(6)).map(lambda order: order[:2])


def free(days: int, opens: int, steps: int) -> tuple[tuple[int, int], ...]:
    """The days of a mask, each from so many steps after eight, half an hour later on every other day."""
    first = [day * DAY + EIGHT + STEP * (opens + day % 2 * 6) for day in range(7) if days >> day & 1]
    return tuple((start, start + STEP * steps) for start in first)


@st.composite
def questions(draw):
    tasks = [
        Task(
            str(number),
            minutes,
            tuple(Option(f"{n}", PLACES[place], free(*when)) for n, (*when, place) in enumerate(options)),
            *around,
        )
        for number, (minutes, around, options) in enumerate(draw(st.lists(TASKS, min_size=1, max_size=6)))
    ]
    drawn = draw(st.lists(st.tuples(PAIRS, GAPS, GAPS), max_size=4))
    walks = {("一楼", "二楼"): 10, ("一楼", "东院"): 60, ("二楼", "东院"): 60}
    return Problem(tuple(tasks), tuple(Rule(str(a), str(b), one, other) for (a, b), one, other in drawn), walks, 7)


@settings(max_examples=120, deadline=None)
@given(questions())
def test_no_plan_breaks_a_rule_a_gap_a_walk_or_a_free_time(problem):
    """E3: proven, cut short, next best and one by one alike: the brute force finds no fault with any of them."""
    plan = best(problem)
    order = [task.key for task in problem.tasks]
    others = best_others(problem, plan) if plan else []

    for each in (plan, best(problem, seconds=0), first_come(problem, order), *others):
        if each:
            assert cost(problem, lines_of(problem, each)) == each.cost
            assert plan.cost <= each.cost


def test_an_exam_longer_than_any_gap_has_no_plan():
    assert (
        best(Problem((exam("核医学", 45, [(at(0, 8), at(0, 8, 40)), (at(1, 8), at(1, 8, 40))]), exam("心电")))) is None
    )


def test_nothing_to_plan_is_no_plan():
    assert best(Problem(())) is None


def test_watching_after_an_exam_does_not_reach_over_midnight_and_the_drip_not_before_it():
    late = exam("增强CT", 20, [(at(0, 23), at(1, 0))], after=30)
    early = exam("核医学", 20, [(at(1, 0), at(1, 0, 45))], before=15)

    assert best(Problem((late,))).placed[0].start == at(0, 23)
    assert best(Problem((replace(late, after=45),))) is None
    assert best(Problem((early,))).placed[0].start == at(1, 0, 15)


def test_an_exam_may_take_the_whole_day():
    assert best(Problem((exam("动态心电", DAY, [(at(1, 0), at(2, 0))]),))).minutes == DAY


def test_a_visit_that_stands_makes_its_day_the_trip_and_is_walked_to():
    """E3: the consultation on Thursday at 9:03 is where it is."""
    visit = exam("复诊", 12, [(at(2, 9, 3), at(2, 9, 15))], place="三楼", stands=True)
    problem = Problem((exam("超声", 20), visit), walks={("一楼", "三楼"): 10})

    plan = best(problem)

    assert (plan.trips, plan.days, plan.end) == (1, {2}, at(2, 8, 50))
    assert [(line.key, line.start, line.end) for line in plan.placed] == [
        ("超声", at(2, 8, 30), at(2, 8, 50)),
        ("复诊", at(2, 9, 3), at(2, 9, 15)),
    ]


def test_a_gap_to_another_day_counts_minutes_too():
    """rules.md: gadolinium seven days, iodine two days before."""
    tasks = (exam("增强CT", free=open_days(0, 1, 2, 3)), exam("增强磁共振", free=open_days(0, 1, 2, 3)))
    rule = Rule("增强CT", "增强磁共振", Gap(2880, other_day=True), None)

    plan = best(Problem(tasks, (rule,)))

    assert [line.start for line in plan.placed] == [at(0, 8), at(2, 8, 20)]
    assert best(Problem(tasks, (replace(rule, gap=Gap(3 * DAY + 9 * 60)),))) is None


@pytest.mark.parametrize("size", [2, 3, 8])
def test_rules_in_a_circle_have_no_plan_and_that_is_known_at_once(size):
    keys = [str(number) for number in range(size)]
    rules = tuple(Rule(one, other, Gap(), None) for one, other in zip(keys, keys[1:] + keys[:1], strict=True))

    assert best(Problem(tuple(exam(key, free=open_days(*range(14))) for key in keys), rules)) is None


def test_a_device_may_need_its_own_time():
    slow = Option("旧机", "一楼", open_days(0), minutes=40)
    quick = Option("新机", "一楼", ((at(0, 9), at(0, 9, 20)),))

    assert best(Problem((Task("磁共振", 20, (slow, quick)),), days=1)).placed[0].device == "新机"
    assert best(Problem((Task("磁共振", 20, (slow,)),), days=1)).minutes == 40


def test_a_rule_about_an_exam_that_is_not_asked_for_means_nothing():
    assert best(Problem((exam("超声"),), (Rule("超声", "钡餐", None, None),))).trips == 1


def test_of_two_exams_four_hours_apart_in_either_order_the_shorter_order_is_found():
    """rules.md: iodine and gadolinium on one day, four hours apart."""
    ct = exam("增强CT", 20, [(at(0, 8), at(0, 8, 20)), (at(0, 16), at(0, 16, 20))])
    mri = exam("增强磁共振", 20, [(at(0, 11, 30), at(0, 11, 50)), (at(0, 13), at(0, 13, 20))])
    apart = Rule("增强CT", "增强磁共振", Gap(240), Gap(240))

    for tasks in ((ct, mri), (mri, ct)):
        plan = best(Problem((*tasks, exam("心电", 10)), (apart,), days=1))
        assert [line.key for line in plan.placed] == ["增强磁共振", "心电", "增强CT"]
        assert plan.minutes == 290


def test_the_way_round_by_another_exam_may_be_shorter_than_the_way_written_down():
    walks = {("一楼", "东院"): 90, ("一楼", "二楼"): 5, ("二楼", "东院"): 5}
    times = {
        "一楼": (at(0, 8), at(0, 8, 10)),
        "二楼": (at(0, 8, 15), at(0, 8, 25)),
        "东院": (at(0, 8, 30), at(0, 8, 40)),
    }
    tasks = tuple(exam(place, 10, [when], place=place) for place, when in times.items())

    assert best(Problem(tasks, walks=walks, days=1)).minutes == 40
