"""What is the whole house's: its own office writes it, the office of one department reads it."""

from django.http import HttpRequest

from hospital.errors import NotAllowed
from hospital.models import Organization

from .reach import ACTORS, reach_of
from .rules import house_of


def may_write(request: HttpRequest, house: Organization) -> bool:
    reach = reach_of(request, *ACTORS)
    return house.pk in reach.organizations and reach.departments is None


def read_house(request: HttpRequest) -> Organization:
    return house_of(request, reach_of(request))


def write_house(request: HttpRequest, organization: Organization | None = None) -> Organization:
    """The house that is written to: of the row, else ?house=. Raises NotAllowed where one may only read."""
    house = organization or house_of(request, reach_of(request, *ACTORS))
    if not may_write(request, house):
        raise NotAllowed
    return house


def framed(request: HttpRequest, house: Organization, **more) -> dict:
    """What the frame of such a page shows."""
    return {
        "house": house,
        "houses": list(Organization.objects.filter(pk__in=reach_of(request).organizations).order_by("pk")),
        "organizations": [house],
        "may_write": may_write(request, house),
        **more,
    }
