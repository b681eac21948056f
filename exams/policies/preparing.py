"""What somebody must do before the exams of one day, with clock times (E4): 11月25日 22:00后禁食. Pure.

How long and what comes from Preparation, which somebody signed; here the hours are only counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from exams.models import Preparation
from hospital import clock

EVENING = time(22)
NIGHT_FROM, NIGHT_TO = time(23), time(6)
"""Nobody eats then: a fast that would begin in the night is told as from the evening before, which is never shorter."""

Kind = Literal["prepare", "fast", "bladder", "escort"]


@dataclass(frozen=True)
class Coming:
    """One exam as its preparation sees it."""

    name: str
    start: datetime
    preparation: Preparation | None


@dataclass(frozen=True)
class Step:
    """`at`: from when. `exam`: for which; of a fast the last one, after which one may eat. `after`: of a full bladder
    the last fasting exam before it, since nobody drinks sooner, however short the time between the two."""

    kind: Kind
    at: datetime
    exam: str
    after: str = ""


def steps_of(exams: Iterable[Coming]) -> list[Step]:
    """In the order of time, each thing once a day: one fast for all that need it."""
    told = [(each, each.preparation) for each in exams if each.preparation]
    steps = [
        Step("prepare", each.start - timedelta(minutes=prep.lead_minutes), each.name)
        for each, prep in told
        if prep.lead_minutes
    ]
    fasting = [each for each, prep in told if prep.fast_minutes]
    if fasting:
        begins = min(fast_from(each.start, each.preparation.fast_minutes) for each in fasting)
        steps.append(Step("fast", begins, max(fasting, key=lambda each: each.start).name))
    steps += [_bladder(each, fasting) for each, prep in told if prep.full_bladder]
    escorted = [each for each, prep in told if prep.escort]
    if escorted:
        first = min(escorted, key=lambda each: each.start)
        steps.append(Step("escort", first.start, first.name))
    return sorted(steps, key=lambda step: step.at)


def _bladder(exam: Coming, fasting: list[Coming]) -> Step:
    sooner = [each for each in fasting if each.start < exam.start]
    last = max(sooner, key=lambda each: each.start, default=None)
    return Step("bladder", exam.start, exam.name, last.name if last else "")


def fast_from(start: datetime, minutes: int) -> datetime:
    """On the half-hour, never later than the rule asks."""
    moment = (start - timedelta(minutes=minutes)).astimezone(clock.ZONE)
    moment -= timedelta(minutes=moment.minute % 30, seconds=moment.second, microseconds=moment.microsecond)
    if moment.time() >= NIGHT_FROM:
        return clock.at(moment.date(), EVENING)
    if moment.time() < NIGHT_TO:
        return clock.at(moment.date() - timedelta(days=1), EVENING)
    return moment


def begins(steps: Iterable[Step]) -> datetime | None:
    """When the first of it has to be done; None if there is nothing to do at home."""
    return min((step.at for step in steps if step.kind in ("prepare", "fast")), default=None)
