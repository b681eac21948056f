"""Whom a page of slices is about: a doctor in a department, an expert team, a plain clinic."""

from collections.abc import Iterable

from django.db.models import QuerySet

from hospital.models import CareTeam, CareTeamMember, PractitionerRole

from .doctors import leaders
from .openings import Opening
from .places import departments_shown

__all__ = ["departments_shown", "gate_of", "members_of", "roles_shown", "teams_shown"]

PLACE = ("department__organization", "department__campus", "service")
OPEN = {"active": True, "department__active": True, "department__organization__active": True}


def roles_shown() -> QuerySet[PractitionerRole]:
    rows = PractitionerRole.objects.filter(practitioner__active=True, **OPEN)
    return rows.select_related("practitioner", *PLACE)


def teams_shown() -> QuerySet[CareTeam]:
    return CareTeam.objects.filter(**OPEN).select_related(*PLACE)


def members_of(team: CareTeam) -> list[CareTeamMember]:
    """The leader first."""
    rows = CareTeamMember.objects.filter(team=team, active=True, role__practitioner__active=True)
    return list(rows.select_related("role__practitioner").order_by("-leader", "role__practitioner__pinyin", "id"))


def gate_of(openings: Iterable[Opening]) -> CareTeamMember | None:
    """The team that has to refer, with its leader, when none of these half-days can be booked without it (B11)."""
    openings = list(openings)
    if not openings or not all(each.gate for each in openings):
        return None
    return leaders({openings[0].gate}).get(openings[0].gate)
