"""What patients may do alone with their exams, and until when (E2, E5). Pure: no query, no clock."""

from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from exams.errors import (
    NotBookedAlone,
    NotChangedAlone,
    NotOpenAnyMore,
    TooLateForExam,
    WrongExamState,
)
from exams.models import ExamBooking, ExamRequest, ExamRule
from hospital import clock
from hospital.errors import Refused

Status = ExamBooking.Status

ARRIVE_EARLY = timedelta(minutes=15)
"""How long before their exam (or the drip before it) people are asked to be at the desk."""


def refusal_to_book(request: ExamRequest, *, held: bool = False) -> Refused | None:
    """Only what is open, and simple: the rest is booked together with the house. `held`: a time is held that nobody
    has confirmed, so another may be chosen."""
    if request.status != ExamRequest.Status.OPEN and not (held and request.status == ExamRequest.Status.BOOKED):
        return NotOpenAnyMore(exam=request.variant.name)
    if not request.variant.item.simple:
        return NotBookedAlone(exam=request.variant.name)
    return None


def cancel_deadline(start: datetime, rule: ExamRule) -> datetime:
    """The last moment at which it can be given back or moved alone."""
    return start - timedelta(minutes=rule.cancel_minutes)


def displaced(booking: ExamBooking) -> bool:
    """The device went down: the time is gone, the patient has not answered yet."""
    return not booking.holds and booking.status in (Status.BOOKED, Status.ARRIVED)


def refusal_to_cancel(booking: ExamBooking, *, rule: ExamRule, now: datetime) -> Refused | None:
    """The house's own fault knows no deadline."""
    if booking.status != Status.BOOKED:
        return WrongExamState()
    return None if displaced(booking) else too_late(booking, rule=rule, now=now)


def too_late(booking: ExamBooking, *, rule: ExamRule, now: datetime) -> Refused | None:
    """Also of what is only held: once confirmed it could not be given back alone."""
    until = cancel_deadline(booking.start, rule)
    return TooLateForExam(until=in_words(until)) if now > until else None


def refusal_to_move(booking: ExamBooking, *, rule: ExamRule, now: datetime) -> Refused | None:
    refused = refusal_to_cancel(booking, rule=rule, now=now)
    if refused is None and not booking.variant.item.simple:
        return NotChangedAlone(exam=booking.variant.name)
    return refused


def in_words(moment: datetime) -> str:
    """11月24日 15:00, in the hospital's zone."""
    return date_format(moment.astimezone(clock.ZONE), _("n月j日 H:i"))
