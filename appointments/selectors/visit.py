"""Who waits, whose turn it is, who is in the room (B20, B21)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Case, F, IntegerField, Q, QuerySet, When
from django.db.models.functions import Greatest

from appointments.models import Appointment, Encounter, Schedule, ScheduleParticipant
from appointments.policies import visit as policy
from hospital.models import Practitioner, Room

from . import reserved, rules


@dataclass(frozen=True)
class Seat:
    """Who sits where: the doctor (nobody for a plain clinic called by a nurse) and the room."""

    practitioner_id: int | None
    room_id: int


def seat(schedule: Schedule, *, practitioner: Practitioner | None = None, room: Room | None = None) -> Seat:
    """The seat in a schedule of this doctor or this room; what is named wins, the plan fills in the rest."""
    sittings = ScheduleParticipant.objects.filter(schedule=schedule, active=True).order_by("pk")
    if practitioner:
        sittings = sittings.filter(Q(practitioner=practitioner) | Q(practitioner__isnull=True))
    if room:
        sittings = sittings.filter(room=room)
    planned = sittings.order_by(F("practitioner").desc(nulls_last=True), "pk").first()
    doctor = practitioner.pk if practitioner else planned and planned.practitioner_id
    place = room.pk if room else (planned and planned.room_id) or schedule.room_id
    return Seat(practitioner_id=doctor, room_id=place)


def first_by_rule(schedule: Schedule, patient_id: int, *, day: date) -> int:
    """三优先 (R6): the place in the queue that the rule gives to a resident signed here or with an institution that
    works with this hospital; 0 in turn. Docs: 0008-queue-order."""
    priority = rules.booking_rule_for(schedule, day=day).signed_priority
    signed = reserved.signed_with(patient_id, day=day) if priority else None
    allied = signed and rules.is_allied(signed, organization_id=schedule.organization_id, day=day)
    return priority if allied else 0


def schedules_of(
    *, practitioner: Practitioner | None, room: Room | None, schedule: Schedule | None = None, day: date
) -> list[int]:
    """Schedules of a day whose patients this doctor, or else this room, serves."""
    if schedule:
        return [schedule.pk]
    sittings = ScheduleParticipant.objects.filter(schedule__day=day, active=True)
    who = Q(practitioner=practitioner) if practitioner else Q(pk__in=[])
    where = Q(room=room, practitioner__isnull=True) if practitioner else Q(room=room)
    sittings = sittings.filter(who | where if room else who)
    return list(sittings.order_by("schedule").values_list("schedule", flat=True).distinct())


def in_room(*, practitioner: Practitioner | None, room: Room | None) -> Encounter | None:
    """Who is with this doctor or in this room now (at most one: the database sees to it)."""
    who = Q(practitioner=practitioner) if practitioner else Q(pk__in=[])
    where = Q(room=room) if room else Q(pk__in=[])
    inside = Encounter.objects.filter(who | where, status=Encounter.Status.IN_ROOM)
    return inside.order_by("-started_at").first()


TURN = ("-priority", "due", "appointment__slot__number", "pk")


def in_turn(encounters: QuerySet) -> QuerySet:
    """Waiting encounters, next first: priority; then who has waited longest, counted from the booked start, the
    check-in if that was later, or an unanswered call; then the lower number. See docs/decisions/0008-queue-order.md.
    """
    due = Greatest("appointment__start", "checked_in_at", "passed_at")  # PostgreSQL: nulls do not count
    return encounters.annotate(due=due).order_by(*TURN)


def next_waiting(
    schedules: Iterable[int],
    *,
    practitioner: Practitioner | None = None,
    room: Room | None = None,
    lock: bool = False,
) -> Encounter | None:
    """Whose turn it is: one already called to this doctor or room, else the first in turn.

    With `lock`, rows that another doctor is just taking are passed by, and the row is the caller's.
    """
    called = Q(status=Encounter.Status.CALLED)
    here = Q(pk__in=[])
    if practitioner:
        here |= Q(practitioner=practitioner)
    if room:
        here |= Q(room=room)
    rows = Encounter.objects.filter(Q(status=Encounter.Status.WAITING) | (called & here), schedule__in=list(schedules))
    on_the_way = Case(When(status=Encounter.Status.CALLED, then=0), default=1, output_field=IntegerField())
    ordered = in_turn(rows.select_related("schedule", "room")).order_by(on_the_way, *TURN)
    if lock:
        ordered = ordered.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return ordered.first()


@dataclass
class DoctorQueue:
    """A doctor's day: who is in the room, who waits in turn, who has not come yet, who is done."""

    sittings: list[ScheduleParticipant] = field(default_factory=list)
    in_rooms: list[Appointment] = field(default_factory=list)
    called: list[Appointment] = field(default_factory=list)
    waiting: list[Appointment] = field(default_factory=list)
    not_yet: list[Appointment] = field(default_factory=list)
    done: list[Appointment] = field(default_factory=list)
    away: list[Appointment] = field(default_factory=list)  # left, or did not come

    @property
    def inside(self) -> Appointment | None:
        """Who is with the doctor; a clinic of several rooms may have more (in_rooms)."""
        return self.in_rooms[-1] if self.in_rooms else None

    @property
    def total(self) -> int:
        return sum(map(len, (self.in_rooms, self.called, self.waiting, self.not_yet, self.done, self.away)))

    @property
    def waiting_count(self) -> int:
        return len(self.waiting) + len(self.called)

    def sitting_at(self, now: datetime) -> ScheduleParticipant | None:
        """Where the doctor sits now: the running half-day, else the next one, else the last."""
        coming = [sitting for sitting in self.sittings if sitting.schedule.ends_at > now]
        return (coming or self.sittings[-1:] or [None])[0]


def turn(appointment: Appointment):
    """Sort key of one who waits: the same order as in_turn()."""
    encounter = appointment.encounter
    due = policy.due_from(start=appointment.start, checked_in_at=encounter.checked_in_at, passed_at=encounter.passed_at)
    return (-encounter.priority, due, appointment.slot.number, encounter.pk)


def queue_of(*, practitioner: Practitioner, day: date) -> DoctorQueue:
    """The doctor's queue of a day, over all schedules where they sit. Two queries."""
    sittings = ScheduleParticipant.objects.filter(practitioner=practitioner, schedule__day=day, active=True)
    sittings = sittings.select_related("room", "schedule__department", "schedule__service", "schedule__room")
    queue = DoctorQueue(sittings=list(sittings.order_by("schedule__starts_at", "pk")))
    rows = _visits([sitting.schedule_id for sitting in queue.sittings])
    mine = [row for row in rows if _is_for(row, practitioner)]
    return sort_into(queue, mine)


def queue_of_schedules(schedules: Iterable[int]) -> dict[int, DoctorQueue]:
    """Schedule → its queue. One query: for the desk's boards and the waiting screen."""
    rows = defaultdict(list)
    for row in _visits(list(schedules)):
        rows[row.schedule_id].append(row)
    return {schedule: sort_into(DoctorQueue(), rows[schedule]) for schedule in schedules}


def _visits(schedules: list[int]) -> QuerySet:
    """Everybody expected or here: confirmed and not cancelled."""
    return (
        Appointment.objects.filter(schedule__in=schedules)
        .exclude(status__in=[Appointment.Status.PENDING, Appointment.Status.CANCELLED])
        .select_related("patient", "slot", "encounter__room")
        .order_by("start", "slot__number")
    )


def _is_for(appointment: Appointment, practitioner: Practitioner) -> bool:
    """In a team's queue: all who wait, but of those called or seen only this doctor's."""
    encounter = getattr(appointment, "encounter", None)
    return encounter is None or encounter.practitioner_id in (None, practitioner.pk)


def sort_into(queue: DoctorQueue, rows: Iterable[Appointment]) -> DoctorQueue:
    groups = {
        Encounter.Status.IN_ROOM: queue.in_rooms,
        Encounter.Status.CALLED: queue.called,
        Encounter.Status.WAITING: queue.waiting,
        Encounter.Status.FINISHED: queue.done,
        Encounter.Status.LEFT: queue.away,
    }
    for row in rows:
        encounter = getattr(row, "encounter", None)
        if encounter is None:
            (queue.away if row.status == Appointment.Status.NOSHOW else queue.not_yet).append(row)
        else:
            groups[encounter.status].append(row)
    queue.waiting.sort(key=turn)
    queue.in_rooms.sort(key=lambda row: row.encounter.started_at)
    queue.called.sort(key=lambda row: row.encounter.called_at or row.encounter.checked_in_at)
    queue.done.sort(key=lambda row: row.encounter.finished_at)
    return queue
