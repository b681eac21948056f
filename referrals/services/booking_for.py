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
from referrals.models import Referral
from referrals.policies.moves import Act, Side

from . import ending, numbers, trail


@dataclass(frozen=True)
class Source:
    """Whose numbers: the house's own, as its window has them, or those kept for the lower institution `partner`."""

    channel: str
    partner: int | None = None


OWN = Source(Channel.COUNTER)


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
    now: datetime | None = None,
) -> Appointment:
    """A number is held, then confirmed together with the referral's step: both or neither. With a number already it
    moves to the new time. A double click is one.

    Raises what booking raises, and NotTheirTurn, ReferralOver.
    """
    asked = {"schedule": schedule, "start": start, "channel": source.channel, "by": by, "partner": source.partner}
    asked |= {"request_key": request_key, "now": now}
    trail.may(Referral.objects.get(pk=referral.pk), Act.BOOK, side)
    if held := ending.standing(referral):
        if booking.key_is_known(by, request_key):
            return held  # pressed twice
        return booking.reschedule(appointment=held, **asked)
    patient = referral.patient
    number = booking.book(patient=patient, visit_type=visit_type(patient, schedule), **asked)
    try:
        return _settle(referral, number, side=side, by=by, now=now)
    except Refused:
        if Appointment.objects.filter(pk=number.pk, status=Appointment.Status.PENDING).exists():
            changes.drop(appointment=number, by=by, now=now)
        raise


@transaction.atomic
def _settle(referral: Referral, number: Appointment, *, side: Side, by: User, now: datetime | None) -> Appointment:
    Slot.objects.select_for_update(no_key=True).only("pk").get(pk=number.slot_id)
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=number.patient_id)
    trail.locked(referral.pk)
    row = changes.confirm(appointment=number, by=by, now=now)
    numbers.take(referral=referral, appointment=row, by=by, side=side, now=now or database_now())
    return row
