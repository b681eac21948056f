"""What people do, as draws from a seeded source: pure, no database, no clock. Minutes and days throughout.

Sources of the orders of magnitude: no-show rates of 3 to 16 % in large hospitals, growing with the days between
booking and visit; consultations of 5 to 15 minutes, longer at first visits; most people come 5 to 40 minutes early.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

DEMAND = {  # how sought after a department is; others count 4
    "XNK": 36, "NFM": 24, "GK": 24, "EK": 20, "FK": 18, "PWK": 14, "XHK": 14, "HXK": 14, "SNK": 10, "CK": 10, "MNK": 9,
    "JSK": 9, "YK": 8, "PFK": 8, "RXK": 8, "KQK": 8, "EBH": 7, "XYK": 7, "FSK": 7, "ZLK": 7, "ZJK": 7, "SBK": 6,
    "KFK": 6, "ZYN": 6, "XWK": 6, "QKY": 5,
}  # fmt: skip
CHILDREN = ("EK", "XSE", "XEW", "EBK")
WOMEN = ("FK", "CK", "SZK")
OLD = ("XNK", "NFM", "SNK", "LNK", "YK")
YOUNG_CHANNELS = {"web": 45, "app": 40, "phone": 3, "kiosk": 4, "counter": 8}
OLD_CHANNELS = {"web": 12, "app": 18, "phone": 25, "kiosk": 15, "counter": 30}
POPULARITY = {"general": 3.0, "specialty": 3.0, "associate": 4.0, "chief": 6.0, "team": 2.0}
MINUTES = {"general": 6.0, "specialty": 7.0, "associate": 8.0, "chief": 9.5, "team": 14.0}
RETURN_DAYS = ((7, 20), (14, 25), (28, 40), (90, 15))
CONDITIONS = {
    "XNK": ("高血压", "冠心病", "心力衰竭", "高脂血症"), "NFM": ("2型糖尿病", "甲状腺功能减退", "骨质疏松"),
    "HXK": ("慢阻肺", "支气管哮喘"), "XHK": ("慢性胃炎", "胃食管反流"), "SNK": ("脑梗死恢复期", "偏头痛"),
    "GK": ("膝骨关节炎", "腰椎间盘突出"), "EK": ("儿童哮喘",), "YK": ("白内障", "青光眼"),
}  # fmt: skip
ALLERGIES = ("青霉素", "头孢类", "磺胺类", "碘对比剂", "海鲜")


@dataclass(slots=True)
class Persona:
    """One patient's habits. `seen` are departments that know the patient already."""

    patient: int
    age: int
    departments: tuple[str, ...]
    channels: dict[str, int]
    keeps: float  # chance to come to a visit booked for tomorrow
    seen: set[str]


def persona(dice: random.Random, *, patient: int, age: int, woman: bool, codes: list[str], community: str) -> Persona:
    """Habits by age and sex: children see the children's doctors, the old come for what is chronic."""
    chosen = dict.fromkeys(dice.choices(codes, _pulls(tuple(codes), age, woman), k=dice.choice((1, 2, 2, 3))))
    if dice.random() < 0.12:
        chosen[community] = None
    channels = OLD_CHANNELS if age >= 65 else YOUNG_CHANNELS
    return Persona(patient, age, tuple(chosen), channels, dice.betavariate(28, 1.3), set())


@cache
def _pulls(codes: tuple[str, ...], age: int, woman: bool) -> list[float]:
    return [_pull(code, age=age, woman=woman) for code in codes]


def _pull(code: str, *, age: int, woman: bool) -> float:
    weight = DEMAND.get(code, 4)
    if age < 14:
        return weight * 4 if code in CHILDREN else 1 if code in ("YK", "EBH", "PFK", "KQK") else 0
    if code in CHILDREN or (code in WOMEN and not (woman and age < 75)):
        return 0
    if code == "CK":
        return weight * 2 if 20 <= age <= 42 else 0
    return weight * 2.5 if age >= 60 and code in OLD else weight


def wishes_on(dice: random.Random, day: date, usual: int) -> int:
    """How many people want to be seen: fewer at weekends."""
    mean = usual * (0.45 if day.isoweekday() > 5 else 1.12 if day.isoweekday() == 1 else 1.0)
    return max(0, round(dice.gauss(mean, mean**0.5)))


def minute_of_booking(dice: random.Random, channel: str) -> int:
    """Minute of the day: the web has its crowd at the release at 07:00, the window its hours."""
    if channel in ("web", "app") and dice.random() < 0.35:
        return 7 * 60 + min(120, int(dice.expovariate(1 / 12)))
    if channel in ("web", "app"):
        return dice.randrange(8 * 60, 22 * 60 + 30)
    return dice.randrange(7 * 60 + 30, 17 * 60)


def days_ahead(dice: random.Random) -> int:
    """How long before the visit a person books for himself: tomorrow is the favourite."""
    return min(7, 1 + int(dice.expovariate(1 / 1.8)))


def comes(dice: random.Random, person: Persona, *, waited_days: int, channel: str) -> bool:
    """Whether a booked patient comes. In the consult room the visit was agreed with the doctor."""
    forgotten = 0.0012 * waited_days * (0.5 if channel in ("consult", "ward") else 1.0)
    return dice.random() < person.keeps - forgotten


def cancels_today(dice: random.Random, *, channel: str) -> bool:
    """Whether somebody gives his number back on any one day before the visit."""
    return dice.random() < (0.006 if channel in ("consult", "ward") else 0.02)


def early_by(dice: random.Random) -> timedelta:
    """How long before the booked minute a patient checks in; below zero is late."""
    return timedelta(minutes=max(-25.0, min(75.0, dice.gauss(17, 14))))


def consultation(dice: random.Random, *, level: str, first: bool, pace: float) -> timedelta:
    """How long the doctor takes. `pace` is the doctor's own factor."""
    minutes = MINUTES[level] * pace * (1.2 if first else 0.92) * dice.lognormvariate(-0.08, 0.4)
    return timedelta(minutes=max(1.5, min(45.0, minutes)))


def returns_in(dice: random.Random, *, level: str) -> int | None:
    """In how many days the doctor wants to see the patient again, if at all."""
    if dice.random() > (0.5 if level in ("chief", "associate", "specialty") else 0.3):
        return None
    days, weights = zip(*RETURN_DAYS, strict=True)
    return dice.choices(days, weights)[0]


def stays_silent(dice: random.Random) -> bool:
    """Whether a patient whose doctor is away leaves the message unanswered."""
    return dice.random() < 0.25


def thinks_it_over(dice: random.Random) -> timedelta:
    """How long until the others answer: half within the hour, the last on the next day."""
    return timedelta(minutes=2 + dice.lognormvariate(4.1, 1.1))


def answer_to_stop(dice: random.Random, *, substitute: bool) -> str:
    """Most take the other doctor; without one most take another day."""
    return dice.choices(("accept", "move", "cancel"), (60, 25, 15) if substitute else (0, 65, 35))[0]
