"""代约 (R4): a number for the patient of a referral, out of what the house or the sender has; the two belong together.

Locks: slot, patient, referral, appointment. `now` is None in production: the database's clock decides on the number.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from appointments.models import Appointment, Schedule, Slot
from appointments.models.rules import Channel
from appointments.services import booking, changes
from appointments.services.sql import database_now
from appointments.services.walkin import visit_type
from hospital.errors import Refused
from hospital.models import Patient, User
from hospital.prepaid import PayFirst
from referrals.models import Referral
from referrals.policies.moves import Act, Side

from . import numbers, trail


@dataclass(frozen=True)
class Source:
    """Whose numbers: the house's own, as its window has them, or those kept for the lower institution `partner`."""

    channel: str
    partner: int | None = None


OWN = Source(Channel.COUNTER)
NOTE = "停诊，转诊办改用患者的另一个号"


def sources_of(referral: Referral, side: Side | None) -> dict[str, Source]:
    """What each side may take from. The office of a hospital may also use what is kept for the sender."""
    theirs = Source(Channel.PARTNER, partner=referral.origin_id)
    if referral.direction == Referral.Direction.DOWN:
        return {"own": OWN} if side == Side.RECEIVER else {}
    return {"own": OWN, "partner": theirs} if side == Side.RECEIVER else {"partner": theirs}


def book(
    *,
    referral: Referral,
    schedule: Schedule,
    start: datetime,
    source: Source,
    side: Side,
    by: User,
    request_key: str,
    moving: int | None = None,
    now: datetime | None = None,
) -> Appointment:
    """A number is held, then confirmed together with the referral's step: both or neither. With a number already, or
    one whose session was stopped, that one moves to the new time; `moving`: the one that whoever books knows of. A
    double click is one.

    Raises what booking raises, and NumberChanged, NotTheirTurn, ReferralOver.
    """
    asked = {"schedule": schedule, "start": start, "channel": source.channel, "by": by, "partner": source.partner}
    asked |= {"request_key": request_key, "now": now}
    row = Referral.objects.get(pk=referral.pk)
    trail.may(row, Act.BOOK, side)
    if (held := numbers.standing(row)) and booking.key_is_known(by, request_key):
        return held  # pressed twice
    numbers.changed_since(row, seen=moving)
    if held:
        return booking.reschedule(appointment=held, **asked)
    if stopped := numbers.stopped(row):
        return _instead_of(stopped, row, side=side, asked=asked)
    patient = referral.patient
    number = booking.book(patient=patient, visit_type=visit_type(patient, schedule), **asked)
    try:
        return _settle(referral, number, side=side, by=by, now=now)
    except PayFirst:
        raise  # held for the patient; the referral takes it when it is paid
    except Refused:
        if Appointment.objects.filter(pk=number.pk, status=Appointment.Status.PENDING).exists():
            changes.drop(appointment=number, by=by, now=now)
        raise


@transaction.atomic
def use(*, referral: Referral, appointment: Appointment, by: User, side: Side, now: datetime) -> Referral:
    """用这个号: one that the patient has already. What was lost with its session goes back, or it would stand twice.
    Raises NumberOfAnother, NumberChanged, NotTheirTurn, ReferralOver."""
    if stopped := numbers.stopped(Referral.objects.get(pk=referral.pk)):
        changes.cancel(appointment=stopped, by=by, channel=Channel.COUNTER, reason=NOTE, hospital=True, now=now)
    return numbers.take(referral=referral, appointment=appointment, by=by, side=side, now=now)


def _instead_of(stopped: Appointment, referral: Referral, *, side: Side, asked: dict) -> Appointment:
    """The very number moves, and with it the question to its patient is answered: the fee never rises by a stop. Were
    the second step lost, the fact of the first brings the referral along (following.kept)."""
    with transaction.atomic():  # whoever charges for the move sees the fee as it stays
        number = booking.reschedule(appointment=stopped, **asked)
        if number.fee > stopped.fee:
            Appointment.objects.filter(pk=number.pk).update(fee=stopped.fee)
    numbers.take(referral=referral, appointment=number, by=asked["by"], side=side, now=asked["now"] or database_now())
    return number


@transaction.atomic
def _settle(referral: Referral, number: Appointment, *, side: Side, by: User, now: datetime | None) -> Appointment:
    Slot.objects.select_for_update(no_key=True).only("pk").get(pk=number.slot_id)
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=number.patient_id)
    trail.locked(referral.pk)
    row = changes.confirm(appointment=number, by=by, now=now)
    numbers.take(referral=referral, appointment=row, by=by, side=side, now=now or database_now())
    return row
