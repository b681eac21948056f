"""May this patient be checked in, called, seen now, and why not; and whose turn it is (B20)."""

from datetime import date, datetime, timedelta

from appointments.errors import (
    CalledElsewhere,
    NotWaiting,
    Stopped,
    VisitOnAnotherDay,
    WrongState,
)
from appointments.models import Appointment, Encounter, Schedule
from hospital.errors import Refused

CHECKED_IN = frozenset({Appointment.Status.BOOKED, Appointment.Status.NOSHOW})
"""States from which a patient is checked in: booked, or marked as a no-show earlier the same day."""

QUEUED = frozenset({Encounter.Status.WAITING, Encounter.Status.CALLED})


def refusal_to_check_in(appointment: Appointment, *, today: date) -> Refused | None:
    """报到. Only on the visit's day in the hospital's zone. `today` is the hospital's day.

    One who is already checked in is not refused: the service answers with the same encounter.
    """
    if appointment.status not in CHECKED_IN:
        return WrongState(state=appointment.get_status_display())
    if appointment.schedule.status == Schedule.Status.STOPPED:
        return Stopped()
    if appointment.day != today:
        return VisitOnAnotherDay(day=f"{appointment.day:%m-%d}")
    return None


def refusal_to_undo_check_in(encounter: Encounter) -> Refused | None:
    """撤销报到: only while the patient waits. Who was in the room was seen."""
    if encounter.status in QUEUED:
        return None
    return NotWaiting(state=encounter.get_status_display())


def refusal_to_call(encounter: Encounter, *, room_id: int) -> Refused | None:
    """叫号 and 开始就诊. A patient called to another room is on the way there.

    That the room is free is not asked here: PostgreSQL refuses a second patient (RoomTaken).
    """
    if encounter.status not in QUEUED:
        return NotWaiting(state=encounter.get_status_display())
    if encounter.status == Encounter.Status.CALLED and encounter.room_id != room_id:
        return CalledElsewhere(room=str(encounter.room))
    return None


def due_from(*, start: datetime, checked_in_at: datetime, passed_at: datetime | None = None) -> datetime:
    """The moment from which a patient waits: the booked start, or the check-in if that was later.

    One who did not answer a call waits anew from that moment. Waiting is counted from here as well, so
    the queue serves whoever has waited longest (docs/decisions/0008-queue-order.md).
    """
    return max(filter(None, (start, checked_in_at, passed_at)))


def waited(*, start: datetime, checked_in_at: datetime, called_at: datetime) -> timedelta:
    """候诊时间: first call − max(booked start, check-in); a patient who is called early has not waited."""
    return max(timedelta(0), called_at - max(start, checked_in_at))


def too_many_noshows(*, count: int, rule) -> bool:
    """B15: as many no-shows inside the rule's window as the rule tolerates. A rule of 0 never suspends."""
    return 0 < rule.noshow_count <= count
