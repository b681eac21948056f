"""Stretches of time as sorted lists of half-open (start, end), and the minutes they are counted in. Pure."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from hospital import clock

Span = tuple[int, int]

MINUTE = timedelta(minutes=1)
DAY = 24 * 60


@dataclass(frozen=True)
class Counted:
    """Minutes from 00:00 of `first_day` at the hospital, which has no summer time."""

    first_day: date

    @cached_property
    def zero(self) -> datetime:
        return clock.at(self.first_day, time(0)).astimezone(UTC)

    @cached_property
    def seconds(self) -> int:
        """Of `zero`, since 1970."""
        return int(self.zero.timestamp())

    def minute(self, moment: datetime) -> int:
        """The minute that `moment` lies in."""
        return (moment - self.zero) // MINUTE

    def up(self, moment: datetime) -> int:
        """The first whole minute not before `moment`."""
        return -((self.zero - moment) // MINUTE)

    def moment(self, minute: int) -> datetime:
        return self.zero + minute * MINUTE

    def of_day(self, day: date, wall: time = time(0)) -> int:
        return (day - self.first_day).days * DAY + wall.hour * 60 + wall.minute

    def day(self, minute: int) -> date:
        return self.first_day + timedelta(days=minute // DAY)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sorted, those that overlap or touch made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def without(spans: list[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of `spans`."""
    return cut(spans, merged(taken))


def cut(spans: Iterable[Span], gone: list[Span]) -> list[Span]:
    """What is left of `spans` when these (merged) are gone."""
    left: list[Span] = []
    for start, end in spans:
        look = bisect_left(gone, (start, start))
        if look and gone[look - 1][1] > start:
            look -= 1
        while look < len(gone) and gone[look][0] < end:
            if gone[look][0] > start:
                left.append((start, gone[look][0]))
            start = max(start, gone[look][1])
            look += 1
        if start < end:
            left.append((start, end))
    return left


def common(spans: list[Span], others: list[Span]) -> list[Span]:
    """What lies in both (each sorted, apart)."""
    found: list[Span] = []
    one = other = 0
    while one < len(spans) and other < len(others):
        start, end = max(spans[one][0], others[other][0]), min(spans[one][1], others[other][1])
        if start < end:
            found.append((start, end))
        if spans[one][1] < others[other][1]:
            one += 1
        else:
            other += 1
    return found


def crowded(spans: Iterable[Span], most: int) -> list[Span]:
    """Where `most` or more of them lie over each other: nobody else fits beside."""
    edges = sorted([(start, 1) for start, _end in spans] + [(end, -1) for _start, end in spans])
    full: list[Span] = []
    count, since = 0, None
    for at, change in edges:
        count += change
        if count >= most and since is None:
            since = at
        elif count < most and since is not None:
            full.append((since, at))
            since = None
    return merged(full)


def whole_steps(spans: Iterable[Span], step: int) -> list[Span]:
    """Each narrowed to whole steps."""
    narrowed = ((-(-start // step) * step, end // step * step) for start, end in spans)
    return [(start, end) for start, end in narrowed if start < end]


def trips_of(stays: Iterable[tuple[datetime, datetime]]) -> tuple[int, int]:
    """(days that the patient comes, minutes in the house from the first thing of a day to the last)."""
    days: dict[date, tuple[datetime, datetime]] = {}
    for start, end in stays:
        day = clock.today(start)
        first, last = days.get(day, (start, end))
        days[day] = min(first, start), max(last, end)
    return len(days), sum((last - first) // MINUTE for first, last in days.values())
