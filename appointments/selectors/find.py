"""Where else to book: departments, levels, doctors and teams, found by Chinese name, pinyin or its initials."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from appointments.models import Encounter, Schedule
from hospital.models import CareTeam, Department, HealthcareService, Patient, Practitioner, PractitionerRole

from .numbers import count_left

MOST = 6
"""Results of one sort in a list."""

NEAR = timedelta(days=10)
"""How far around the wanted day the lists look for a number."""


@dataclass(frozen=True)
class Place:
    """One line of a list: a department, a doctor or a team, with its nearest number around the wanted day."""

    sort: str  # department, role, team
    pk: int
    name: str
    note: str
    level: str = ""
    schedule: Schedule | None = None
    left: int = 0

    @property
    def few(self) -> bool:
        return 0 < self.left <= 2


def matching(rows: QuerySet, text: str, *, path: str = "") -> QuerySet:
    """By the start of the initials or the pinyin, or any part of the Chinese name; initials first."""
    plain = text.lower().replace(" ", "")
    initials, pinyin = Q(**{f"{path}initials__startswith": plain}), Q(**{f"{path}pinyin__startswith": plain})
    rank = Case(
        When(Q(**{f"{path}name": text}), then=0),
        When(initials, then=1),
        When(pinyin, then=2),
        default=Value(3),
        output_field=IntegerField(),
    )
    return rows.filter(initials | pinyin | Q(**{f"{path}name__icontains": text})).annotate(rank=rank)


def search(
    text: str, *, doctor: Practitioner, pools, near: date, levels: list[str] | None, now: datetime
) -> list[Place]:
    """Departments, doctors and teams of the hospital that match, each with its nearest number."""
    text = text.strip()
    if not text:
        return []
    hospital = {"organization": doctor.organization_id, "active": True}
    departments = matching(Department.objects.filter(**hospital), text).order_by("rank", "order", "code")[:MOST]
    roles = PractitionerRole.objects.filter(
        active=True,
        practitioner__active=True,
        department__active=True,
        practitioner__organization=doctor.organization_id,
    ).select_related("practitioner", "department", "service")
    roles = matching(roles, text, path="practitioner__").order_by("rank", "practitioner__pinyin", "id")[:MOST]
    teams = CareTeam.objects.filter(**hospital).select_related("department")
    teams = matching(teams, text).order_by("rank", "pinyin", "id")[:MOST]
    return nearest(
        departments=list(departments),
        roles=list(roles),
        teams=list(teams),
        pools=pools,
        near=near,
        levels=levels,
        now=now,
    )


def nearest(
    *,
    departments: Iterable[Department] = (),
    roles: Iterable[PractitionerRole] = (),
    teams: Iterable[CareTeam] = (),
    pools,
    near: date,
    levels: list[str] | None,
    now: datetime,
) -> list[Place]:
    """The places as lines, each with the session nearest to the wanted day that has a number. Two queries."""
    found = _openings(departments=departments, roles=roles, teams=teams, pools=pools, near=near, levels=levels, now=now)
    lines = [
        Place("department", one.pk, one.name, one.location, **_best(found, "department_id", one.pk, near))
        for one in departments
    ]
    for one in roles:
        note = f"{one.department} {one.practitioner.title}"
        level = one.service.level
        lines.append(Place("role", one.pk, one.practitioner.name, note, level, **_best(found, "role_id", one.pk, near)))
    lines += [
        Place("team", one.pk, one.name, one.department.name, "team", **_best(found, "team_id", one.pk, near))
        for one in teams
    ]
    return lines


def _openings(*, departments, roles, teams, pools, near: date, levels, now: datetime) -> list[tuple[Schedule, int]]:
    """Open schedules of these places near the wanted day, with how many numbers are left."""
    wanted = Q(department__in=departments, role=None, team=None) | Q(role__in=roles) | Q(team__in=teams)
    rows = Schedule.objects.filter(
        wanted, gate_team=None, status=Schedule.Status.OPEN, ends_at__gt=now, day__range=(near - NEAR, near + NEAR)
    )
    if levels is not None:
        rows = rows.filter(service__level__in=levels)
    schedules = list(
        rows.only("id", "day", "half", "department", "role", "team", "starts_at", "ends_at").order_by("starts_at", "id")
    )
    left = count_left([schedule.pk for schedule in schedules], pools=pools, now=now)
    return [(schedule, left[schedule.pk]) for schedule in schedules if left.get(schedule.pk)]


def _best(found: list[tuple[Schedule, int]], attribute: str, pk: int, near: date) -> dict:
    mine = [pair for pair in found if getattr(pair[0], attribute) == pk]
    if attribute == "department_id":
        mine = [pair for pair in mine if not pair[0].role_id and not pair[0].team_id]
    if not mine:
        return {}
    schedule, left = min(mine, key=lambda pair: (abs(pair[0].day - near), pair[0].starts_at))
    return {"schedule": schedule, "left": left}


def departments_of(doctor: Practitioner) -> list[Department]:
    """All departments with a clinic, in the hospital's own order."""
    rows = Department.objects.filter(organization=doctor.organization_id, active=True)
    return list(rows.select_related("campus"))


def teams_of(
    doctor: Practitioner, *, department: int | None, pools, near: date, levels: list[str] | None, now: datetime
) -> list[Place]:
    """The expert teams of the hospital or of one department, each with its nearest number."""
    rows = CareTeam.objects.filter(organization=doctor.organization_id, active=True).select_related("department")
    rows = rows.filter(department=department) if department else rows
    return nearest(teams=list(rows.order_by("pinyin", "id")), pools=pools, near=near, levels=levels, now=now)


def levels_in(department_id: int, *, day: date) -> list[str]:
    """The levels that a department has clinics of from a day on."""
    rows = Schedule.objects.filter(department=department_id, gate_team=None, day__gte=day).order_by()
    offered = set(rows.values_list("service__level", flat=True).distinct())
    return [level for level in HealthcareService.Level.values if level in offered]


def doctors_in(department_id: int) -> list[PractitionerRole]:
    """The doctors who see patients in a department, by level and name."""
    rows = PractitionerRole.objects.filter(department=department_id, active=True, practitioner__active=True)
    order = {level: place for place, level in enumerate(HealthcareService.Level.values)}
    found = rows.select_related("practitioner", "service").order_by("practitioner__pinyin", "id")
    return sorted(found, key=lambda role: order[role.service.level])


def suggestions(
    *, doctor: Practitioner, patient: Patient, department: Department, pools, near: date, levels, now: datetime
) -> list[Place]:
    """Likely next bookings: doctors who saw this patient before, and the own department's teams and plain clinic.

    Judged by what happened, not by a guess from the diagnosis.
    """
    seen = (
        Encounter.objects.filter(patient=patient, status=Encounter.Status.FINISHED, schedule__role__isnull=False)
        .exclude(schedule__role__practitioner=doctor)
        .order_by("-id")
        .values_list("schedule__role", flat=True)[: MOST * 3]
    )
    roles = PractitionerRole.objects.filter(
        pk__in=list(dict.fromkeys(seen))[:MOST], active=True, practitioner__active=True
    )
    return nearest(
        departments=[department],
        roles=list(roles.select_related("practitioner", "department", "service")),
        teams=list(CareTeam.objects.filter(department=department, active=True).select_related("department")),
        pools=pools,
        near=near,
        levels=levels,
        now=now,
    )
