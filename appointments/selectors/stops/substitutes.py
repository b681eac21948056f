"""Who could step in (替诊): doctors of the department, of the level or above, free at that time. A look, no promise:
the EXCLUDE constraint on sittings decides when it is done."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from appointments.models import Schedule, ScheduleParticipant, Suspension
from appointments.policies import stops as policy
from hospital.models import CareTeamMember, PractitionerRole


@dataclass(frozen=True)
class Candidate:
    """One doctor for one session. `busy`: where they are then, in words; empty when free."""

    role: PractitionerRole
    busy: str = ""


@dataclass
class Choice:
    """Of one session: who is free, the nearest level first, and who would be but sits elsewhere."""

    free: list[Candidate] = field(default_factory=list)
    busy: list[Candidate] = field(default_factory=list)


def leads_a_team(practitioner: int) -> bool:
    return _leaders([practitioner]) != set()


def _leaders(practitioners: Iterable[int]) -> set[int]:
    rows = CareTeamMember.objects.filter(leader=True, active=True, team__active=True)
    rows = rows.filter(role__practitioner__in=practitioners)
    return set(rows.values_list("role__practitioner", flat=True))


def is_away(practitioner: int, schedule: Schedule) -> bool:
    """The doctor's own days off, by a stop in force."""
    return any(_covers(stop, schedule) for stop in _stops([practitioner], [schedule])[practitioner])


def _stops(practitioners: Iterable[int], schedules: list[Schedule]) -> dict[int, list[Suspension]]:
    days = [schedule.day for schedule in schedules]
    rows = Suspension.objects.filter(
        practitioner__in=practitioners,
        schedules=[],
        status=Suspension.Status.ACTIVE,
        first_day__lte=max(days),
        last_day__gte=min(days),
    )
    found = defaultdict(list)
    for row in rows:
        found[row.practitioner_id].append(row)
    return found


def _covers(stop: Suspension, schedule: Schedule) -> bool:
    return stop.first_day <= schedule.day <= stop.last_day and stop.half in ("", schedule.half)


def choices(schedules: list[Schedule], *, now: datetime) -> dict[int, Choice]:
    """Schedule → who could take it. Four queries, however many sessions. `schedules` with service and role."""
    wanted = [each for each in schedules if policy.may_be_substituted(each)]
    if not wanted:
        return {each.pk: Choice() for each in schedules}
    roles = list(
        PractitionerRole.objects.filter(
            department__in={each.department_id for each in wanted}, active=True, practitioner__active=True
        )
        .select_related("practitioner", "service")
        .order_by("practitioner__name", "pk")
    )
    people = {role.practitioner_id for role in roles}
    leaders, stops, busy = _leaders(people), _stops(people, wanted), _sittings(people, wanted)
    found = {each.pk: Choice() for each in schedules}
    for each in wanted:
        for role in _nearest_first(roles, each):
            away = any(_covers(stop, each) for stop in stops.get(role.practitioner_id, []))
            leads = role.practitioner_id in leaders
            if policy.refusal_to_substitute(each, role, leads=leads, away=away, now=now):
                continue
            where = _where(busy.get(role.practitioner_id, []), each)
            (found[each.pk].busy if where else found[each.pk].free).append(Candidate(role, where))
    return found


def _nearest_first(roles: list[PractitionerRole], schedule: Schedule) -> list[PractitionerRole]:
    """Each doctor once, in the role whose level is nearest to the session's."""
    rank = policy.RANKS
    nearest: dict[int, PractitionerRole] = {}
    for role in sorted(roles, key=lambda role: rank[role.service.level]):
        of_level = policy.is_of_level(role.service.level, wanted=schedule.service.level)
        if of_level and role.department_id == schedule.department_id:
            nearest.setdefault(role.practitioner_id, role)
    return list(nearest.values())


def _sittings(people: set[int], schedules: list[Schedule]) -> dict[int, list[ScheduleParticipant]]:
    begins, ends = min(each.starts_at for each in schedules), max(each.ends_at for each in schedules)
    rows = ScheduleParticipant.objects.filter(
        Q(practitioner__in=people), active=True, during__overlap=(begins, ends)
    ).select_related("schedule__department", "room")
    found = defaultdict(list)
    for row in rows:
        found[row.practitioner_id].append(row)
    return found


def _where(sittings: list[ScheduleParticipant], schedule: Schedule) -> str:
    for sitting in sittings:
        if sitting.during.lower < schedule.ends_at and schedule.starts_at < sitting.during.upper:
            return f"{sitting.schedule.department} {sitting.room or ''}".strip()
    return ""
