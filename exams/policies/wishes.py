"""When the patient can come, and by when the results are wanted (E3). Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, time

from hospital.models.time import NOON, HalfDay

from . import spans
from .spans import DAY, Counted, Span


@dataclass(frozen=True)
class Wishes:
    """Days are the hospital's, times wall times. `halves`: of HalfDay, none for any; `not_before` and `not_after`: in
    the house at all. `return_day`: the next visit to the doctor, by when the results must be there."""

    first_day: date | None = None
    last_day: date | None = None
    halves: Collection[str] = ()
    not_before: time | None = None
    not_after: time | None = None
    without_days: Collection[date] = ()
    return_day: date | None = None

    def given(self) -> list[str]:
        """Names of the wishes that narrow the time of day or the days: what may be asked to give way."""
        names = ("halves", "not_before", "not_after", "without_days")
        return [name for name in names if getattr(self, name)]

    def dropping(self, *names: str) -> "Wishes":
        none = {"halves": (), "without_days": ()}
        return replace(self, **{name: none.get(name) for name in names})


def allowed(wishes: Wishes, *, counted: Counted, days: int, before: int, after: int) -> list[Span]:
    """Where the device's minutes may lie; the patient is there `before` and `after` them too."""
    opens = max(0, _wall(wishes.not_before) + before if wishes.not_before else 0)
    closes = _wall(wishes.not_after) - after if wishes.not_after else DAY
    halves = _halves(wishes.halves)
    found = []
    for day in range(days):
        if counted.day(day * DAY) not in wishes.without_days:
            whole = [(day * DAY + opens, day * DAY + closes)]
            found += spans.common(spans.merged(whole), [(day * DAY + a, day * DAY + b) for a, b in halves])
    return found


def _halves(halves: Collection[str]) -> list[Span]:
    """An afternoon lasts into the evening."""
    noon = _wall(NOON)
    parts = []
    if not halves or HalfDay.MORNING in halves:
        parts.append((0, noon))
    if not halves or HalfDay.AFTERNOON in halves or HalfDay.EVENING in halves:
        parts.append((noon, DAY))
    return spans.merged(parts)


def _wall(moment: time) -> int:
    return moment.hour * 60 + moment.minute
