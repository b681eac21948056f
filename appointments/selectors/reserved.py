"""Which pools a channel may take from for this very patient and lower institution."""

from datetime import date

from appointments.policies import special as policy
from hospital.models import Patient

from . import rules
from .rules import ChannelPools


def pools_for_patient(
    channel: str, *, organization_id: int, patient_id: int | None, day: date, partner_id: int | None = None
) -> ChannelPools:
    """rules.pools_for, without the special-group pool where the patient is not of the group (P7).

    The patient is only asked for where the channel makes the difference.
    """
    group = channel in policy.ASKED and is_special(patient_id, day=day)
    return rules.pools_for(channel, organization_id=organization_id, day=day, partner_id=partner_id, special=group)


def is_special(patient_id: int | None, *, day: date) -> bool:
    row = Patient.objects.filter(pk=patient_id).values("birth_date", "special").first()
    return row is not None and policy.is_special(**row, today=day)
