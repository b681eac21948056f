"""What somebody of the office may see and do: the houses, or the one department, that the role is held at."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest

from hospital import permissions
from hospital.models import Department, Organization, Role

READERS = (Role.OFFICE, Role.AUDITOR, Role.SYSADMIN)
"""Who looks. Only Role.OFFICE acts: an auditor reads and cannot touch."""

ACTORS = (Role.OFFICE,)


@dataclass(frozen=True)
class Reach:
    """`departments` None: every department of `organizations`."""

    organizations: frozenset[int]
    departments: frozenset[int] | None

    @property
    def schedules(self) -> Q:
        """Of rows with `organization` and `department`: schedules, templates."""
        wanted = Q(organization__in=self.organizations)
        return wanted if self.departments is None else wanted & Q(department__in=self.departments)

    def covers(self, row) -> bool:
        """A row with `organization_id` and `department_id`. What is the whole house's is not one department's."""
        if row.organization_id not in self.organizations:
            return False
        return self.departments is None or row.department_id in self.departments


def reach_of(request: HttpRequest, *roles: str) -> Reach:
    """Where the user holds any of these roles (READERS, if none is named). The administrator of the whole house may
    have no role row: then every house, to look at."""
    roles = roles or READERS
    held = [row for row in permissions.assignments(request.user) if row.role in roles]
    if not held and Role.SYSADMIN in roles and permissions.has_role(request.user, Role.SYSADMIN):
        return Reach(frozenset(Organization.objects.values_list("pk", flat=True)), None)
    whole = frozenset(row.organization_id for row in held if row.department_id is None)
    own = frozenset(row.department_id for row in held if row.department_id is not None)
    if not own:
        return Reach(whole, None)
    everywhere = frozenset(Department.objects.filter(organization__in=whole).values_list("pk", flat=True))
    houses = whole | {row.organization_id for row in held}
    return Reach(frozenset(houses), own | everywhere)


def may_act(request: HttpRequest) -> bool:
    """Pages show their buttons by it; acting views are guarded by role_required(*ACTORS) and reach_of(ACTORS)."""
    return permissions.has_role(request.user, *ACTORS)
