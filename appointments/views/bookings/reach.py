"""Whose booking an account may open."""

from django.http import Http404, HttpRequest

from appointments.models import Appointment
from appointments.selectors import bookings as selectors


def own_booking(request: HttpRequest, pk: int) -> Appointment:
    """One of the account's people's bookings. Anybody else's does not exist, whatever its number."""
    row = selectors.of_account(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row
