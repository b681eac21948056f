"""Whom a lower institution knows: a guessed number of a patient tells its program nothing (P10)."""

from django.db.models import Exists, OuterRef, Q

from appointments.models import Appointment
from hospital import patient_index
from hospital.models import ApiToken, ExternalRecord, Patient, SignedResident
from referrals.models import Referral

CAME = (Appointment.Status.ARRIVED, Appointment.Status.FULFILLED)
BY_ID = ApiToken.objects.filter(user=OuterRef("by"), scopes__contains=[ApiToken.Scope.BOOK_ANYONE])
"""A programme that books anyone takes a number for an id that it may have guessed; at a desk the document is asked."""


def knows(organization_id: int, patient_id: int, *, system: str = "") -> bool:
    """Signed there, referred by it or to it, booked at its desk or there already, or sent under a number of its own
    system."""
    sent = Q(origin=organization_id) | Q(receiver=organization_id, sent_at__isnull=False)
    return (
        SignedResident.objects.filter(patient=patient_id, organization=organization_id).exists()
        or Referral.objects.filter(sent, patient=patient_id).exists()
        or Appointment.objects.filter(
            Q(partner=organization_id) | Q(schedule__organization=organization_id), patient=patient_id
        ).filter(Q(status__in=CAME) | Q(by__isnull=False) & ~Exists(BY_ID)).exists()
        or bool(system)
        and ExternalRecord.objects.filter(
            system=system, kind=ExternalRecord.Kind.PATIENT, patient=patient_id
        ).exists()
    )  # fmt: skip


def active(patient_id: int) -> Patient | None:
    """The person of this id, also under the id of a record that was merged into theirs."""
    return Patient.objects.filter(pk=patient_index.known_as(patient_id), active=True).first()


def who_know(patient_ids: list[int]) -> list[int]:
    """The institutions with a referral, a number or a signed resident of theirs. Five look-ups by patient."""
    referrals = Referral.objects.filter(patient__in=patient_ids)
    numbers = Appointment.objects.filter(patient__in=patient_ids)
    columns = (
        referrals.values_list("origin", flat=True),
        referrals.filter(sent_at__isnull=False).values_list("receiver", flat=True),
        numbers.exclude(partner=None).values_list("partner", flat=True),
        numbers.values_list("schedule__organization", flat=True),
        SignedResident.objects.filter(patient__in=patient_ids).values_list("organization", flat=True),
    )
    return sorted({pk for rows in columns for pk in rows.distinct()})
