"""多项检查一次排齐 (E3): the fewest trips, then the least time in the house, then the earliest. Pure, without clock.

`problem` says what is asked, `search` finds the best plan and proves it; times are whole minutes from 00:00 of the
first day in the hospital's zone, which has no summer time.
"""

from .alternatives import Fewer, Relaxed, Starts, fewer, starts_on
from .one_by_one import first_come
from .problem import DAY, STEP, Gap, Option, Placed, Plan, Problem, Rule, Task
from .search import Solver, best, best_others

__all__ = [
    "DAY",
    "STEP",
    "Fewer",
    "Gap",
    "Option",
    "Placed",
    "Plan",
    "Problem",
    "Relaxed",
    "Rule",
    "Solver",
    "Starts",
    "Task",
    "best",
    "best_others",
    "fewer",
    "first_come",
    "starts_on",
]
