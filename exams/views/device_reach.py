"""Whose devices somebody may see and act on: the office as everywhere, and the exam booking centre.

The centre looks at the week, takes devices down and calls patients; hours, reserves and the devices themselves are the
office's.
"""

from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from appointments.views.office import reach
from exams.models import Device, Downtime, DowntimeCase
from exams.services.devices import cases
from hospital.models import Organization, Role
from hospital.permissions import assignments, has_role

READERS = (*reach.READERS, Role.EXAM)
ACTORS = (Role.OFFICE, Role.EXAM)
KEEPERS = reach.ACTORS
CALL_READERS = (*READERS, Role.PHONE)
CALLERS = (*ACTORS, Role.PHONE)
"""As of stopped clinics: who telephones patients does so for exams, too."""


def within(request: HttpRequest, *roles: str) -> Q:
    """Of devices."""
    mine = reach.reach_of(request, *(roles or READERS))
    wanted = Q(organization__in=mine.organizations)
    return wanted if mine.departments is None else wanted & Q(room__department__in=mine.departments)


def of(name: str, wanted: Q) -> Q:
    """The same said of rows that name a device: prefix it."""
    made = Q(_connector=wanted.connector, _negated=wanted.negated)
    for child in wanted.children:
        made.add(of(name, child) if isinstance(child, Q) else Q(**{f"{name}__{child[0]}": child[1]}), wanted.connector)
    return made


def houses(request: HttpRequest, *roles: str) -> frozenset[int]:
    return reach.reach_of(request, *(roles or READERS)).organizations


def departments(request: HttpRequest) -> frozenset[int] | None:
    """In whose rooms somebody keeps devices. None: in all of their houses."""
    return reach.reach_of(request, *KEEPERS).departments


def whole_houses(request: HttpRequest) -> frozenset[int]:
    """Whose zones and teams somebody keeps: they are not one department's."""
    held = [row for row in assignments(request.user) if row.role in KEEPERS]
    return frozenset(row.organization_id for row in held if row.department_id is None)


def device(request: HttpRequest, pk: int, *roles: str) -> Device:
    rows = Device.objects.filter(within(request, *roles))
    return get_object_or_404(rows.select_related("organization", "room", "zone__campus", "team"), pk=pk)


def downtime(request: HttpRequest, pk: int, *roles: str) -> Downtime:
    rows = Downtime.objects.filter(of("device", within(request, *roles)))
    return get_object_or_404(rows.select_related("device__organization", "device__room", "by", "ended_by"), pk=pk)


def case(request: HttpRequest, pk: int, *roles: str) -> DowntimeCase:
    rows = cases.related().filter(of("downtime__device", within(request, *(roles or CALL_READERS))))
    return get_object_or_404(rows, pk=pk)


def may(request: HttpRequest, *roles: str) -> bool:
    return has_role(request.user, *roles)


def frame(request: HttpRequest) -> dict:
    """The office's page with its menu, or for who has none there a page without. And whose it is."""
    office = has_role(request.user, *reach.READERS)
    return {
        "frame": "office/page.html" if office else "exams/devices/alone.html",
        "organizations": Organization.objects.filter(pk__in=houses(request, *CALL_READERS)),
    }
