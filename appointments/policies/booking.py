"""Booking, cancelling, adding on: the same function greys a button on a page and refuses in a service."""

from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.errors import (
    ExtraLimit,
    HoldLapsed,
    LevelNotAllowed,
    NeedsReason,
    PastNumber,
    Stopped,
    TooFarAhead,
    TooLateToCancel,
    TooManyExtras,
    WrongState,
)
from appointments.models import Appointment, BookingRule, Schedule
from appointments.models.rules import SELF_SERVICE, Channel
from hospital import clock
from hospital.errors import Refused
from hospital.models import HealthcareService

AT_THE_WINDOW = frozenset({Channel.COUNTER, Channel.CONSULT, Channel.WARD})
"""Channels where staff decide in person: the self-service cut-off does not hold for them (rules.md)."""


def is_self_service(channel: str) -> bool:
    """Limits, suspensions and one-per-department-and-day hold for these channels only (rules.md)."""
    return channel in SELF_SERVICE


def may_take_past_numbers(channel: str) -> bool:
    """The counter may give a number whose minute has passed while the schedule still runs (rules.md)."""
    return channel == Channel.COUNTER


def hold_for(channel: str, rule: BookingRule) -> timedelta:
    """How long a number is kept while its booker makes up their mind."""
    minutes = {
        Channel.CONSULT: rule.consult_hold_minutes,
        Channel.WARD: rule.consult_hold_minutes,
        Channel.COUNTER: rule.counter_hold_minutes,
    }.get(channel, rule.web_hold_minutes)
    return timedelta(minutes=minutes)


def limits_for(channel: str, *, exempt: bool, rule: BookingRule) -> list[int] | None:
    """[per day, per 7 days, per 90 days] by visit day; None for channels and services that are not limited."""
    if exempt or not is_self_service(channel):
        return None
    return [rule.limit_day, rule.limit_week, rule.limit_quarter]


def refusal_by_level(*, channel: str, level: str, levels: list[str] | None) -> LevelNotAllowed | None:
    """B4: which levels the consult room may book is a dated setting. `levels` None: not restricted."""
    if channel != Channel.CONSULT or levels is None or level in levels:
        return None
    names = _("、").join(str(HealthcareService.Level(each).label) for each in levels)
    return LevelNotAllowed(levels=names or "—")


def refusal_to_cancel(
    appointment: Appointment, *, channel: str, rule: BookingRule, now: datetime, by_the_house: bool = False
) -> Refused | None:
    """退号: by the cut-off for self-service (default 15:00 the day before); at the window until the visit begins.

    What the hospital itself stopped may always be given back, and so may what it gave to another doctor while the
    patient is asked (`by_the_house`).
    """
    if appointment.status not in {Appointment.Status.PENDING, Appointment.Status.BOOKED}:
        return WrongState(state=appointment.get_status_display())
    if by_the_house or channel in AT_THE_WINDOW or appointment.status == Appointment.Status.PENDING:
        return None
    deadline = cancel_deadline(appointment.day, rule)
    if is_late(appointment, rule=rule, now=now):
        return TooLateToCancel(deadline=date_format(deadline.astimezone(clock.ZONE), _("n月j日 H:i")))
    return None


def is_late(appointment: Appointment, *, rule: BookingRule, now: datetime) -> bool:
    """After the cut-off, and not because the clinic was stopped."""
    return now > cancel_deadline(appointment.day, rule) and appointment.schedule.status != Schedule.Status.STOPPED


def cancel_deadline(day: date, rule: BookingRule) -> datetime:
    """A wall time of the hospital, some days before the visit."""
    return clock.days_before(day, rule.cancel_days, rule.cancel_time)


def refusal_to_confirm(appointment: Appointment, *, hold_until: datetime | None, now: datetime) -> Refused | None:
    """A hold is confirmed while its clock runs; once it has passed the number counts as free for everybody."""
    if appointment.status == Appointment.Status.BOOKED:
        return None
    if appointment.status == Appointment.Status.CANCELLED:
        return HoldLapsed()
    if appointment.status != Appointment.Status.PENDING:
        return WrongState(state=appointment.get_status_display())
    return HoldLapsed() if hold_until is None or hold_until <= now else None


def refusal_to_add_extra(schedule, *, extras: int, reason: str, rule: BookingRule, now: datetime) -> Refused | None:
    """加号 (B10): within the schedule's limit and horizon, with a reason."""
    if not reason.strip():
        return NeedsReason()
    return refusal_to_extend(schedule, extras=extras, wanted=1, rule=rule, now=now)


def refusal_to_extend(schedule, *, extras: int, wanted: int, rule: BookingRule, now: datetime) -> Refused | None:
    """`wanted` numbers above the capacity, where `extras` stand already, whoever added them (consult room, office)."""
    if schedule.status != "open":
        return Stopped()
    if schedule.ends_at <= now:
        return PastNumber()
    if schedule.day > clock.today(now) + timedelta(days=rule.extra_horizon_days):
        return TooFarAhead()
    if extras >= rule.extra_limit:
        return ExtraLimit(limit=rule.extra_limit)
    if extras + wanted > rule.extra_limit:
        return TooManyExtras(left=rule.extra_limit - extras, limit=rule.extra_limit)
    return None
