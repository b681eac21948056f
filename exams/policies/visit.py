"""May this patient be checked in, called, examined now, and why not; whose turn it is; who missed too much (E5)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from appointments.policies.visit import due_from
from exams.errors import DeviceIsDown, NotInQueue, TooEarlyForExam, TooLateToCheckIn
from exams.models import ExamBooking, ExamRequest, ExamRule
from hospital import clock
from hospital.errors import Refused

Status = ExamBooking.Status

MAY_END_WITHOUT = frozenset({Status.BOOKED, Status.ARRIVED, Status.CALLED, Status.RUNNING})
"""States from which an exam ends without having been done."""

PRIORITY_OF_REQUEST = {ExamRequest.Priority.EMERGENCY: 2, ExamRequest.Priority.URGENT: 1}


def opens_at(booking: ExamBooking, rule: ExamRule) -> datetime:
    """From when the patient may check in. Moments, not days: an exam at 00:20 is checked in the evening before."""
    return booking.stay.lower - timedelta(minutes=rule.early_minutes)


def closes_at(booking: ExamBooking, rule: ExamRule) -> datetime:
    """Until when: later the patient counts as not having come."""
    return booking.during.lower + timedelta(minutes=rule.late_minutes)


def refusal_to_check_in(booking: ExamBooking, *, rule: ExamRule, now: datetime) -> Refused | None:
    """报到. A walk-in has no time of its own. One who is checked in already is not refused: the same booking again."""
    if booking.status != Status.BOOKED:
        return NotInQueue(state=booking.get_status_display())
    if not booking.holds:
        return DeviceIsDown(device=str(booking.device))
    if booking.walk_in:
        return None
    said = {"exam": str(booking.variant), "start": _wall(booking.during.lower)}
    if now < opens_at(booking, rule):
        return TooEarlyForExam(**said, opens=_wall(opens_at(booking, rule)))
    if now >= closes_at(booking, rule):
        return TooLateToCheckIn(**said, until=_wall(closes_at(booking, rule)))
    return None


def _wall(moment: datetime) -> str:
    return f"{moment.astimezone(clock.ZONE):%m-%d %H:%M}"


def refusal_to_undo(booking: ExamBooking) -> Refused | None:
    """撤销报到: only while the patient waits."""
    return None if booking.status in ExamBooking.WAITING else NotInQueue(state=booking.get_status_display())


def refusal_to_call(booking: ExamBooking) -> Refused | None:
    """叫号 and 开始检查. That the device is free is not asked: PostgreSQL refuses a second patient (DeviceBusy)."""
    if booking.status not in ExamBooking.WAITING:
        return NotInQueue(state=booking.get_status_display())
    return None if booking.holds else DeviceIsDown(device=str(booking.device))


def refusal_to_end_without(booking: ExamBooking) -> Refused | None:
    """未做."""
    return None if booking.status in MAY_END_WITHOUT else NotInQueue(state=booking.get_status_display())


def priority_at_check_in(request: ExamRequest, chosen: int) -> int:
    """The higher of what the doctor asked for and what the desk sees."""
    return max(chosen, PRIORITY_OF_REQUEST.get(request.priority, 0))


def turn(booking: ExamBooking):
    """Sort key of one who waits: priority; then the booked time, or the check-in if that was later; who was called
    and did not come waits anew from that moment (as for consultations, docs/decisions/0008-queue-order.md)."""
    due = due_from(start=booking.during.lower, checked_in_at=booking.checked_in_at, passed_at=booking.passed_at)
    return (-booking.priority, due, booking.during.lower, booking.pk)


def suspended_until(missed: Iterable[tuple[date, datetime]], *, rule: ExamRule) -> datetime | None:
    """When self-service booking of exams opens again, from what a patient missed and nobody excused: (day, marked at).

    The `noshow_limit`-th inside `noshow_days` suspends for `suspend_days` from when it was marked; what one suspension
    has answered does not count for the next. A limit of 0 never suspends. Counted each time it is asked, so an excused
    no-show takes its suspension with it.
    """
    if not rule.noshow_limit:
        return None
    until, counted = None, []
    for day, marked_at in sorted(missed, key=lambda row: row[1]):
        counted = [each for each in counted if each > day - timedelta(days=rule.noshow_days)] + [day]
        if len(counted) >= rule.noshow_limit:
            until, counted = marked_at + timedelta(days=rule.suspend_days), []
    return until
