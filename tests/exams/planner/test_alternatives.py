"""What is said about a plan: what would save a trip, when an exam can begin at all, what first-come would book."""

from dataclasses import replace

from exams.planner import Gap, Option, Problem, Relaxed, Rule, Task, best, best_others, fewer, first_come, starts_on

from .scenes import NOON, at, exam, open_days

CT, MRI = "增强CT", "增强磁共振"
APART = Rule(CT, MRI, Gap(240), Gap(240), why="两种对比剂间隔4小时")


def two_contrasts(*mri: tuple[int, int]) -> Problem:
    """CT before noon, MRI at eleven of two days if not else where, and four hours between them."""
    mri = mri or ((at(0, 11), at(0, 11, 30)), (at(1, 11), at(1, 11, 30)))
    return Problem((exam(CT, 20, open_days(0, 1, 2, ends=NOON)), exam(MRI, 30, mri)), (APART,), days=3)


def test_what_would_save_a_trip_is_named_with_its_plan_and_the_shortest_comes_first():
    """E9: "one trip if the MRI could be in the afternoon"."""
    problem = two_contrasts()
    plan = best(problem)
    relaxed = [
        Relaxed("later", two_contrasts((at(2, 16), at(2, 17)))),
        Relaxed("afternoon", two_contrasts((at(1, 13), at(1, 14)))),
        Relaxed("no use", two_contrasts((at(1, 12), at(1, 12, 30)))),
    ]

    found = fewer(problem, plan, relaxed)

    assert plan.trips == 2
    assert [(each.key, each.plan.trips, each.plan.minutes) for each in found] == [
        ("afternoon", 1, 290),
        ("later", 1, 290),
    ]


def test_where_nothing_is_possible_what_makes_it_possible_is_named():
    problem = Problem((exam(CT, free=open_days(0, ends=8 * 60 + 10)),), days=2)
    relaxed = [Relaxed("tomorrow", Problem((exam(CT, free=open_days(1)),), days=2)), Relaxed("same", problem)]

    assert [each.key for each in fewer(problem, best(problem), relaxed)] == ["tomorrow"]


def test_when_an_exam_can_begin_on_a_day_joins_the_devices_that_can_do_it():
    """E9: "the only MRI that day is at 11:00"."""
    devices = (
        Option("一号", "一楼", ((at(0, 8), at(0, 9)), (at(1, 11), at(1, 11, 30)))),
        Option("二号", "二楼", ((at(0, 8, 45), at(0, 9, 30)), (at(0, 14), at(0, 14, 20)))),
        Option("慢机", "二楼", ((at(0, 15), at(0, 16)),), minutes=60),
    )
    problem = Problem((Task(MRI, 30, devices, before=10),), days=3)

    assert starts_on(problem, MRI, 0) == [(at(0, 8), at(0, 8, 30)), (at(0, 8, 45), at(0, 9)), (at(0, 15), at(0, 15))]
    assert starts_on(problem, MRI, 1) == [(at(1, 11), at(1, 11))]
    assert starts_on(problem, MRI, 2) == starts_on(problem, MRI, 9) == []


def test_first_come_books_each_exam_as_early_as_those_before_it_allow():
    problem = two_contrasts()

    ct_first, mri_first = first_come(problem, [CT, MRI]), first_come(problem, [MRI, CT])

    assert [(line.key, line.start) for line in ct_first.placed] == [(CT, at(0, 8)), (MRI, at(1, 11))]
    assert [(line.key, line.start) for line in mri_first.placed] == [(MRI, at(0, 11)), (CT, at(1, 8))]
    assert (ct_first.trips, ct_first.minutes, ct_first.end) == (2, 50, at(1, 11, 30))


def test_first_come_leaves_what_stands_and_walks_between_places():
    stands = exam("门诊", 15, [(at(0, 8), at(0, 8, 15))], place="三楼", stands=True)
    problem = Problem((exam("心电", 10), stands), walks={("一楼", "三楼"): 10}, days=1)

    assert [(line.key, line.start) for line in first_come(problem, ["心电"]).placed] == [
        ("门诊", at(0, 8)),
        ("心电", at(0, 8, 25)),
    ]
    full = replace(problem, tasks=(exam("心电", 10, [(at(0, 8), at(0, 8, 10))]), stands))
    assert first_come(full, ["心电"]) is None


def test_the_next_best_plans_are_on_other_days():
    problem = Problem((exam("超声"), exam("心电", 10)), days=3)
    plan = best(problem)

    others = best_others(problem, plan, count=3)

    assert [sorted(other.days) for other in (plan, *others)] == [[0], [1], [2], [0, 1]]
    assert [other.trips for other in others] == [1, 1, 2]


def test_without_time_to_think_there_is_still_a_plan_and_it_says_that_it_is_not_proven():
    problem = Problem(tuple(exam(str(number), 10 + 5 * number) for number in range(8)), days=14)

    plan = best(problem, seconds=0)

    assert plan.proven is False
    assert sorted(line.key for line in plan.placed) == [str(number) for number in range(8)]
