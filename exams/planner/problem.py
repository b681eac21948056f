"""What the planner is asked and what it answers."""

from dataclasses import dataclass, field

STEP = 5
"""Minutes. Exams start on whole steps; lengths, gaps and walks are rounded up to them by the planner."""

DAY = 24 * 60


@dataclass(frozen=True)
class Option:
    """One device that can do the exam, where it stands, and when it is free: half-open ranges within one day each.
    `minutes` where this device takes another time than the others."""

    device: str
    place: str
    free: tuple[tuple[int, int], ...]
    minutes: int | None = None


@dataclass(frozen=True)
class Task:
    """An exam (or a lab test, or a visit that stands already). The device is taken for `minutes`; the patient also for
    `before` (a drip, a drink) and `after` (30 minutes of watching after contrast)."""

    key: str
    minutes: int
    options: tuple[Option, ...]
    before: int = 0
    after: int = 0
    stands: bool = False  # booked already, so with one start only: its day is a trip anyway, its end nothing to hurry

    def minutes_on(self, option: Option) -> int:
        return option.minutes or self.minutes


@dataclass(frozen=True)
class Gap:
    """From the end of one exam on its device to the start of the other, in minutes; `other_day`: not on one day."""

    minutes: int = 0
    other_day: bool = False


@dataclass(frozen=True)
class Rule:
    """How two exams may follow each other. None: never in that order. `why` is shown to people."""

    first: str
    second: str
    gap: Gap | None = field(default_factory=Gap)  # first before second
    reverse: Gap | None = None  # second before first
    why: str = ""


@dataclass(frozen=True)
class Problem:
    tasks: tuple[Task, ...]
    rules: tuple[Rule, ...] = ()
    walks: dict[tuple[str, str], int] = field(default_factory=dict)  # minutes between places, either way; unnamed: 0
    days: int = 14


@dataclass(frozen=True)
class Placed:
    key: str
    device: str
    place: str
    start: int
    end: int


@dataclass(frozen=True)
class Plan:
    placed: tuple[Placed, ...]  # in the order of time
    trips: int
    minutes: int  # in the house, over all trips, from the first thing of a day to the last
    end: int  # when the patient is through with the last that does not stand already
    proven: bool = True  # False: the time to think ran out, there may be a better one

    @property
    def cost(self) -> tuple[int, int, int]:
        return self.trips, self.minutes, self.end

    @property
    def days(self) -> frozenset[int]:
        return frozenset(line.start // DAY for line in self.placed)
