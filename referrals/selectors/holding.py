"""The number that is held while a letter is being written."""

from datetime import datetime
from uuid import UUID

from django.utils.crypto import salted_hmac

from appointments.models import Appointment, Slot
from referrals.models import Referral

ACTOR = ("department", "service", "team", "room", "campus", "role__practitioner")


def basket_of(referral: Referral) -> UUID:
    """One draft's 预约单. Not to be guessed from its number."""
    return UUID(bytes=salted_hmac("referral.draft", str(referral.pk)).digest()[:16], version=4)


def held_by(referral: Referral, *, now: datetime) -> Appointment | None:
    """What still stands at `now`. A hold whose time has passed is nobody's."""
    rows = Appointment.objects.filter(
        basket=basket_of(referral),
        patient=referral.patient_id,
        status=Appointment.Status.PENDING,
        slot__status=Slot.Status.HELD,
        slot__hold_until__gt=now,
    )
    rows = rows.select_related("slot", "schedule__organization", *(f"schedule__{name}" for name in ACTOR))
    return rows.order_by("-pk").first()
