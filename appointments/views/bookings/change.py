"""改约 in one step: another slice of the same doctor, team or clinic; the same booking moves, or the old one stays."""

from django.http import HttpRequest

from hospital.permissions import patient_required


@patient_required
def booking_change(request: HttpRequest, pk: int):
    raise NotImplementedError
