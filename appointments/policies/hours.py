"""作息时间 (O8): what becomes of a campus's half-day hours when a period is put in. Pure: no query, no clock."""

from dataclasses import dataclass
from datetime import date, time, timedelta

from appointments.errors import HoursAsBefore, HoursGap, HoursOverlap

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """Hours that hold from `first` to `last`, both included; `last` None: from then on."""

    starts: time
    ends: time
    first: date
    last: date | None = None

    @property
    def end(self) -> date:
        return self.last or date.max

    @property
    def hours(self) -> str:
        return f"{self.starts:%H:%M}–{self.ends:%H:%M}"

    def meets(self, other: "Period") -> bool:
        return self.first <= other.end and other.first <= self.end

    def holds(self, other: "Period") -> bool:
        return self.first <= other.first and other.end <= self.end

    def overlaps(self, other: "Period") -> bool:
        """On one day at least, by the clock."""
        return self.meets(other) and self.starts < other.ends and other.starts < self.ends


def put_in(periods: list[Period], new: Period, *, half: str) -> list[Period]:
    """All periods of one half-day, in order, with `new` in its place.

    A new period lies within one that stands: that one ends the day before and goes on the day after (summer within
    the year); or it follows the last one without a gap. Anything else is refused in words, never guessed.
    Raises HoursAsBefore, HoursOverlap, HoursGap; `half` is the half-day's name in them.
    """
    met = [one for one in sorted(periods, key=lambda one: one.first) if one.meets(new)]
    whole = next((one for one in met if one.holds(new)), None)
    if whole is None and met:
        other = met[0]
        raise HoursOverlap(half=half, first=other.first, last=other.last or "∞", hours=other.hours)
    if whole and (whole.starts, whole.ends) == (new.starts, new.ends):
        raise HoursAsBefore
    kept = [one for one in periods if one is not whole]
    parts = _around(whole, new) if whole else []
    result = sorted([*kept, *parts, new], key=lambda one: one.first)
    _refuse_gaps(result, half)
    return result


def _around(whole: Period, new: Period) -> list[Period]:
    parts = []
    if whole.first < new.first:
        parts.append(Period(whole.starts, whole.ends, whole.first, new.first - DAY))
    if new.last and new.last < whole.end:
        parts.append(Period(whole.starts, whole.ends, new.last + DAY, whole.last))
    return parts


def _refuse_gaps(periods: list[Period], half: str) -> None:
    for earlier, later in zip(periods, periods[1:], strict=False):
        if later.first - earlier.end > DAY:
            raise HoursGap(half=half, first=earlier.end + DAY, last=later.first - DAY)
