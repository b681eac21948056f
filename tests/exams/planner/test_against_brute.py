"""The oracle: what the planner calls the best is what trying everything finds (E3)."""

from random import Random

from exams.planner import best, best_others, first_come

from .brute import cheapest, cost, lines_of, ways
from .drawn import question

MOST_WAYS = 800
"""A question with more ways than this is passed over: thousands of small ones say more than one large one."""


def test_on_thousands_of_random_questions_the_planner_finds_the_same_cost_as_trying_everything():
    """E3: proven optimal: trips, then minutes in the house, then the end."""
    asked = answered = 0
    for seed in range(2_600):
        problem = question(Random(seed))
        if ways(problem) > MOST_WAYS:
            continue
        asked += 1
        plan = best(problem)
        assert (plan and plan.cost) == cheapest(problem), f"seed {seed}"
        if plan:
            answered += 1
            assert plan.proven
            assert cost(problem, lines_of(problem, plan)) == plan.cost, f"seed {seed}: not what it says"
    assert asked > 2_000
    assert answered > 1_000


def test_no_other_plan_and_no_plan_booked_one_by_one_is_better_than_the_best():
    for seed in range(300):
        problem = question(Random(seed))
        plan = best(problem)
        others = best_others(problem, plan, count=2) if plan else []
        costs = [each.cost for each in (plan, *others) if each]
        assert costs == sorted(costs), f"seed {seed}"
        assert len({each.days for each in others} | ({plan.days} if plan else set())) == len(costs)
        one_by_one = first_come(problem, [task.key for task in problem.tasks])
        for each in (*others, *([one_by_one] if one_by_one else [])):
            assert cost(problem, lines_of(problem, each)) == each.cost, f"seed {seed}"
            assert plan.cost <= each.cost
