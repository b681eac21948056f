"""Whose booking an account may open, and what it must have agreed to before it books for them."""

from datetime import datetime

from django.http import Http404, HttpRequest

from appointments.models import Appointment
from appointments.selectors import bookings as selectors
from hospital import consents, family, prepaid
from hospital.models import RelatedPerson, User


def own_booking(request: HttpRequest, pk: int) -> Appointment:
    """One of the account's people's bookings. Anybody else's does not exist, whatever its number."""
    row = selectors.of_account(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def paid_at(row: Appointment) -> str | None:
    """Where a number is paid that is held until then. None: it stands, or nothing is to be paid first."""
    if row.status != Appointment.Status.PENDING:
        return None
    return prepaid.page(kind="appointment", booking=row.pk, where="patient")


def lacks_consent(row: Appointment, *, account: User, now: datetime) -> RelatedPerson | None:
    """Whose notices this account must agree to before it books for them again (O4)."""
    if not consents.missing(account, row.patient, now):
        return None
    return next((each for each in family.people_of(account) if each.patient_id == row.patient_id), None)
