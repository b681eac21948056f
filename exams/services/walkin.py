"""现场检查: on a device now, without a booked time; also for who comes too late after all (E5)."""

from datetime import datetime

from django.db import transaction

from exams.models import Device, ExamBooking, ExamRequest
from hospital.models import User

from . import booking, noshow, visit


@transaction.atomic
def walk_in(*, request: ExamRequest, device: Device, by: User | None, now: datetime | None) -> ExamBooking:
    """The nearest free time of the device from now, taken for who stands at the desk. Check-in with the questions
    follows. One who missed today's time and came after all is excused. Raises RequestEnded and what booking raises."""
    visit.refuse_ended(request)
    noshow.came_after_all(request=request, by=by, now=now)
    request.refresh_from_db()
    return booking.walk_in(request=request, device=device, by=by, now=now)
