"""现场检查: on a device now, without a booked time; also for who comes too late after all (E5)."""

from datetime import datetime

from appointments.services.sql import database_now
from exams.models import Device, ExamBooking, ExamRequest
from hospital.models import User

from . import booking, noshow, visit


def walk_in(*, request: ExamRequest, device: Device, by: User | None, now: datetime | None) -> ExamBooking:
    """The device's next free minutes, for who stands at the desk. Check-in with the questions follows.

    One who missed today's time and came after all is excused first, in a transaction of its own: that holds even when
    no device has time left, and booking takes its locks in its own order. Raises RequestEnded and what booking raises.
    """
    visit.refuse_ended(request)
    noshow.came_after_all(request=request, by=by, now=now or database_now())
    request.refresh_from_db()
    return booking.walk_in(request=request, device=device, by=by, now=now)
