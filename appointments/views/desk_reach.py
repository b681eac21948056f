"""What the person at the desk may reach: their own organization, and with a department's role that department."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from appointments.models import Appointment, Encounter, Schedule
from hospital.errors import NotAllowed
from hospital.models import Department, Role
from hospital.permissions import may_act_for, organizations_of

ROLES = (Role.TRIAGE, Role.COUNTER, Role.OFFICE)


def houses(request: HttpRequest) -> frozenset[int]:
    return organizations_of(request.user, *ROLES)


def _may_act(request: HttpRequest, department: Department) -> None:
    if not may_act_for(request.user, department, *ROLES):
        raise NotAllowed


def appointment_within_reach(request: HttpRequest, pk: int) -> Appointment:
    rows = Appointment.objects.select_related("department", "schedule__service", "patient")
    row = get_object_or_404(rows, pk=pk, schedule__organization__in=houses(request))
    _may_act(request, row.department)
    return row


def encounter_within_reach(request: HttpRequest, pk: int) -> Encounter:
    rows = Encounter.objects.select_related("department", "schedule", "practitioner", "room")
    row = get_object_or_404(rows, pk=pk, schedule__organization__in=houses(request))
    _may_act(request, row.department)
    return row


def schedule_within_reach(request: HttpRequest, pk: int) -> Schedule:
    rows = Schedule.objects.select_related("department", "service")
    row = get_object_or_404(rows, pk=pk, organization__in=houses(request))
    _may_act(request, row.department)
    return row
