"""排班生成: schedules and numbers from templates, and what to do when a template changed afterwards."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from appointments.models import (
    DraftLine,
    LayoutDraft,
    Schedule,
    Slot,
)
from hospital import clock, outbox
from hospital.models import Organization, User

from . import laying, unlaying
from .allocation import Allocation
from .laying import lay
from .timetable import Conflict, Plan, Planned, Timetable

COMPARED = ("starts_at", "ends_at", "capacity", "minutes", "department", "service", "role", "team", "gate_team", "room")
"""What makes a schedule differ from its template; the half-day and day are what it is found by."""

TOPIC = "supply.laid_out"

AHEAD = 100
"""Days laid out: the consult room books up to 92, and a week of failed nights must not show."""


@dataclass(frozen=True)
class Change:
    """A future schedule that no longer is what its template says."""

    LEFT_ALONE, RELAY, DROP = "left_alone", "relay", "drop"

    action: str  # left_alone: somebody has or had a number of it
    schedule: int
    day: date
    name: str
    differences: tuple[tuple[str, str, str], ...] = ()  # (field, is, would be); empty when the template yields none

    def __str__(self):
        said = "; ".join(f"{name}: {old} → {new}" for name, old, new in self.differences) or "not in the templates"
        return f"{self.day} {self.name} [{self.action}]: {said}"


@dataclass
class LaidOut:
    """What a run did: added counts, and what the office should look at."""

    added: int = 0  # schedules
    numbers: int = 0
    standing: int = 0  # were there already
    skipped: int = 0  # templates of someone or something inactive
    waiting: int = 0  # a changed pattern whose old schedules still stand that day: a draft decides
    declined: int = 0  # the office left them out of a draft
    conflicts: list[Conflict] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)  # nobody booked: `relay` would apply these
    left_alone: list[Change] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """For the log and the row of a night."""
        lists = {name: len(getattr(self, name)) for name in ("conflicts", "changed", "left_alone")}
        return {"added": self.added, "numbers": self.numbers, "waiting": self.waiting, **lists}


def lay_out(
    *, organization: Organization, first_day: date, last_day: date, by: User | None = None, now: datetime
) -> LaidOut:
    """Lay out what the published templates yield and is not there yet; both days included.

    Safe to repeat, and it catches up after a gap: what counts is whether (template, day) exists. Existing
    schedules are never touched; where a doctor still has one of an old pattern that day, or the office left the day
    out of a draft, nothing is added. Publishes one fact when something was added.
    """
    plan = Timetable(organization=organization, first_day=first_day, last_day=last_day).plan()
    result = LaidOut(skipped=plan.skipped)
    wanted = _undecided(plan, result, organization=organization, first_day=first_day, last_day=last_day)
    written, conflicts, standing = lay(wanted, organization=organization, allocation=Allocation(organization), now=now)
    result.added, result.standing = len(written), standing
    result.numbers = sum(schedule.capacity for schedule in written)
    result.conflicts = plan.conflicts + conflicts
    if standing:
        for change in _changes(plan, organization=organization, first_day=first_day, last_day=last_day, now=now):
            (result.left_alone if change.action == Change.LEFT_ALONE else result.changed).append(change)
    if written:
        payload = {"schedules": result.added, "numbers": result.numbers, "conflicts": len(result.conflicts)}
        outbox.publish(topic=TOPIC, key=f"organization:{organization.pk}", payload=payload, actor=by, now=now)
    return result


def _undecided(plan: Plan, result: LaidOut, *, organization, first_day: date, last_day: date) -> list[Planned]:
    """The plan without what the office has still to decide on, or decided against."""
    span = (first_day, last_day)
    rows = Schedule.objects.filter(organization=organization, day__range=span, template__isnull=False)
    laid = list(rows.values_list("template_id", "day", "role_id", "team_id", "department_id", "service_id"))
    there = {row[:2] for row in laid}
    yields = {(each.template.pk, each.schedule.day) for each in plan.planned}
    old = {(actor_of(*row[2:]), row[1]) for row in laid if row[:2] not in yields}
    decided = (LayoutDraft.Status.PUBLISHING, LayoutDraft.Status.PUBLISHED)
    lines = DraftLine.objects.filter(draft__organization=organization, draft__status__in=decided)
    lines = lines.filter(action=DraftLine.Action.ADD, outcome=DraftLine.Outcome.LEFT, day__range=span)
    left_out = set(lines.values_list("template_id", "day"))
    wanted = []
    for each in plan.planned:
        place, row = (each.template.pk, each.schedule.day), each.schedule
        actor = actor_of(row.role_id, row.team_id, row.department_id, row.service_id)
        if place not in there and (actor, row.day) in old:
            result.waiting += 1
        elif place not in there and place in left_out:
            result.declined += 1
        else:
            wanted.append(each)
    return wanted


def actor_of(role: int | None, team: int | None, department: int, service: int) -> tuple:
    """Who is booked, as something to compare by."""
    return (role, team) if role or team else (department, service)


def lay_single(*, schedule: Schedule, sitters: tuple[int, ...], by: User | None = None, now: datetime) -> Schedule:
    """A half-day outside the templates (临时出诊): the unsaved schedule with its numbers and allotments.

    Raises DoctorElsewhere, RoomHasClinic, OutsideContract. Publishes supply.laid_out.
    """
    laid = laying.lay_single(Planned(schedule, None, sitters), allocation=Allocation(schedule.organization), now=now)
    payload = {"schedules": 1, "numbers": schedule.capacity, "conflicts": 0}
    outbox.publish(topic=TOPIC, key=f"organization:{schedule.organization_id}", payload=payload, actor=by, now=now)
    return laid


def changes(*, organization: Organization, first_day: date, last_day: date, now: datetime) -> list[Change]:
    """What `relay` would do, and what it would leave alone: the preview."""
    plan = Timetable(organization=organization, first_day=first_day, last_day=last_day).plan()
    return _changes(plan, organization=organization, first_day=first_day, last_day=last_day, now=now)


def relay(
    *, organization: Organization, first_day: date, last_day: date, by: User | None = None, now: datetime
) -> list[Change]:
    """Bring future schedules in line with changed or deactivated templates. Returns what was done, and left.

    Only schedules that nobody has or ever had a number of: they are dropped, and laid out anew when their
    template still yields them. The rest is left alone, by name. Publishes a fact per schedule touched.
    """
    done = []
    for change in changes(organization=organization, first_day=first_day, last_day=last_day, now=now):
        if change.action != Change.LEFT_ALONE and not _drop(change, by=by, now=now):
            change = Change(Change.LEFT_ALONE, change.schedule, change.day, change.name, change.differences)
        done.append(change)
    if any(change.action == Change.RELAY for change in done):
        lay_out(organization=organization, first_day=first_day, last_day=last_day, by=by, now=now)
    return done


def _changes(plan: Plan, *, organization, first_day: date, last_day: date, now: datetime) -> list[Change]:
    wanted = {(each.template.pk, each.schedule.day): each for each in plan.planned}
    unsure = {(conflict.template, conflict.day) for conflict in plan.conflicts}
    rows = Schedule.objects.filter(
        organization=organization,
        template__published_at__isnull=False,
        day__range=(first_day, last_day),
        starts_at__gt=now,
    )
    related = ("department", "service", "role__practitioner", "team", "gate_team", "room")
    other = []
    for schedule in rows.select_related(*related).order_by("day", "id"):
        planned = wanted.get((schedule.template_id, schedule.day))
        differences = tuple(what_differs(schedule, planned)) if planned else ()
        if (differences or planned is None) and (schedule.template_id, schedule.day) not in unsure:
            other.append((schedule, differences))
    kept = unlaying.in_the_books([schedule.pk for schedule, _differences in other])
    return [_change(schedule, differences, kept) for schedule, differences in other]


def _change(schedule: Schedule, differences: tuple[tuple[str, str, str], ...], kept: set[int]) -> Change:
    untouchable = schedule.pk in kept or schedule.status == Schedule.Status.STOPPED
    action = Change.LEFT_ALONE if untouchable else Change.RELAY if differences else Change.DROP
    return Change(action, schedule.pk, schedule.day, f"{schedule.department} {schedule}", differences)


def what_differs(schedule: Schedule, planned: Planned):
    """Field by field: (name, what is, what would be), in words."""
    for name in COMPARED:
        attribute = Schedule._meta.get_field(name).attname
        old, new = getattr(schedule, attribute), getattr(planned.schedule, attribute)
        if old != new:
            yield name, _shown(schedule, name), _shown(planned.schedule, name)


def _shown(schedule: Schedule, name: str) -> str:
    value = getattr(schedule, name)
    if isinstance(value, datetime):
        return f"{value.astimezone(clock.ZONE):%H:%M}"
    return "–" if value is None else str(value)


def _drop(change: Change, *, by: User | None, now: datetime) -> bool:
    """Delete one schedule with its numbers, if still nobody has one. False: somebody was quicker.

    Locks in the house order: schedule, then its slots. A claim under way holds its slot, so that we wait for it
    and then see its appointment; one that comes later finds no number.
    """
    with transaction.atomic():
        schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=change.schedule).first()
        if schedule is None:
            return False
        slots = Slot.objects.filter(schedule=schedule)
        list(slots.order_by("id").select_for_update().values_list("pk"))
        if unlaying.in_the_books([schedule.pk]):
            return False
        unlaying.take_away([schedule.pk])
        topic = "schedule.relaid" if change.action == Change.RELAY else "schedule.dropped"
        payload = {"schedule": schedule.pk, "template": schedule.template_id, "day": schedule.day.isoformat()}
        outbox.publish(topic=topic, key=f"schedule:{schedule.pk}", payload=payload, actor=by, now=now)
        return True
