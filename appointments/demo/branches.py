"""Core experts at the community branches, and a branch doctor at the core hospital, each under a contract (P12)."""

from datetime import date, datetime

from appointments.models import ScheduleTemplate
from hospital.models import (
    CareTeamMember,
    Contract,
    Department,
    HalfDay,
    HealthcareService,
    Organization,
    Practitioner,
    PractitionerRole,
    Room,
)

PER_BRANCH = 2
EXPERTS = (HealthcareService.Level.CHIEF, HealthcareService.Level.ASSOCIATE)
HALVES = [(weekday, half) for weekday in range(1, 6) for half in (HalfDay.MORNING, HalfDay.AFTERNOON)]
STAY = ("XNK", "NFM")  # the demo accounts' own doctors stay in their rooms
AT_THE_CORE = ("QKY", "PT")  # department and service in which branch doctors sit at the core hospital
NUMBERS, MINUTES = 12, 15


def lend(*, first_day: date, now: datetime) -> int:
    """Contracts, roles and weekly half-days from `first_day` on; how many doctors were lent."""
    core = Organization.objects.get(kind=Organization.Kind.HOSPITAL)
    branches = list(Organization.objects.filter(parent=core).order_by("code"))
    experts = iter(_experts(core))
    lent = 0
    for place, branch in enumerate(branches):
        department = Department.objects.filter(organization=branch).order_by("code").first()
        service = HealthcareService.objects.filter(organization=branch).order_by("code").first()
        for expert in (next(experts, None) for _n in range(PER_BRANCH)):
            lent += _seat(expert, department, service, first_day=first_day, shift=place, now=now)
    guest = Practitioner.objects.filter(organization__in=branches, active=True).order_by("code").first()
    department = Department.objects.filter(organization=core, code=AT_THE_CORE[0]).first()
    service = HealthcareService.objects.filter(organization=core, code=AT_THE_CORE[1]).first()
    return lent + _seat(guest, department, service, first_day=first_day, shift=0, now=now)


def _experts(core: Organization) -> list[Practitioner]:
    """Of different departments, nobody whose numbers a team keeps, and none of the departments in the story."""
    in_teams = CareTeamMember.objects.filter(active=True).values("role__practitioner")
    roles = PractitionerRole.objects.filter(practitioner__organization=core, active=True, service__level__in=EXPERTS)
    rows = (
        roles.exclude(practitioner__in=in_teams)
        .exclude(department__code__in=STAY)
        .select_related("practitioner")
        .order_by("practitioner__code")
    )
    by_department = {}
    for row in rows:
        by_department.setdefault(row.department_id, row.practitioner)
    return list(by_department.values())


def _seat(person: Practitioner | None, department, service, *, first_day: date, shift: int, now: datetime) -> int:
    """In the first half-day when both he and a room there are free; nobody, if there is none."""
    if not (person and department and service):
        return 0
    busy = set(ScheduleTemplate.objects.filter(role__practitioner=person).values_list("weekday", "half"))
    rooms = list(Room.objects.filter(campus=department.campus, active=True).order_by("code"))
    taken = set(ScheduleTemplate.objects.filter(room__in=rooms).values_list("room", "weekday", "half"))
    halves = HALVES[2 * shift :] + HALVES[: 2 * shift]  # not everywhere on Monday
    places = [(day, half, room) for day, half in halves for room in rooms
              if (day, half) not in busy and (room.pk, day, half) not in taken]  # fmt: skip
    if not places:
        return 0
    weekday, half, room = places[0]
    Contract.objects.create(
        practitioner=person, organization=department.organization, effective_from=first_day, note="医联体专家下沉"
        if person.organization.parent_id is None else "医联体进修出诊",
    )  # fmt: skip
    role = PractitionerRole.objects.create(practitioner=person, department=department, service=service)
    ScheduleTemplate.objects.create(
        organization=department.organization, department=department, service=service, role=role, room=room,
        weekday=weekday, half=half, numbers=NUMBERS, minutes=MINUTES, effective_from=first_day, published_at=now,
    )  # fmt: skip
    return 1
