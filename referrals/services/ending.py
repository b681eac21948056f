"""Ending or passing on a referral that holds a number, and saying in the same step what becomes of the number (R4).

Locks: the number's slot, patient, referral, appointment: the house's order. `now` is aware UTC.
"""

from datetime import datetime

from django.db import transaction

from appointments.errors import Busy
from appointments.models import Appointment, Slot
from appointments.models.rules import Channel
from appointments.services import changes
from hospital.models import Patient, User
from referrals.models import Referral

from . import answering, numbers, trail, writing

NOTE = "转诊单已退回、改派或撤回"


@transaction.atomic
def reject(*, referral: Referral, reason: str, give_back: bool, by: User, now: datetime, **_more) -> Referral:
    """退回; the number given back, or left to the patient. Raises also what cancelling raises: then nothing changed."""
    number = _lock(referral)
    row = answering.reject(referral=referral, reason=reason, by=by, now=now)
    _settle(number, give_back, by=by, channel=Channel.COUNTER, now=now)
    return row


@transaction.atomic
def redirect(*, referral: Referral, give_back: bool, by: User, now: datetime, **to) -> Referral:
    """改派; its number was of the old place."""
    number = _lock(referral)
    row = answering.redirect(referral=referral, by=by, now=now, **to)
    _settle(number, give_back, by=by, channel=Channel.COUNTER, now=now)
    return row


@transaction.atomic
def withdraw(*, referral: Referral, reason: str, give_back: bool, by: User, now: datetime, **_more) -> Referral:
    """撤回 by the sender."""
    number = _lock(referral)
    row = writing.withdraw(referral=referral, reason=reason, by=by, now=now)
    up = row.direction == Referral.Direction.UP
    _settle(number, give_back, by=by, channel=Channel.PARTNER if up else Channel.COUNTER, now=now)
    return row


def _lock(referral: Referral) -> Appointment | None:
    """Slot, patient, referral. Raises Busy where the number moved under our feet."""
    number = numbers.to_settle(referral)
    if number is not None:
        Slot.objects.select_for_update(no_key=True).only("pk").get(pk=number.slot_id)
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=referral.patient_id)
    row = trail.locked(referral.pk)
    still = numbers.to_settle(row)
    if still is None:  # cancelled meanwhile: nothing to give back
        return None
    if number is None or (still.pk, still.slot_id) != (number.pk, number.slot_id):
        raise Busy()
    return still


def _settle(number: Appointment | None, give_back: bool, *, by: User, channel: str, now: datetime) -> None:
    if number is not None and give_back:
        changes.cancel(appointment=number, by=by, channel=channel, reason=NOTE, now=now)
