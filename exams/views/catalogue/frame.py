"""What the frame of every page of the catalogue shows."""

from django.http import HttpRequest

from appointments.views.office import whole
from exams.selectors import signed
from hospital.models import Organization


def framed(request: HttpRequest, house: Organization, tab: str, **more) -> dict:
    return whole.framed(request, house, tab=tab, waiting_count=signed.count_waiting([house.pk]), **more)
