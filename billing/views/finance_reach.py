"""财务: who looks (finance, and auditors), who acts (finance alone), and of which houses."""

from django.http import HttpRequest

from billing.selectors import finance
from hospital import permissions
from hospital.models import Organization, Role

READERS = (Role.FINANCE, Role.AUDITOR)
ACTORS = (Role.FINANCE,)
PAGE = 50


def houses(request: HttpRequest, *roles: str) -> frozenset[int]:
    return permissions.organizations_of(request.user, *(roles or READERS))


def frame(request: HttpRequest) -> dict:
    """What the frame of each page shows."""
    mine = houses(request)
    return {
        "organizations": list(Organization.objects.filter(pk__in=mine).order_by("code")),
        "may_act": permissions.has_role(request.user, *ACTORS),
        "waiting": sum(finance.open_cases(mine).values()),
    }
