"""Whose stops and cases somebody may see and act on."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from appointments.models import StopCase, Suspension
from appointments.selectors.stops import board, scope
from hospital.models import Role

from .reach import ACTORS, READERS, Reach, reach_of

CALLERS = (Role.OFFICE, Role.PHONE)
CALL_READERS = (*CALLERS, Role.AUDITOR, Role.SYSADMIN)


def stop_seen(request: HttpRequest, pk: int) -> Suspension:
    reach = reach_of(request, *READERS)
    row = board.within(reach.organizations, reach.departments).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def stop_to_act_on(request: HttpRequest, pk: int) -> Suspension:
    """All of its sessions, done or to be done, must be within reach: a department's office doesn't stop the others'."""
    reach = reach_of(request, *ACTORS)
    row = board.within(reach.organizations, reach.departments).filter(pk=pk).first()
    if row is None or not covers(reach, row):
        raise Http404
    return row


def covers(reach: Reach, row: Suspension) -> bool:
    if row.organization_id not in reach.organizations:
        return False
    beyond = scope.sessions_of(row).exclude(reach.schedules).exists()
    return not beyond and not row.sessions.exclude(schedule__in=_within(reach)).exists()


def cases_within(reach: Reach, row: Suspension) -> QuerySet[StopCase]:
    """A doctor's stop may go over several departments: each one's office sees its own patients."""
    return StopCase.objects.filter(substitution__suspension=row, substitution__schedule__in=_within(reach))


def _within(reach: Reach):
    return scope.Schedule.objects.filter(reach.schedules)


def case_within_reach(request: HttpRequest, pk: int, *, roles=CALL_READERS) -> StopCase:
    reach = reach_of(request, *roles)
    rows = StopCase.objects.filter(substitution__schedule__in=_within(reach))
    row = (
        rows.select_related(*board.RELATED, "appointment__schedule", "substitution__schedule__room")
        .filter(pk=pk)
        .first()
    )
    if row is None:
        raise Http404
    return row
