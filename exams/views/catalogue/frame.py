"""Whose catalogue is looked at, and who may write it."""

from django.http import HttpRequest

from appointments.views.office.reach import ACTORS, Reach, may_act, reach_of
from appointments.views.office.rules import house_of
from exams.selectors import signed
from hospital.errors import NotAllowed
from hospital.models import Organization

TABS = ("items", "sets", *signed.KINDS, "groups")


def framed(request: HttpRequest, house: Organization, tab: str, **more) -> dict:
    """What the frame of every page of the catalogue shows."""
    reach = reach_of(request)
    return {
        "house": house,
        "houses": list(Organization.objects.filter(pk__in=reach.organizations).order_by("pk")),
        "organizations": [house],
        "tab": tab,
        "may_write": may_act(request) and may_write(reach_of(request, *ACTORS), house.pk),
        "waiting_count": signed.count_waiting([house.pk]),
        **more,
    }


def may_write(reach: Reach, organization_id: int) -> bool:
    """The catalogue is the whole house's: an office of one department reads it."""
    return organization_id in reach.organizations and reach.departments is None


def read_house(request: HttpRequest) -> Organization:
    return house_of(request, reach_of(request))


def write_house(request: HttpRequest, organization: Organization | None = None) -> Organization:
    """The house that is written to: of the row, else ?house=. Raises NotAllowed where one may only read."""
    reach = reach_of(request, *ACTORS)
    house = organization or house_of(request, reach)
    if not may_write(reach, house.pk):
        raise NotAllowed
    return house
