"""What a patient comes for besides one exam: moving it to a day of its own costs a trip (E3, E5)."""

from dataclasses import dataclass
from datetime import date, datetime

from appointments.models import Appointment
from appointments.selectors import bookings as visits
from exams.models import ExamBooking
from exams.selectors import around, mine
from hospital import clock
from hospital.models import User

HOLDING = (Appointment.Status.BOOKED, Appointment.Status.ARRIVED)


@dataclass(frozen=True)
class Company:
    """`day`: of the exam. `days`: on which the patient comes for something else. `names`: of what is beside it on its
    own day, without what is done in one sitting with it."""

    day: date
    days: frozenset[date]
    names: list[str]

    def costs_a_trip(self, day: date) -> bool:
        return self.day in self.days and day not in self.days


def company_of(booking: ExamBooking, *, account: User | None, now: datetime) -> Company:
    """In the same house, as far as the account sees it; without one the booking centre asks. A fixed number of
    queries."""
    together = {row.pk for row in around.sitting_of(booking, now=now)}
    rows = mine.bookings_of(account) if account else ExamBooking.objects.select_related(*mine.RELATED)
    ahead = {"patient": booking.patient_id, "day__gte": clock.today(now)}
    house = booking.request.organization_id
    exams = rows.filter(**ahead, request__organization=house, status__in=mine.COMING, holds=True)
    seen = visits.of_account(account) if account else Appointment.objects.select_related("department")
    coming = seen.filter(**ahead, schedule__organization=house, status__in=HOLDING)
    beside = [(row.during.lower, row.day, row.variant.name) for row in exams.exclude(pk__in=together)]
    beside += [(row.start, row.day, str(row.department)) for row in coming]
    return Company(
        day=booking.day,
        days=frozenset(day for _start, day, _name in beside),
        names=[name for _start, day, name in sorted(beside) if day == booking.day],
    )
