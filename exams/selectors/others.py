"""Other times for an exam that cannot be done when it was booked, the best for the patient first (E3, E10)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from exams.models import Device, ExamBooking
from exams.policies import devices as policy
from exams.selectors import free
from exams.selectors.rules import exam_rule
from hospital import clock
from hospital.models import PatientTime

WANTED = 30
"""Segments that a page lists; beyond them there is the booking centre."""


@dataclass(frozen=True)
class Place:
    """One time that fits the patient's other plans, the ordering rules and the channel's pools."""

    device: Device
    start: datetime
    same_day: bool  # as it was
    same_trip: bool  # the patient comes on this day anyway

    @property
    def day(self) -> date:
        return clock.today(self.start)


def best_other_times(booking: ExamBooking, *, channel: str, now: datetime, most: int = WANTED) -> list[Place]:
    """For it with its sitting. Before the return date first; of those on the day it was, on a day the patient comes
    anyway, then the earliest; of a day's at the campus where it was. One start a segment and campus."""
    first_day = clock.today(now)
    rule = exam_rule(booking.request.organization_id, day=first_day)
    days = min(max((booking.day - first_day).days, 0) + rule.plan_days, rule.horizon_days)
    found = free.segments(
        request=booking.request, channel=channel, first_day=first_day, days=days, now=now,
        moving=booking, per_campus=True,
    )  # fmt: skip
    coming, earliest = _days_with_plans(booking), policy.earliest_offer(booking, now=now)
    places = [
        Place(each.device, each.first_start, each.day == booking.day, each.day in coming)
        for each in found
        if each.first_start >= earliest
    ]
    return sorted(places, key=lambda place: _rank(place, booking))[:most]


def _rank(place: Place, booking: ExamBooking) -> tuple:
    back = booking.request.wanted_by
    late = back is not None and place.day > back
    apart = abs(place.start - booking.during.lower) if place.same_day else timedelta()
    far = place.device.zone.campus_id != booking.device.zone.campus_id
    return late, not place.same_day, not place.same_trip, place.day, far, apart, place.start


def _days_with_plans(booking: ExamBooking) -> set[date]:
    """On which the patient is in the house for something else."""
    rows = PatientTime.objects.filter(patient=booking.patient_id).exclude(source="exam", source_id=booking.pk)
    return {clock.today(during.lower) for during in rows.values_list("during", flat=True)}


def by_day(places: list[Place]) -> list[tuple[date, list[Place]]]:
    """For a page: the days in order, each with its times."""
    days: dict[date, list[Place]] = {}
    for place in sorted(places, key=lambda place: (place.start, place.device.pk)):
        days.setdefault(place.day, []).append(place)
    return list(days.items())


def campuses(places: list[Place]) -> list[str]:
    """More than one: each time has to say where it is."""
    return sorted({place.device.zone.campus.name for place in places})
