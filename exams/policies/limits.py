"""When an exam may lie on a device, devices aside: preparation, the day, the order of other exams, where the patient
is. Stretches of the device's minutes, counted as `spans.Counted` does. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from exams.models import ExamRequest, ExamRule
from exams.planner.problem import Gap, Rule

from . import spans
from .booking import earliest_start
from .spans import DAY, Counted, Span

EVER = 10**9


def waits_for_nothing(request: ExamRequest) -> bool:
    """An emergency: who examines decides on preparation."""
    return request.priority == ExamRequest.Priority.EMERGENCY


def allowed(
    request: ExamRequest,
    *,
    minutes: int,
    counted: Counted,
    days: int,
    now: datetime,
    rule: ExamRule,
    prepared_for: datetime | None = None,
    offset: int = 0,
) -> list[Span]:
    """By preparation and the day: not before the patient is prepared, fasting not past the latest hour, nobody asked
    to be there before the house's first hour (who lies in it is there already). `minutes`: of all that is done in one
    sitting, in which this exam begins at `offset`. `prepared_for`: as in policies.booking.
    """
    variant, preparation = request.variant, request.variant.preparation
    soonest = counted.up(now) + variant.before
    latest = None
    if preparation is not None and not waits_for_nothing(request):
        ready = earliest_start(variant, now=now)
        soonest = max(soonest, counted.up(min(ready, prepared_for) if prepared_for else ready))
        latest = preparation.latest_start
    first = 0 if request.inpatient or waits_for_nothing(request) else _wall(rule.day_starts)
    opens = first + variant.before
    closes = DAY - variant.after if latest is None else min(_wall(latest) + minutes - offset, DAY - variant.after)
    daily = [(day * DAY + opens, day * DAY + closes) for day in range(days)]
    return spans.common(spans.merged(daily), [(max(soonest, -EVER), EVER)])


def _wall(time) -> int:
    return time.hour * 60 + time.minute


def beside(start: int, end: int, *, before: int, after: int, walk: int) -> Span:
    """Where the exam can't lie because the patient is elsewhere from `start` to `end`, `walk` minutes away."""
    return start - walk - after, end + walk + before


def forbidden(key: str, rules: Iterable[Rule], times: Mapping[str, Span], *, over: Collection[str] = ()) -> list[Span]:
    """Where the exam `key` can't lie because of those at `times`. `over`: as in policies.booking.broken_rule."""
    found = []
    for rule in rules:
        if rule.first == key and rule.second in times:
            found.append(_around(times[rule.second], before=rule.gap, after=_past(rule.reverse, rule.second in over)))
        elif rule.second == key and rule.first in times:
            found.append(_around(times[rule.first], before=rule.reverse, after=_past(rule.gap, rule.first in over)))
    return found


def _past(gap: Gap | None, over: bool) -> Gap | None:
    return Gap(other_day=True) if gap is None and over else gap


def _around(stands: Span, *, before: Gap | None, after: Gap | None) -> Span:
    """`before`: how the exam may precede what stands; `after`: how it may follow."""
    start, end = stands
    since, until = -EVER, EVER
    if before is not None:
        since = start - before.minutes
        if before.other_day:
            since = min(since, start // DAY * DAY)
    if after is not None:
        until = end + after.minutes
        if after.other_day:
            until = max(until, (start // DAY + 1) * DAY)
    return since, until
