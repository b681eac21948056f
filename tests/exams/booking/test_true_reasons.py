"""What is said of a plan with several trips is true (E3): each sentence's claim is asked of trying everything, on
questions drawn at random. No database: what the reader would have read is given."""

from dataclasses import replace
from datetime import date, time
from random import Random

from exams.models import ExamItem, ExamRequest, ExamRule, ExamVariant
from exams.planner import DAY, STEP, Gap, Option, Problem, Rule, Task, best
from exams.policies.spans import Counted
from exams.selectors.planning import Given, Ground, Piece
from exams.services import explaining
from exams.services.planning import Wishes
from hospital import clock
from tests.exams.planner import brute

FIRST = date(2026, 11, 24)
EXAMS = ("0", "1", "2")
GAPS = (None, Gap(), Gap(), Gap(15), Gap(30), Gap(30), Gap(60), Gap(other_day=True), Gap(1440))


def drawn(dice: Random) -> Problem:
    """Three exams on two or three days, within an hour or two of a morning; now and then a visit stands at noon."""
    days = dice.choice([2, 3])
    tasks = []
    for key in EXAMS:
        free = []
        for day in range(days):
            for _stretch in range(dice.choice([0, 1, 1, 2])):
                start = day * DAY + 480 + STEP * dice.randint(0, 12)
                free.append((start, start + dice.choice([10, 15, 20])))
        tasks.append(Task(key, 10, (Option("1", "z1", tuple(free)),)))
    if dice.random() < 0.25:
        start = dice.randrange(days) * DAY + 720
        tasks.append(Task("visit", 20, (Option("", "s", ((start, start + 20),)),), stands=True))
    pairs = dice.sample([("0", "1"), ("1", "2"), ("2", "0")], dice.randint(1, 2))
    rules = [Rule(*pair, gap=dice.choice(GAPS), reverse=dice.choice(GAPS), why=f"规程{pair}") for pair in pairs]
    return Problem(tuple(tasks), tuple(rules), days=days)


def ground_of(problem: Problem) -> Ground:
    requests = [ExamRequest(pk=int(key), variant=ExamVariant(item=ExamItem(name=f"项目{key}"))) for key in EXAMS]
    ground = Ground(
        requests=requests, channel="web", partner=None, now=clock.at(FIRST, time(0)),
        rule=ExamRule(horizon_days=problem.days - 1), counted=Counted(FIRST), days=problem.days, pools=None, able={},
        pieces=[Piece(str(each.pk), (each,)) for each in requests], ordering=[], free={}, standing=[], promised=[],
        walking=None,
    )  # fmt: skip
    ground.between = problem.rules
    return ground


# ---- what is claimed, asked of trying everything ----


def fewest(problem: Problem) -> int | None:
    """Days with an exam; what stands is after all of them, so in nobody's way."""
    cost = brute.cheapest(replace(problem, tasks=tuple(task for task in problem.tasks if not task.stands)))
    return cost and cost[0]


def begins(problem: Problem, exam: str, day: int) -> list[int]:
    task = next(task for task in problem.tasks if task.key == exam)
    return sorted({line.start for line in brute.choices(task) if line.day == day})


def two_fit(problem: Problem, rule: Rule, day: int) -> bool:
    here = lambda task: replace(  # noqa: E731
        task, options=tuple(replace(o, free=tuple(s for s in o.free if s[0] // DAY == day)) for o in task.options)
    )
    two = tuple(here(task) for task in problem.tasks if task.key in (rule.first, rule.second))
    return brute.cheapest(Problem(two, (rule,), days=problem.days)) is not None


def way(rule: Rule, said: dict) -> tuple[str, Gap | None, Gap | None]:
    """(the second exam of the sentence, its gap after the first, the gap of the other order)."""
    if said["first"] == f"项目{rule.first}":
        return rule.second, rule.gap, rule.reverse
    return rule.first, rule.reverse, rule.gap


def same_day(gap: Gap | None) -> bool:
    return gap is not None and not gap.other_day


def is_true(code: str, said: dict, problem: Problem) -> bool:
    days = range(problem.days)
    if code in ("no_common_day", "does_not_fit"):
        free = {f"项目{exam}": [day for day in days if begins(problem, exam, day)] for exam in EXAMS}
        common = set.intersection(*(set(each) for each in free.values()))
        if code == "does_not_fit":
            return bool(common)
        dates = {exam: [f"11-{24 + day}" for day in found] for exam, found in free.items()}
        return not common and all(dates[exam] == told for exam, told in said["days_of"])
    rule = next(rule for rule in problem.rules if rule.why == said["why"])
    second, gap, back = way(rule, said)
    if fewest(replace(problem, rules=tuple(each for each in problem.rules if each is not rule))) >= said["trips"]:
        return False  # it costs no trip
    if code == "rule_days":
        return not same_day(gap) and not same_day(back)
    if not same_day(gap) or gap.minutes != said.get("gap_minutes", 0):
        return False
    if code in ("rule_gap", "rule_gap_only", "rule_order"):
        shown = [(begins(problem, second, day), day) for day in days if not two_fit(problem, rule, day)]
        shown = [starts for starts, _day in shown if starts]
        if code == "rule_order":
            return bool(shown)
        last = [starts for starts in shown if wall(starts[-1]) == said["last"]]
        return any(code == "rule_gap" or len(starts) == 1 for starts in last)
    if code == "rule_first":
        return not same_day(back)
    return code == "rule_after" or back == gap


def wall(minute: int) -> str:
    return f"{minute % DAY // 60:02d}:{minute % 60:02d}"


def test_every_reason_for_a_second_trip_is_true():
    dice, heard = Random("reasons"), {}
    for _question in range(400):
        problem = drawn(dice)
        plan = best(problem)
        if plan is None:
            continue
        trips = len({line.start // DAY for line in plan.placed if line.device})
        reasons, _savings = explaining.why_not_fewer(ground_of(problem), Given(Wishes()), problem, plan, trips=trips)
        for reason in reasons:
            heard[reason.code] = heard.get(reason.code, 0) + 1
            assert 1 < trips == fewest(problem), reason.sentence
            assert is_true(reason.code, reason.params, problem), (reason.sentence, problem)
    assert len(heard) >= 8, heard
