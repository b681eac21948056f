"""Whom a lower institution knows: a guessed number of a patient tells its program nothing (P10)."""

from django.db.models import Q

from appointments.models import Appointment
from hospital.models import ExternalRecord, Patient, SignedResident
from referrals.models import Referral


def knows(organization_id: int, patient_id: int, *, system: str = "") -> bool:
    """Signed there, booked or referred by it, referred to it, or sent under a number of its own system."""
    sent = Q(origin=organization_id) | Q(receiver=organization_id, sent_at__isnull=False)
    return (
        SignedResident.objects.filter(patient=patient_id, organization=organization_id).exists()
        or Referral.objects.filter(sent, patient=patient_id).exists()
        or Appointment.objects.filter(
            Q(partner=organization_id) | Q(schedule__organization=organization_id), patient=patient_id
        ).exists()
        or bool(system)
        and ExternalRecord.objects.filter(
            system=system, kind=ExternalRecord.Kind.PATIENT, patient=patient_id
        ).exists()
    )  # fmt: skip


def active(patient_id: int) -> Patient | None:
    return Patient.objects.filter(pk=patient_id, active=True).first()
