"""One device's one day, for the drawer: what is open, who is booked (masked), what is held back, when it is down."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F

from exams.models import Device, DeviceSession, Downtime, ExamBooking, SessionWindow
from exams.policies.spans import MINUTE
from exams.selectors.free import holding
from hospital import clock, masking

WIDTH = 1000
"""Units of the drawn day, from the first hour that anything begins in to the last."""


@dataclass(frozen=True)
class Part:
    """Something that takes a stretch of the day. `kind`: session, closed, window, booking, down."""

    kind: str
    start: datetime
    end: datetime
    row: object
    x: int = 0
    width: int = 0
    masked: str = ""
    shared: bool = False  # of a window: everybody may book it by now
    over: bool = False


@dataclass(frozen=True)
class Day:
    device: Device
    day: date
    parts: list[Part]
    hours: list[tuple[int, int]]  # (x, hour) of the drawn scale

    def of(self, *kinds: str) -> list[Part]:
        return [part for part in self.parts if part.kind in kinds]

    @property
    def sessions(self) -> list[Part]:
        return self.of("session", "closed")

    @property
    def windows(self) -> list[Part]:
        return self.of("window")

    @property
    def bookings(self) -> list[Part]:
        return self.of("booking")

    @property
    def downtimes(self) -> list[Part]:
        return self.of("down")


def day_of(device: Device, day: date, *, now: datetime) -> Day:
    """Four queries."""
    rows = _parts(device, day, now=now)
    if not rows:
        return Day(device, day, [], [])
    zero = clock.at(day, datetime.min.time())
    first = min((part.start - zero) // MINUTE for part in rows if part.kind != "down") if _stands(rows) else 0
    last = max(-((zero - part.end) // MINUTE) for part in rows if part.kind != "down") if _stands(rows) else 24 * 60
    first, last = first // 60 * 60, -(-last // 60) * 60
    long = max(last - first, 60)

    def at(moment: datetime) -> int:
        return round(WIDTH * min(max((moment - zero) // MINUTE - first, 0), long) / long)

    parts = [
        Part(
            part.kind, part.start, part.end, part.row, at(part.start), max(at(part.end) - at(part.start), 1),
            part.masked, part.shared, part.end <= now,
        )
        for part in rows
    ]  # fmt: skip
    step = 60 if long <= 12 * 60 else 180
    scale = [(round(WIDTH * (minute - first) / long), minute // 60) for minute in range(first, last + 1, step)]
    return Day(device, day, parts, scale)


def _stands(rows: list[Part]) -> bool:
    return any(part.kind != "down" for part in rows)


def _parts(device: Device, day: date, *, now: datetime) -> list[Part]:
    sessions = list(DeviceSession.objects.filter(device=device, day=day).order_by(F("during__startswith")))
    parts = [Part("closed" if row.closed else "session", row.during.lower, row.during.upper, row) for row in sessions]
    windows = SessionWindow.objects.filter(session__in=sessions, session__closed=False).select_related("pool")
    for row in windows.order_by(F("during__startswith")):
        shared = row.shared_from is not None and row.shared_from <= now
        parts.append(Part("window", row.during.lower, row.during.upper, row, shared=shared))
    booked = ExamBooking.objects.filter(holding(now), device=device, day=day)
    for row in booked.select_related("patient", "variant__item").order_by(F("during__startswith"), "pk"):
        parts.append(Part("booking", row.during.lower, row.during.upper, row, masked=masking.name(row.patient.name)))
    around = (clock.at(day, datetime.min.time()), clock.at(day + timedelta(days=1), datetime.min.time()))
    down = Downtime.objects.filter(device=device, stands=True, during__overlap=around)
    parts += [Part("down", row.during.lower, row.during.upper, row) for row in down.order_by(F("during__startswith"))]
    return parts
