"""The strip of days and the half-hours of one day, for patients who choose when (E1, E2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from appointments.models.rules import Channel
from exams.models import Device, DeviceSession, ExamBooking, ExamRequest
from exams.selectors import rules
from exams.selectors.free import Segment, segments
from hospital import clock

NOON = 12


@dataclass(frozen=True)
class Day:
    day: date
    left: int
    today: bool
    chosen: bool
    closed: bool = False  # no device that does this exam is on that day: it is not that others were quicker

    @property
    def few(self) -> bool:
        return 0 < self.left <= 2


@dataclass(frozen=True)
class Slice:
    """A published half-hour as one radio."""

    segment: Segment
    chosen: bool
    own: bool = False  # the time that is being moved

    @property
    def value(self) -> str:
        return f"{device_id(self.segment)}@{self.segment.first_start.isoformat()}"

    @property
    def start(self) -> datetime:
        return self.segment.start.astimezone(clock.ZONE)

    @property
    def end(self) -> datetime:
        return self.segment.end.astimezone(clock.ZONE)

    @property
    def left(self) -> int:
        return self.segment.left

    @property
    def campus(self) -> str:
        return self.segment.device.zone.campus.name

    @property
    def few(self) -> bool:
        return self.left <= 2

    @property
    def morning(self) -> bool:
        return self.start.hour < NOON


@dataclass(frozen=True)
class Choice:
    """What a page of times shows: the strip, and the chosen day's half-hours."""

    days: list[Day]
    day: Day
    slices: list[Slice]
    next_day: date | None
    campuses: list[str]  # that do this exam: one is said once, of several each half-hour says its own

    @property
    def any(self) -> bool:
        return any(day.left for day in self.days)

    @property
    def open(self) -> bool:
        """There is something to choose that day."""
        return any(not each.own for each in self.slices)

    @property
    def parts(self) -> list[tuple[str, list[Slice]]]:
        halves = ("am", [s for s in self.slices if s.morning]), ("pm", [s for s in self.slices if not s.morning])
        return [(half, found) for half, found in halves if found]


def device_id(segment: Segment) -> int:
    return getattr(segment.device, "pk", segment.device)


def choice_of(
    request: ExamRequest,
    *,
    wanted: date | None,
    chosen: tuple[int, datetime] | None = None,
    moving: ExamBooking | None = None,
    now: datetime,
) -> Choice:
    """Opens on the wanted day, else on the first that has something left."""
    today = clock.today(now)
    rule = rules.exam_rule(request.organization_id, day=today)
    found = segments(
        request=request, channel=Channel.WEB, first_day=today, days=rule.horizon_days, now=now,
        moving=moving, per_campus=True,
    )  # fmt: skip
    by_day: dict[date, list[Segment]] = {}
    for each in found:
        by_day.setdefault(each.day, []).append(each)
    span = [today + timedelta(days=n) for n in range(rule.horizon_days)]
    left = {day: sum(each.left for each in by_day.get(day, []) if not _is_own(each, moving)) for day in span}
    shown = wanted if wanted in left else next((day for day in span if left[day]), span[0])
    opened = _open_days(request, span)
    days = [Day(day, left[day], day == today, day == shown, day not in opened) for day in span]
    return Choice(
        days=_without_closed_tail(days),
        day=next(day for day in days if day.chosen),
        slices=_slices(by_day.get(shown, []), chosen=chosen, moving=moving),
        next_day=next((day for day in span if day > shown and left[day]), None),
        campuses=sorted({each.device.zone.campus.name for each in found}),
    )


def _open_days(request: ExamRequest, span: list[date]) -> set[date]:
    """On which a device of the house that does this exam is on. One query."""
    able = Device.objects.filter(
        abilities__variant=request.variant_id, active=True, organization=request.organization_id
    )
    rows = DeviceSession.objects.filter(device__in=able, day__range=(span[0], span[-1]), closed=False)
    return set(rows.values_list("day", flat=True).distinct())


def _without_closed_tail(days: list[Day]) -> list[Day]:
    """Days after the last with a free time tell nobody anything."""
    last = max((n for n, day in enumerate(days) if day.left or day.chosen), default=0)
    return days[: max(last + 1, 7)]


def _slices(found: Iterable[Segment], *, chosen, moving: ExamBooking | None) -> list[Slice]:
    rows = []
    for each in sorted(found, key=lambda segment: (segment.start, device_id(segment))):
        here = chosen is not None and chosen == (device_id(each), each.first_start)
        rows.append(Slice(each, chosen=here, own=_is_own(each, moving)))
    return rows


def _is_own(segment: Segment, moving: ExamBooking | None) -> bool:
    """Of the campus that it is on: the same half-hour at another campus is another time."""
    if moving is None or not moving.holds:
        return False
    here = segment.device.zone.campus_id == moving.device.zone.campus_id
    return here and segment.start <= moving.start < segment.end
