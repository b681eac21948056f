"""What is said of what would save a trip, and of what is impossible, is true (E3): each sentence's claim is asked of
trying everything, on small questions drawn at random. The times are found here from what the sentences speak of, not
from what the planner is asked. What the reader would have read is given; the tables are empty."""

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from itertools import product
from random import Random

import pytest

from appointments.selectors.rules import ChannelPools
from exams.models import (
    Device,
    DeviceAbility,
    ExamBooking,
    ExamItem,
    ExamRequest,
    ExamRule,
    ExamVariant,
    ExamZone,
    Preparation,
)
from exams.planner import DAY, STEP, Gap, Rule, Solver
from exams.policies.spans import Counted
from exams.selectors.around import Promise, Standing
from exams.selectors.pieces import Piece
from exams.selectors.planning import Given, Ground
from exams.selectors.walks import Walks
from exams.services import explaining
from exams.services.planning import Wishes
from tests.exams.planner import brute

pytestmark = pytest.mark.django_db

FIRST = date(2026, 11, 28)  # over the turn of the month
WALK, MINUTES, OPENS = 10, 10, 7 * 60
GAPS = (None, Gap(), Gap(30), Gap(30), Gap(other_day=True), Gap(1440))


@dataclass
class Exam:
    free: list  # (start, end) on its one device, in minutes of FIRST
    reserved: list
    zone: int
    latest: time | None = None
    lead: int = 0
    result: int = 0
    wanted: int | None = None  # day
    apart: int | None = None  # day that another exam forbids
    device: bool = True


@dataclass
class Question:
    days: int
    more: int  # days that the house opens besides
    now: int
    exams: dict[str, Exam]
    rules: list[Rule]
    half: str = ""
    without: int | None = None
    back: int | None = None
    visits: list = field(default_factory=list)


def drawn(dice: Random) -> Question:
    tight = dice.random() < 0.4  # else there is a plan as a rule
    days, more = dice.choice([1, 2, 2, 3] if tight else [2, 2, 3]), dice.choice([0, 0, 1])
    some = lambda chance, value: value if dice.random() < chance else None  # noqa: E731
    exams = {}
    for key in ("1", "2", "3")[: dice.choice([1, 2, 2, 3] if tight else [2, 2, 3])]:
        exams[key] = Exam(
            free=stretches(dice, days + more, (0, 0, 1, 1, 2) if tight else (0, 1, 1, 2)),
            reserved=stretches(dice, days + more, (0, 0, 0, 1)),
            zone=dice.choice([1, 2]),
            latest=some(0.25 * tight, time(9)),
            lead=dice.choice([0, 0, 480, 1500]) * tight,
            result=dice.choice([0, 0, 60, 1440]),
            wanted=some(0.15 * tight, dice.randrange(days)),
            apart=some(0.1, dice.randrange(days)),
            device=not some(0.03 * tight, True),
        )
    pairs = [("1", "2"), ("2", "3")][: dice.choice([0, 1, 2])]
    rules = [Rule(*pair, gap=dice.choice(GAPS), reverse=dice.choice(GAPS), why=f"规程{pair}") for pair in pairs]
    return Question(
        days, more, now=dice.choice([0, 480]), exams=exams, half=dice.choice(["", "", "am", "pm" if tight else "am"]),
        rules=[rule for rule in rules if {rule.first, rule.second} <= exams.keys()],
        without=some(0.2, dice.randrange(days)), back=some(0.25, dice.randrange(days + 1)),
        visits=[visit(dice, days)] if dice.random() < 0.35 else [],
    )  # fmt: skip


def stretches(dice: Random, days: int, counts) -> list:
    found = []
    for day in range(days):
        for _stretch in range(dice.choice(counts)):
            start = day * DAY + dice.choice([400, 510, 540, 540, 780, 1425]) + STEP * dice.randint(0, 2)
            found.append((start, min(start + dice.choice([5, 10, 10, 15]), (day + 1) * DAY)))
    return apart_from_each_other(found)


def apart_from_each_other(found: list) -> list:
    kept = []
    for start, end in sorted(found):
        if not kept or start > kept[-1][1]:
            kept.append((start, end))
    return kept


def visit(dice: Random, days: int):
    start = dice.randrange(days) * DAY + dice.choice([500, 540, 780])
    return start, start + dice.choice([30, 120])


# ---- the answer by trying everything ----


@dataclass(frozen=True)
class Place:
    key: str
    zone: int
    start: int

    @property
    def day(self) -> int:
        return self.start // DAY


def begins(asked: Question, key: str, without: set[str] = frozenset()) -> list[Place]:
    """Each whole step at which this exam could begin if it were the only one."""
    exam = asked.exams[key]
    days = asked.days + (asked.more if "days" in without else 0)
    free = exam.free + (exam.reserved if "reserves" in without else [])
    starts = {start for first, last in free for start in range(first, last - MINUTES + 1, STEP)}
    return [
        Place(key, exam.zone, start)
        for start in sorted(starts)
        if exam.device and start >= asked.now and start + MINUTES <= days * DAY and may(asked, exam, start, without)
    ]


def may(asked: Question, exam: Exam, start: int, without: set[str]) -> bool:
    day, wall, end = start // DAY, start % DAY, start + MINUTES
    if "halves" not in without and (asked.half == "am" and wall + MINUTES > 720 or asked.half == "pm" and wall < 720):
        return False
    if "without_days" not in without and day == asked.without:
        return False
    ready = start >= asked.now + exam.lead and OPENS <= wall <= latest_of(exam)
    if "preparation" not in without and not ready:
        return False
    if "others" not in without and day == exam.apart:
        return False
    if "results" not in without:
        if asked.back is not None and "return" not in without and end > back_by(asked) - exam.result:
            return False
        if exam.wanted is not None and end > (exam.wanted + 1) * DAY:
            return False
    return "busy" in without or all(end + WALK <= first or start >= last + WALK for first, last in asked.visits)


def latest_of(exam: Exam) -> int:
    return exam.latest.hour * 60 if exam.latest else DAY


def back_by(asked: Question) -> int:
    of_day = [first for first, _last in asked.visits if first // DAY == asked.back]
    return min(of_day, default=asked.back * DAY + OPENS)


def placed(asked: Question, keys=None, without: set[str] = frozenset(), rules=None) -> set[frozenset[int]]:
    """Sets of days on which these exams can all be done."""
    rules = asked.rules if rules is None else rules
    found = set()
    for places in product(*(begins(asked, key, without) for key in keys or asked.exams)):
        by_key = {place.key: place for place in places}
        if all(far_enough(one, other) for one in places for other in places if one.key < other.key) and all(
            obeys(rule, by_key) for rule in rules
        ):
            found.add(frozenset(place.day for place in places))
    return found


def far_enough(one: Place, other: Place) -> bool:
    return abs(one.start - other.start) >= MINUTES + (0 if one.zone == other.zone else WALK)


def obeys(rule: Rule, places: dict[str, Place]) -> bool:
    if not {rule.first, rule.second} <= places.keys():
        return True
    lines = [brute.Line(None, "", p.start, p.start + MINUTES, p.start, p.start + MINUTES) for p in
             (places[rule.first], places[rule.second])]  # fmt: skip
    return brute.obeys(rule, *lines)


# ---- the same as the page would ask it ----


@dataclass
class Read(Ground):
    """With what would be read from the tables."""

    question: Question = None

    @property
    def between(self):
        here = {str(each.pk) for each in self.requests}
        return tuple(rule for rule in self.question.rules if {rule.first, rule.second} <= here)

    @property
    def apart(self):
        days = {int(key): exam.apart for key, exam in self.question.exams.items()}
        return {pk: [] if day is None else [(day * DAY, day * DAY + DAY)] for pk, day in days.items()}

    @property
    def all_pools(self):
        return self.look(None)

    def look(self, pools):
        found = {}
        for key, exam in self.question.exams.items():
            free = exam.free + (exam.reserved if pools is None else [])
            now = self.question.now
            found[int(key)] = [(max(a, now), b, 0) for a, b in sorted(free) if b > now and a < self.days * DAY]
        return found


def ground_of(asked: Question) -> Read:
    zones = {pk: ExamZone(pk=pk, campus_id=1) for pk in (1, 2)}
    rule = ExamRule(horizon_days=asked.days + asked.more - 1, walk_minutes=WALK)
    requests, able = [], {}
    for key, exam in asked.exams.items():
        preparation = None
        if exam.latest or exam.lead:
            preparation = Preparation(lead_minutes=exam.lead, latest_start=exam.latest)
        item = ExamItem(name=f"项目{key}", result_minutes=exam.result)
        variant = ExamVariant(pk=int(key), item=item, minutes=MINUTES, before=0, after=0, preparation=preparation)
        wanted = FIRST + timedelta(days=exam.wanted) if exam.wanted is not None else None
        requests.append(ExamRequest(pk=int(key), variant=variant, wanted_by=wanted, patient_id=0, organization_id=0))
        device = Device(pk=int(key), zone=zones[exam.zone])
        able[int(key)] = [DeviceAbility(device=device, variant=variant)] if exam.device else []
    counted = Counted(FIRST)
    ground = Read(
        requests=requests, channel="consult", partner=None, now=counted.moment(asked.now), rule=rule, counted=counted,
        days=asked.days, pools=ChannelPools(ids=(), public=None, team=None), able=able,
        pieces=[Piece(str(each.pk), (each,)) for each in requests], ordering=[], free={},
        standing=[Standing(ExamBooking(variant=ExamVariant(item=ExamItem(name="已约"))), None, None, None)],
        promised=[
            Promise("appointment", number, counted.moment(first), counted.moment(last), campus=1)
            for number, (first, last) in enumerate(asked.visits)
        ],
        walking=Walks({}, rule), question=asked,
    )  # fmt: skip
    ground.free = ground.look(ground.pools)
    return ground


def wishes_of(asked: Question) -> Wishes:
    day = lambda number: FIRST + timedelta(days=number)  # noqa: E731
    return Wishes(
        halves=(asked.half,) if asked.half else (),
        without_days=(day(asked.without),) if asked.without is not None else (),
        return_day=day(asked.back) if asked.back is not None else None,
    )


# ---- what is claimed ----

DROPPED = {
    "without_halves": {"halves"}, "without_without_days": {"without_days"}, "without_return": {"return"},
    "with_reserves": {"reserves"}, "later": {"days"},
}  # fmt: skip
WISHES = {"halves", "without_days"}
BARE = {"preparation", "others", "results", "busy", *WISHES}


def saves(asked: Question, reason) -> bool:
    """On just these dates it can all be done."""
    days = {(date(2026, *map(int, told.split("-"))) - FIRST).days for told in reason.params["dates"]}
    return len(days) == reason.params["saves_to"] and frozenset(days) in placed(asked, without=DROPPED[reason.code])


def is_so(asked: Question, reason) -> bool:
    if reason.code in DROPPED:
        return saves(asked, reason)
    if reason.code == "rule_blocks":
        [rule] = [rule for rule in asked.rules if rule.why == reason.params["why"]]
        pair = (rule.first, rule.second)
        others = [other for other in asked.rules if other is not rule]
        both = [other for other in asked.rules if {other.first, other.second} == set(pair)]
        return not placed(asked, pair, rules=both) and bool(placed(asked, rules=others))
    if reason.code == "together":
        return all(begins(asked, key) for key in asked.exams) and not placed(asked)
    key = reason.params["exam"].removeprefix("项目")
    return not begins(asked, key) and is_so_of_one(asked, reason, key)


def is_so_of_one(asked: Question, reason, key: str) -> bool:
    exam, said = asked.exams[key], reason.params
    fits = lambda *without: bool(begins(asked, key, set(without)))  # noqa: E731
    free = [
        min(b, asked.days * DAY) - max(a, asked.now) for a, b in exam.free if asked.now < b and a < asked.days * DAY
    ]
    early = not any(place.start % DAY >= OPENS for place in begins(asked, key, {"preparation"}))
    claims = {
        "no_device": lambda: not exam.device,
        "no_session": lambda: exam.device and not free,
        "too_long": lambda: max(free) == said["longest_minutes"] < said["needs_minutes"] == MINUTES,
        "results": lambda: fits("results") and fits("return"),
        "wanted_by": lambda: fits("results") and exam.wanted is not None,
        "wishes": lambda: fits(*WISHES),
        "fasting": lambda: fits("preparation") and not in_hours(asked, key),
        "lead": lambda: said["lead_minutes"] == exam.lead > 0 and bool(in_hours(asked, key)),
        "others": lambda: fits("others"),
        "busy": lambda: fits("busy"),
        "several": lambda: (
            fits(*BARE) and early and not any(fits(*one) for one in ({"results"}, WISHES, {"others"}, {"busy"}))
        ),
    }
    return claims[reason.code]()


def in_hours(asked: Question, key: str) -> list[Place]:
    """Those for which the patient would only have to be ready."""
    latest = latest_of(asked.exams[key])
    return [each for each in begins(asked, key, {"preparation"}) if OPENS <= each.start % DAY <= latest]


def test_what_would_save_a_trip_does_and_what_is_impossible_is_so_for_the_reason_that_is_given():
    """E3"""
    dice, heard = Random("ways"), {}
    for _question in range(240):
        asked = drawn(dice)
        ground, given = ground_of(asked), Given(wishes_of(asked))
        problem = ground.problem(given)
        plan, days = Solver(problem).best(), placed(asked)
        assert (plan is not None) == bool(days), asked
        if plan is None:
            said = explaining.why_impossible(ground, given)
            assert said, asked
        else:
            mine = {line.start // DAY for line in plan.placed if line.device}
            assert mine in days, asked
            _why, said = explaining.why_not_fewer(ground, given, problem, plan, trips=len(mine))
            assert all(reason.params["saves_to"] < len(mine) for reason in said), asked
        for reason in said:
            heard[reason.code] = heard.get(reason.code, 0) + 1
            assert is_so(asked, reason), (reason.sentence, asked)
    assert len(heard) >= 15, heard
