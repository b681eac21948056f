"""The code on a slip: the basket's number, signed. It says nothing about the person and cannot be made up."""

from uuid import UUID

from django.core.signing import BadSignature, Signer

from appointments.models import Appointment
from hospital.models import Patient

_signer = Signer(salt="appointments.slip")


def code_of(basket: UUID) -> str:
    """At most 80 characters, so that any scanner types it into a search box."""
    return _signer.sign(basket.hex)


def patient_of(code: str) -> Patient | None:
    """Whose slip was scanned; None for anything that is not one of our codes."""
    try:
        basket = UUID(_signer.unsign(code.strip()))
    except (BadSignature, ValueError):
        return None
    line = Appointment.objects.filter(basket=basket).select_related("patient").first()
    return line.patient if line and line.patient.active else None
