"""Where the patients of a stopped session can go: the same doctor's sessions near that day, and the department's of the
level or above. The same list feeds the numbers that are kept for them and the choice on their page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.models import Allotment, Pool, Schedule, Slot, StopCase, Substitution, Suspension
from appointments.policies import stops as policy
from appointments.selectors import numbers, rules
from hospital import clock
from hospital.models import PatientTime

AHEAD = timedelta(days=30)
"""How far from the stopped day numbers are looked for: others are booked as any."""

MOST_SESSIONS = 30
MOST_SHOWN, MOST_OF_ONE = 18, 6  # numbers on a patient's page, and of one session: the next day is seen, too


def sessions_near(row: Substitution, *, now: datetime) -> list[Schedule]:
    """In the order in which they are offered: the same doctor's first, then the nearest level, then the nearest day,
    before or after. Of a doctor who is ill, who may be so for longer: a colleague's and the doctor's own in turn."""
    stopped = row.schedule
    own = Q(role__practitioner=row.original.practitioner_id) if row.original_id else _same_clinic(stopped)
    levels = [level for level in policy.RANKS if policy.is_of_level(level, wanted=stopped.service.level)]
    alike = Q(department=stopped.department_id, service__level__in=levels, team=None, gate_team=None)
    wanted = own if stopped.gate_team_id else own | alike
    today = clock.today(now)
    rows = Schedule.objects.filter(
        wanted,
        organization=stopped.organization_id,
        status=Schedule.Status.OPEN,
        day__range=(max(today, stopped.day - AHEAD), stopped.day + AHEAD),
        ends_at__gt=now,
        gate_team=stopped.gate_team_id,
    ).exclude(pk=stopped.pk)
    rows = rows.select_related("role__practitioner", "service", "department", "room", "campus", "team")
    practitioner = row.original.practitioner_id if row.original_id else None

    def same(each: Schedule) -> bool:
        return bool(each.role_id) and each.role.practitioner_id == practitioner if practitioner else not each.role_id

    def place(each: Schedule):
        return (policy.RANKS[each.service.level], abs(each.day - stopped.day), each.starts_at, each.pk)

    nearest = sorted(rows, key=place)
    owned, others = [each for each in nearest if same(each)], [each for each in nearest if not same(each)]
    if practitioner and row.suspension.cause == Suspension.Cause.ILLNESS:
        owned, others = [each for pair in zip_longest(others, owned) for each in pair if each], []
    return [*owned, *others][:MOST_SESSIONS]


def _same_clinic(schedule: Schedule) -> Q:
    if schedule.team_id:
        return Q(team=schedule.team_id)
    return Q(role=None, team=None, department=schedule.department_id, service=schedule.service_id)


def pools_of(organization_id: int, *, gated: bool, now: datetime) -> rules.ChannelPools:
    """What a touched patient may take: the numbers kept for them, and what the public may by now."""
    public = rules.pools_for("web", organization_id=organization_id, day=clock.today(now))
    kept = Pool.objects.filter(organization=organization_id, kind=Pool.Kind.REBOOK).values_list("pk", flat=True)
    team = Pool.objects.filter(organization=organization_id, kind=Pool.Kind.TEAM).values_list("pk", flat=True).first()
    ids = (*kept, *public.ids, *([team] if gated and team else ()))
    return rules.ChannelPools(ids=ids, public=public.public, team=team)


@dataclass
class Place:
    """One session on the patient's page, with numbers that could be taken now. `kept`: not by the public yet."""

    schedule: Schedule
    same_doctor: bool
    slots: list[Slot]
    kept: bool


def places_for(case: StopCase, *, now: datetime) -> list[Place]:
    """Numbers this patient could take now, the kept ones first, then what the public may take, too. None that begins
    before the answer is due, and none while the patient is promised elsewhere."""
    row = case.substitution
    sessions = sessions_near(row, now=now)
    pools = pools_of(row.schedule.organization_id, gated=bool(row.schedule.gate_team_id), now=now)
    slots = takeable_numbers(sessions, pools=pools, now=now).exclude(_elsewhere(case)).filter(start__gt=case.deadline)
    by_schedule: dict[tuple[bool, int], list[Slot]] = {}
    for slot in slots.annotate(kept=_kept(now)).order_by("start", "number"):
        by_schedule.setdefault((slot.kept, slot.schedule_id), []).append(slot)
    doctor = row.original.practitioner_id if row.original_id else None
    found, shown = [], 0
    for kept, each in [(kept, each) for kept in (True, False) for each in sessions]:
        free = by_schedule.get((kept, each.pk), [])[: max(0, min(MOST_OF_ONE, MOST_SHOWN - shown))]
        if free:
            shown += len(free)
            same = doctor is None or (each.role_id is not None and each.role.practitioner_id == doctor)
            found.append(Place(each, same, free, kept))
    return found


def _kept(now: datetime) -> Exists:
    """In the pool of the touched patients, and not shared with the public yet."""
    rows = Allotment.objects.filter(pool__kind=Pool.Kind.REBOOK, shared_from__gt=now)
    return Exists(rows.filter(schedule=OuterRef("schedule"), pool=OuterRef("pool")))


def takeable_numbers(sessions: list[Schedule], *, pools: rules.ChannelPools, now: datetime) -> QuerySet[Slot]:
    rows = Slot.objects.filter(schedule__in=[each.pk for each in sessions])
    return rows.filter(numbers.takeable(now=now), numbers.open_to(pools, now=now))


def _elsewhere(case: StopCase) -> Q:
    """Numbers that begin within another promise of this patient; the claim decides to the minute."""
    times = PatientTime.objects.filter(patient=case.patient_id).exclude(
        source=numbers.SOURCE, source_id=case.appointment_id
    )
    return Q(Exists(times.filter(during__contains=OuterRef("start"))))


def unreleased_until(schedules: list[int]) -> dict[int, datetime]:
    """Schedule → when its public numbers open: what is kept from them before must not open earlier."""
    rows = Allotment.objects.filter(schedule__in=schedules, pool__kind=Pool.Kind.PUBLIC)
    return dict(rows.values_list("schedule", "opens_at"))
