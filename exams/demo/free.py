"""What of the devices is free while the month is drawn: minutes from 00:00 of its first day."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from exams.models import Device, DeviceSession, SessionWindow
from exams.planner import DAY
from exams.policies.spans import crowded
from hospital import clock

Span = tuple[int, int]


class Count:
    """Moments as whole minutes and back."""

    def __init__(self, first_day: date):
        self.first_day = first_day
        self.zero = clock.at(first_day, datetime.min.time())

    def minute(self, moment: datetime) -> int:
        return int((moment - self.zero).total_seconds() // 60)

    def moment(self, minute: int) -> datetime:
        return self.zero + timedelta(minutes=minute)

    def day(self, minute: int) -> date:
        return self.first_day + timedelta(days=minute // DAY)

    def number(self, day: date) -> int:
        return (day - self.first_day).days


class Free:
    """By device and day. What a reserve keeps is not for the month's patients; nor is a device while all hands of its
    team are at work on the others."""

    def __init__(self, count: Count, devices: Sequence[Device]):
        self.count = count
        self.sessions: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
        self.spans: dict[tuple[int, int], list[Span]] = defaultdict(list)
        self.teams = {row.pk: row.team for row in devices if row.team_id}
        self.worked: dict[tuple[int, int], list[Span]] = defaultdict(list)
        rows = DeviceSession.objects.filter(device__in=devices, day__gte=count.first_day)
        for row in rows.order_by("day", "during"):
            key = row.device_id, count.number(row.day)
            span = count.minute(row.during.lower), count.minute(row.during.upper)
            self.sessions[key].append((*span, row.pk))
            self.spans[key].append(span)
        for window in SessionWindow.objects.filter(session__device__in=devices).select_related("session"):
            start = count.minute(window.during.lower)
            self._close(window.session.device_id, start, count.minute(window.during.upper))

    def on(self, device: int, day: int, *, first: int, last: int, busy: list[Span] = ()) -> list[Span]:
        """Between two minutes, without those in which the patient is elsewhere."""
        spans = [(max(a, first), min(b, last)) for a, b in self.spans.get((device, day), ())]
        for start, end in [*busy, *self._without_hands(device, day)]:
            spans = [part for span in spans for part in without(span, start, end)]
        return [(a, b) for a, b in spans if b > a]

    def _without_hands(self, device: int, day: int) -> list[Span]:
        team = self.teams.get(device)
        return crowded(self.worked[team.pk, day], team.size) if team else []

    def take(self, device: int, start: int, end: int) -> None:
        self._close(device, start, end)
        if team := self.teams.get(device):
            self.worked[team.pk, start // DAY].append((start, end))

    def _close(self, device: int, start: int, end: int) -> None:
        key = device, start // DAY
        self.spans[key] = [part for span in self.spans[key] for part in without(span, start, end)]

    def session(self, device: int, start: int) -> int:
        return next(pk for a, b, pk in self.sessions[device, start // DAY] if a <= start < b)


def without(span: Span, start: int, end: int) -> list[Span]:
    if end <= span[0] or start >= span[1]:
        return [span]
    return [part for part in ((span[0], start), (end, span[1])) if part[0] < part[1]]
