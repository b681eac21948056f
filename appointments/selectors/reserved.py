"""Which pools a channel may take from for this very patient and lower institution."""

from datetime import date

from appointments.models.rules import Channel
from appointments.policies import special as policy
from hospital.models import Patient, SignedResident

from . import rules
from .rules import ChannelPools


def pools_for_patient(
    channel: str, *, organization_id: int, patient_id: int | None, day: date, partner_id: int | None = None
) -> ChannelPools:
    """rules.pools_for, without the special-group pool where the patient is not of the group (P7), and without what is
    kept for signed residents where the patient is not signed with the institution that books (R6).

    The patient is only asked for where the channel makes the difference.
    """
    group = channel in policy.ASKED and is_special(patient_id, day=day)
    signed = channel == Channel.PARTNER and is_signed(patient_id, partner_id=partner_id, day=day)
    return rules.pools_for(
        channel, organization_id=organization_id, day=day, partner_id=partner_id, special=group, signed=signed
    )


def is_special(patient_id: int | None, *, day: date) -> bool:
    row = Patient.objects.filter(pk=patient_id).values("birth_date", "special").first()
    return row is not None and policy.is_special(**row, today=day)


def is_signed(patient_id: int | None, *, partner_id: int | None, day: date) -> bool:
    """签约居民 of this institution on that day, both ends included."""
    if patient_id is None or partner_id is None:
        return False
    rows = SignedResident.objects.filter(patient=patient_id, organization=partner_id)
    return rows.filter(effective_from__lte=day, effective_to__gte=day).exists()


def signed_with(patient_id: int, *, day: date) -> int | None:
    """With which institution, if any: one at a time."""
    rows = SignedResident.objects.filter(patient=patient_id, effective_from__lte=day, effective_to__gte=day)
    return rows.values_list("organization", flat=True).first()
