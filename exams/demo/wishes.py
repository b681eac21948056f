"""Who is asked for which exams, as item codes; a star: with contrast."""

import random
from dataclasses import dataclass

SINGLE = (  # codes, weight
    ("LB01", 10), ("LB02", 6), ("LB03", 5), ("LB04", 7), ("LB05", 4), ("US01", 9), ("US06", 5), ("US07", 4),
    ("US08", 4), ("US05", 5), ("XR01", 7), ("XR02", 4), ("EC01", 9), ("EC02", 3), ("CT01", 6), ("CT03", 4),
    ("CT02*", 3), ("MR01", 4), ("MR03", 4), ("MR04", 3), ("PF01", 3), ("TM01", 2), ("ES01", 3), ("NM02", 1),
)  # fmt: skip
SEVERAL = (
    (("US01", "LB02", "LB04"), 8),
    (("US01", "ES01"), 4),
    (("EC01", "US05", "LB05"), 6),
    (("XR01", "EC01", "LB01"), 6),
    (("CT02*", "US01"), 4),
    (("CT02*", "MR01*"), 2),
    (("LB01", "LB03", "EC01", "XR01", "PF01"), 3),
    (("MR03", "XR02"), 4),
    (("US01", "US02", "LB01"), 3),
    (("TM01", "US05", "EC01"), 3),
    (("US01", "XR03"), 2),
    (("US06", "LB07", "NM02"), 2),
    (("US08", "CT03", "LB05"), 3),
)
ONLY_WOMEN = {"US07", "US02"}


@dataclass(frozen=True)
class Habits:
    """Shares. `several`: of patients; the rest of exams or bookings."""

    several: float = 0.36
    soon: tuple[int, ...] = (0, 0, 1, 1, 1, 2, 2, 3, 4, 6)  # days after the request that one would come
    walk_in: float = 0.3  # of single exams: done at once, nobody booked a time
    alone: float = 0.3  # of simple single exams: booked on the phone at home
    centre: float = 0.2  # of the rest: at the booking centre
    first_come: float = 0.15  # of several: each booked by itself at its earliest time
    missed: float = 0.035
    cancelled: float = 0.04
    not_done: float = 0.01
    uses_result: float = 0.6  # of valid results that a doctor is told of
    unbooked: float = 0.04  # requests that nobody has booked yet


HABITS = Habits()


def draw(dice: random.Random, *, woman: bool) -> tuple[str, ...]:
    """The codes of one visit's exams."""
    if dice.random() < HABITS.several:
        codes = dice.choices([row[0] for row in SEVERAL], [row[1] for row in SEVERAL])[0]
    else:
        codes = (dice.choices([row[0] for row in SINGLE], [row[1] for row in SINGLE])[0],)
    return tuple(code for code in codes if woman or code not in ONLY_WOMEN) or ("LB01",)
