"""What somebody of the exam booking centre, or before the devices, may reach: their own organization."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from exams.models import Device, ExamBooking, ExamRequest
from hospital.models import Patient, Role
from hospital.permissions import organizations_of

CENTRE = (Role.EXAM,)
ROOMS = (Role.EXAM, Role.TRIAGE)


def houses(request: HttpRequest, *roles: str) -> frozenset[int]:
    return organizations_of(request.user, *(roles or CENTRE))


def request_within_reach(request: HttpRequest, pk: int, *roles: str) -> ExamRequest:
    rows = ExamRequest.objects.select_related("patient", "variant__item", "organization", "requester")
    return get_object_or_404(rows, pk=pk, organization__in=houses(request, *roles))


def booking_within_reach(request: HttpRequest, pk: int, *roles: str) -> ExamBooking:
    rows = ExamBooking.objects.select_related(
        "patient", "variant__item", "device__room", "request__requester", "request__organization"
    )
    return get_object_or_404(rows, pk=pk, request__organization__in=houses(request, *roles))


def device_within_reach(request: HttpRequest, pk: int) -> Device:
    return get_object_or_404(devices_within_reach(request), pk=pk)


def devices_within_reach(request: HttpRequest) -> QuerySet[Device]:
    rows = Device.objects.filter(organization__in=houses(request, *ROOMS))
    return rows.select_related("room", "zone__campus", "organization")


def patient(pk: int) -> Patient:
    """One index of persons serves all institutions: who is found may be served, and each look leaves a trace."""
    return get_object_or_404(Patient, pk=pk, active=True)
