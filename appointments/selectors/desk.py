"""Questions of the desk: a patient's visits, what the window may give today, who waits before which room."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from appointments.models import Appointment, Encounter, Schedule, ScheduleParticipant
from appointments.models.rules import Channel
from appointments.policies import visit as policy
from hospital import clock
from hospital.models import Department, Patient, PriceItem

from . import rules, visit
from .numbers import left_with_first

RELATED = (
    "slot",
    "encounter__room",
    "schedule__department",
    "schedule__service",
    "schedule__role__practitioner",
    "schedule__team",
    "schedule__room",
    "schedule__campus",
)


# ---- one patient ----


def visits_of(patient: Patient, *, day: date, organizations) -> list[Appointment]:
    """The patient's appointments of a day in these organizations; cancelled and unconfirmed ones left out."""
    rows = _kept(patient, organizations).filter(day=day)
    return list(rows.select_related(*RELATED).order_by("start", "pk"))


def coming(patient: Patient, *, after: date, organizations) -> list[Appointment]:
    """What is booked for later days."""
    rows = _kept(patient, organizations).filter(day__gt=after, status=Appointment.Status.BOOKED)
    return list(rows.select_related(*RELATED).order_by("start", "pk"))


def _kept(patient: Patient, organizations) -> QuerySet[Appointment]:
    rows = Appointment.objects.filter(patient=patient, schedule__organization__in=organizations)
    return rows.exclude(status__in=[Appointment.Status.CANCELLED, Appointment.Status.PENDING])


def todays_visits(patients: list[Patient], *, day: date, organizations) -> dict[int, list[Appointment]]:
    """Patient → visits of the day, for a list of search results. One query."""
    found: dict[int, list[Appointment]] = {patient.pk: [] for patient in patients}
    rows = Appointment.objects.filter(patient__in=patients, day=day, schedule__organization__in=organizations)
    rows = rows.exclude(status__in=[Appointment.Status.CANCELLED, Appointment.Status.PENDING])
    for row in rows.select_related("schedule__department", "slot").order_by("start"):
        found[row.patient_id].append(row)
    return found


def ahead_of(appointment: Appointment) -> int:
    """How many wait in front of a checked-in patient, by the order of the queue."""
    queue = visit.queue_of_schedules([appointment.schedule_id])[appointment.schedule_id]
    waiting = [row.pk for row in queue.waiting]
    return waiting.index(appointment.pk) if appointment.pk in waiting else 0


# ---- what the window may give ----


@dataclass(frozen=True)
class Offer:
    """A schedule and what the window may give of it now."""

    schedule: Schedule
    left: int
    first: datetime | None  # start of the lowest number: may have passed while the schedule runs
    waiting: int
    fee: Decimal | None

    @property
    def stopped(self) -> bool:
        return self.schedule.status == Schedule.Status.STOPPED

    @property
    def few(self) -> bool:
        return 0 < self.left <= 2


def left_at_the_window(schedules: list[int], *, organization_id: int, now: datetime) -> dict[int, tuple]:
    """Schedule → (numbers left, first start). Passed minutes count: the caller names only schedules not yet over."""
    pools = rules.pools_for(Channel.COUNTER, organization_id=organization_id, day=clock.today(now))
    return left_with_first(schedules, pools=pools, now=now, past_too=True)


def schedules_at_the_window(*, organizations, day: date, now: datetime) -> QuerySet[Schedule]:
    """Of one day, not over. A leading expert's own schedules are not given at the window (B11)."""
    rows = Schedule.objects.filter(organization__in=organizations, day=day, ends_at__gt=now, gate_team=None)
    rows = rows.exclude(role__active=False).exclude(role__practitioner__active=False)
    return rows.filter(service__active=True, department__active=True)


@dataclass(frozen=True)
class DepartmentOffer:
    department: Department
    schedules: int
    left: int


def departments_at_the_window(*, organizations, day: date, now: datetime, text: str = "") -> list[DepartmentOffer]:
    """Departments with a schedule that day, found by name, pinyin or initials, with what is left. Two queries
    and one a house."""
    wanted = Q()
    if plain := text.strip().lower():
        wanted = Q(department__initials__startswith=plain) | Q(department__pinyin__startswith=plain)
        wanted |= Q(department__name__contains=text.strip())
    rows = schedules_at_the_window(organizations=organizations, day=day, now=now)
    rows = list(rows.filter(wanted).select_related("department__campus"))
    left = _left_of(rows, now=now)
    found: dict[int, list[Schedule]] = {}
    for row in rows:
        found.setdefault(row.department_id, []).append(row)
    offers = [
        DepartmentOffer(
            department=mine[0].department,
            schedules=len(mine),
            left=sum(left.get(row.pk, (0, None))[0] for row in mine if row.status == Schedule.Status.OPEN),
        )
        for mine in found.values()
    ]
    return sorted(offers, key=lambda offer: (offer.department.order, offer.department.code))


def _left_of(schedules: list[Schedule], *, now: datetime) -> dict[int, tuple]:
    left: dict[int, tuple] = {}
    for organization_id in {row.organization_id for row in schedules}:
        mine = [row.pk for row in schedules if row.organization_id == organization_id]
        left |= left_at_the_window(mine, organization_id=organization_id, now=now)
    return left


def offers_of(department: Department, *, day: date, now: datetime) -> list[Offer]:
    """A department's schedules of a day as the window sees them: left, waiting, fee. Four queries."""
    rows = schedules_at_the_window(organizations=[department.organization_id], day=day, now=now)
    rows = rows.filter(department=department).select_related("service", "role__practitioner", "team", "room", "campus")
    schedules = list(rows.order_by("starts_at", "service__level", "pk"))
    left = _left_of(schedules, now=now)
    waiting = _waiting(schedules) if day == clock.today(now) else {}
    fees = fees_on(department.organization_id, day=day)
    return [
        Offer(
            schedule=row,
            left=left.get(row.pk, (0, None))[0] if row.status == Schedule.Status.OPEN else 0,
            first=left.get(row.pk, (0, None))[1],
            waiting=waiting.get(row.pk, 0),
            fee=fees.get(row.service.price_code),
        )
        for row in schedules
    ]


def _waiting(schedules: list[Schedule]) -> dict[int, int]:
    rows = Encounter.objects.filter(schedule__in=schedules, status__in=policy.QUEUED).order_by()
    return dict(rows.values_list("schedule").annotate(n=Count("id")))


def fees_on(organization_id: int, *, day: date) -> dict[str, Decimal]:
    """Price code → yuan in force on a day."""
    rows = PriceItem.objects.filter(organization=organization_id, effective_from__lte=day)
    rows = rows.filter(Q(effective_to__isnull=True) | Q(effective_to__gte=day))
    return dict(rows.values_list("code", "amount"))


# ---- before the rooms ----


@dataclass
class Board:
    """One schedule before its rooms: who sits there, who is in, called, waiting."""

    schedule: Schedule
    seats: list[ScheduleParticipant] = field(default_factory=list)
    queue: visit.DoctorQueue = field(default_factory=visit.DoctorQueue)

    @property
    def title(self) -> str:
        return self.schedule.actor_name

    @property
    def free_seats(self) -> list[ScheduleParticipant]:
        """Rooms with nobody inside and nobody called: where the next one may go."""
        taken = {row.encounter.room_id for row in (*self.queue.in_rooms, *self.queue.called)}
        return [seat for seat in self.seats if seat.room_id and seat.room_id not in taken]

    @property
    def rooms(self) -> str:
        names = {str(seat.room): None for seat in self.seats if seat.room_id} or {str(self.schedule.room): None}
        return _("、").join(names)


def boards(*, day: date, now: datetime, where: Q) -> list[Board]:
    """The day's schedules before their rooms: running, soon to run, or over with somebody still here. Two queries.

    `where` narrows the sittings: schedule__department=…, schedule__campus=…, schedule__organization__in=….
    """
    rows = ScheduleParticipant.objects.filter(
        where, schedule__day=day, active=True, schedule__status=Schedule.Status.OPEN
    )
    related = ("department", "service", "role__practitioner", "team", "room")
    rows = rows.select_related("practitioner", "room", *(f"schedule__{name}" for name in related))
    found: dict[int, Board] = {}
    for seat in rows.order_by("schedule__department__order", "schedule__department__code", "schedule__starts_at", "pk"):
        found.setdefault(seat.schedule_id, Board(seat.schedule)).seats.append(seat)
    for schedule, queue in visit.queue_of_schedules(found).items():
        found[schedule].queue = queue
    here = [board for board in found.values() if board.schedule.ends_at > now or _somebody(board.queue)]
    return sorted(here, key=lambda board: board.schedule.starts_at > now and not _somebody(board.queue))


@dataclass(frozen=True)
class DayCounts:
    """Where the day's patients are."""

    expected: int
    waiting: int
    inside: int
    seen: int
    missed: int


def day_counts(*, organizations, day: date) -> DayCounts:
    rows = Appointment.objects.filter(schedule__organization__in=organizations, day=day)
    rows = rows.filter(schedule__day=day)  # the index of schedules by day
    state = Appointment.Status
    counted = rows.aggregate(
        expected=Count("id", filter=Q(status=state.BOOKED)),
        waiting=Count("id", filter=Q(encounter__status__in=policy.QUEUED)),
        inside=Count("id", filter=Q(encounter__status=Encounter.Status.IN_ROOM)),
        seen=Count("id", filter=Q(status=state.FULFILLED)),
        missed=Count("id", filter=Q(status=state.NOSHOW)),
    )
    return DayCounts(**counted)


def _somebody(queue: visit.DoctorQueue) -> bool:
    return bool(queue.in_rooms or queue.called or queue.waiting)
