"""The patient an operator is busy with: signed into the address, so that a guessed id opens nothing (B16, O4).

Only a search of this very account at this very seat signs one. It also says since when, and whether the person was
identified: name and last four of the document, asked and answered.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core import signing
from django.http import Http404, HttpRequest

from hospital.models import Patient

from .seat import Seat

GOOD_FOR = timedelta(hours=12)
"""A shift, as the session."""

SALT = "appointments.booking_desk"


@dataclass(frozen=True)
class Call:
    patient_id: int
    identified: bool
    opened_at: datetime

    def sign(self, request: HttpRequest, seat: Seat) -> str:
        since = int(self.opened_at.timestamp())
        return signing.dumps([self.patient_id, int(self.identified), since, request.user.pk, seat.key], salt=SALT)

    def answered(self) -> "Call":
        return Call(self.patient_id, True, self.opened_at)


def open_call(request: HttpRequest, seat: Seat, patient_id: int, *, now: datetime, identified: bool = False) -> str:
    """What an address needs to open this patient."""
    return Call(patient_id, identified, now).sign(request, seat)


def read_call(request: HttpRequest, seat: Seat, text: str) -> Call:
    """Raises Http404: made up, another's, another seat's, or of an earlier shift."""
    try:
        patient_id, identified, since, user, key = signing.loads(text, salt=SALT, max_age=GOOD_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        raise Http404 from None
    if user != request.user.pk or key != seat.key:
        raise Http404
    return Call(patient_id, bool(identified), datetime.fromtimestamp(since, UTC))


def patient_of(call: Call) -> Patient:
    person = Patient.objects.filter(pk=call.patient_id, active=True).first()
    if person is None:
        raise Http404
    return person
