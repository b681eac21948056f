"""May this person have a number of that clinic: the laws of the claim, for a page that greys before anybody asks.

The claim itself decides (sql/booking_parts.sql) and tests hold the two equal. Expired holds are not among `visits`:
booking lapses a person's own first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.errors import AlreadyBooked, LimitReached, PatientSuspended, TimeConflict
from appointments.models import BookingRule
from hospital import clock
from hospital.errors import Refused

WEEK, QUARTER = 7, 90  # days of the two rolling limits (rules.md)


@dataclass(frozen=True)
class Visit:
    """A live visit as the laws see it. `counts`: it was booked by self-service and its service is not exempt."""

    day: date
    department_id: int
    counts: bool


@dataclass(frozen=True)
class Used:
    """Visits that count already: that day, the fullest 7 days and the fullest 90 days around it."""

    day: int
    week: int
    quarter: int

    def full(self, limits: list[int]) -> bool:
        return any(used >= limit for used, limit in zip((self.day, self.week, self.quarter), limits, strict=True))


def used_by(visits: Iterable[Visit], *, day: date) -> Used:
    """As booking_over_limit in sql/: by visit day, in any window that holds `day`."""
    days = [visit.day for visit in visits if visit.counts]

    def fullest(span: int) -> int:
        firsts = {each for each in [*days, day] if day - timedelta(days=span) < each <= day}
        return max(sum(first <= each < first + timedelta(days=span) for each in days) for first in firsts)

    return Used(day=days.count(day), week=fullest(WEEK), quarter=fullest(QUARTER))


@dataclass(frozen=True)
class Person:
    """What the laws ask of one person. `times`: promised elsewhere, as (from, to)."""

    visits: tuple[Visit, ...] = ()
    times: tuple[tuple[datetime, datetime], ...] = ()
    suspended_until: datetime | None = None


def refusal_to_give(
    person: Person,
    *,
    day: date,
    department_id: int,
    numbers: Iterable[tuple[datetime, datetime]],
    limits: list[int] | None,
    rule: BookingRule,
) -> Refused | None:
    """Why self-service can't book one of these numbers for this person, in the order in which the claim asks."""
    if person.suspended_until:
        return suspended(person.suspended_until)
    if any(visit.day == day and visit.department_id == department_id for visit in person.visits):
        return AlreadyBooked()
    if limits and used_by(person.visits, day=day).full(limits):
        return LimitReached(day=rule.limit_day, week=rule.limit_week, quarter=rule.limit_quarter)
    numbers = list(numbers)
    if numbers and all(_clashes(number, person.times) for number in numbers):
        return TimeConflict()
    return None


def suspended(until: datetime) -> PatientSuspended:
    return PatientSuspended(until=date_format(until.astimezone(clock.ZONE), _("n月j日")))


def _clashes(number: tuple[datetime, datetime], times: Iterable[tuple[datetime, datetime]]) -> bool:
    return any(number[0] < end and start < number[1] for start, end in times)
