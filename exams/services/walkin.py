"""现场检查 and 换设备 (E5): on a device now, without a booked time or too late for it; and on another device."""

from datetime import datetime

from appointments.models.rules import Channel
from appointments.services.sql import database_now
from exams.errors import NotInQueue, TimeTaken
from exams.models import Device, DeviceAbility, ExamBooking, ExamRequest
from exams.selectors import around, free
from hospital.models import User

from . import booking as core
from . import noshow, visit


def walk_in(*, request: ExamRequest, device: Device, by: User | None, now: datetime | None) -> ExamBooking:
    """The device's next free minutes, for who stands at the desk. Check-in with the questions follows.

    One who missed today's time and came after all is excused first, in a transaction of its own: that holds even when
    no device has time left, and booking takes its locks in its own order. Raises RequestEnded and what booking raises.
    """
    visit.refuse_ended(request)
    noshow.came_after_all(request=request, by=by, now=now or database_now())
    request.refresh_from_db()
    return core.walk_in(request=request, device=device, by=by, now=now)


def transfer(*, booking: ExamBooking, device: Device, by: User | None, now: datetime | None) -> ExamBooking:
    """换设备 on the day: the exam, with all of its sitting, goes to the other device's next free minutes; who waits
    waits there, and is told.

    Raises NotInQueue (called already, or examined), TimeTaken (no room there today) and what moving raises.
    """
    moment = now or database_now()
    sitting = around.sitting_of(booking, now=moment)
    for row in sitting:
        if row.status not in (ExamBooking.Status.BOOKED, ExamBooking.Status.ARRIVED):
            raise NotInQueue(state=row.get_status_display())
    minutes = _minutes_on(device, sitting)
    start = free.next_start(device, minutes=minutes, now=moment) if minutes else None
    if start is None:
        raise TimeTaken(exam=str(booking.variant))
    return core.move(
        booking=sitting[0], device=device, start=start, channel=Channel.COUNTER, by=by, hospital=True, now=now
    )


def _minutes_on(device: Device, sitting: list[ExamBooking]) -> int | None:
    """All of it back to back. None: the device can't do one of them."""
    variants = [row.request.variant for row in sitting]
    able = dict(DeviceAbility.objects.filter(device=device, variant__in=variants).values_list("variant", "minutes"))
    if not able.keys() >= {each.pk for each in variants}:
        return None
    return sum(able[each.pk] or each.minutes for each in variants)
