"""Questions of the consult room: who sits here, who is next, and where this patient can be booked."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from appointments.models import Appointment, Encounter, NoShow, Schedule, ScheduleParticipant, TeamReferral
from hospital import clock
from hospital.models import CareTeam, CareTeamMember, Condition, Patient, Practitioner

from . import rules, visit
from .numbers import Number, Session, count_left, sessions_of

STRIP = 6
BEFORE_TARGET = 2
"""Of the six sessions of the strip, how many lie before the wanted day when there are enough on both sides."""

DEFAULT_WEEKS = 4
OTHER_HALF_PENALTY = timedelta(days=3)
"""Another half-day is as unlikely as three days more or less: patients come at their usual half-day."""

ACTOR = ("role__practitioner", "department", "service", "team", "room", "campus")


# ---- the room today ----


@dataclass(frozen=True)
class Room:
    """Today in the consult room of one doctor."""

    queue: visit.DoctorQueue
    sitting: ScheduleParticipant | None
    current: Encounter | None

    @property
    def schedule(self) -> Schedule | None:
        return self.sitting.schedule if self.sitting else None

    @property
    def place(self) -> str:
        """The room's name: where the patient is, else where the doctor sits."""
        room = (self.current and self.current.room) or (self.sitting and (self.sitting.room or self.schedule.room))
        return str(room or "")


def room_of(*, doctor: Practitioner, now: datetime) -> Room:
    """The consult room of the doctor now. Whoever is in the room is shown even if yesterday forgot to finish."""
    queue = visit.queue_of(practitioner=doctor, day=clock.today(now))
    inside = Encounter.objects.filter(practitioner=doctor, status=Encounter.Status.IN_ROOM)
    current = (
        inside.select_related("patient", "schedule", "department", "room", "appointment")
        .order_by("-started_at")
        .first()
    )
    return Room(queue=queue, sitting=queue.sitting_at(now), current=current)


def free_seats(*, doctor: Practitioner, now: datetime) -> list[ScheduleParticipant]:
    """Rooms of plain clinics in the doctor's departments today where nobody sits yet."""
    departments = doctor.roles.filter(active=True).values("department")
    seats = ScheduleParticipant.objects.filter(
        practitioner=None,
        active=True,
        schedule__day=clock.today(now),
        schedule__status=Schedule.Status.OPEN,
        schedule__ends_at__gt=now,
        schedule__department__in=departments,
    )
    related = ("room", "schedule__department", "schedule__service", "schedule__campus", "schedule__room")
    return list(seats.select_related(*related).order_by("schedule__starts_at", "room__code", "id"))


# ---- the patient in front of the doctor ----


@dataclass
class PatientFacts:
    """What the bar over the page says of the patient."""

    patient: Patient
    age: int | None
    allergies: list[str]
    problems: list[str]
    last_visit: date | None
    noshows: int  # in the rolling window of the rule, excused ones left out
    noshow_days: int


def _texts(conditions: list[Condition], kind: str) -> list[str]:
    """What any system knows, each once."""
    return list(dict.fromkeys(row.text for row in conditions if row.kind == kind))


def patient_facts(*, patient: Patient, organization_id: int, now: datetime) -> PatientFacts:
    today = clock.today(now)
    conditions = list(patient.conditions.order_by("kind", "id"))
    last = (
        Encounter.objects.filter(patient=patient, status=Encounter.Status.FINISHED, schedule__day__lt=today)
        .order_by("-schedule__day")
        .values_list("schedule__day", flat=True)
        .first()
    )
    days = rules.organization_booking_rule(organization_id, day=today).noshow_days
    noshows = NoShow.objects.filter(patient=patient, excused_at=None, day__gt=today - timedelta(days=days)).count()
    return PatientFacts(
        patient=patient,
        age=age_on(patient.birth_date, today),
        allergies=_texts(conditions, Condition.Kind.ALLERGY),
        problems=_texts(conditions, Condition.Kind.PROBLEM),
        last_visit=last,
        noshows=noshows,
        noshow_days=days,
    )


def age_on(birth: date | None, day: date) -> int | None:
    """Whole years."""
    if birth is None:
        return None
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def appointments_shown(*, patient: Patient, basket: UUID, now: datetime) -> list[Appointment]:
    """What this sitting's basket held or confirmed, lapsed holds too, and what the patient has coming anywhere."""
    coming = Q(day__gte=clock.today(now), status=Appointment.Status.BOOKED)
    rows = Appointment.objects.filter(coming | Q(basket=basket), patient=patient)
    related = ("slot", *(f"schedule__{name}" for name in ACTOR))
    return list(rows.select_related(*related).order_by("id"))


# ---- where to book ----


@dataclass(frozen=True)
class Wish:
    """What the doctor is looking for. Days and half-days are the hospital's."""

    kind: str = "own"  # own, other, team, booked, leader
    day: date | None = None
    half: str = ""
    department: int | None = None
    level: str = ""
    role: int | None = None
    team: int | None = None
    schedule: int | None = None


def sources(wish: Wish, *, doctor: Practitioner, patient: Patient | None, now: datetime) -> QuerySet[Schedule]:
    """The schedules that the wish means.

    A leading expert's schedules only by a valid internal referral, or as the expert's own follow-up of the
    patient in the room (B11); the claim checks the same.
    """
    rows = Schedule.objects.filter(organization=doctor.organization_id, ends_at__gt=now, service__active=True)
    rows = rows.exclude(role__active=False).exclude(role__practitioner__active=False)
    if wish.kind == "leader":
        opened = valid_referrals(patient=patient, now=now).values("team")
        return rows.filter(gate_team=wish.team, gate_team__in=opened) if wish.team else rows.none()
    if wish.kind == "own":
        return rows.filter(role__practitioner=doctor)
    rows = rows.filter(gate_team=None)
    if wish.kind == "team":
        return rows.filter(team=wish.team) if wish.team else rows.none()
    if wish.role:
        return rows.filter(role=wish.role)
    if wish.department and wish.level:
        return rows.filter(department=wish.department, service__level=wish.level)
    return rows.none()


@dataclass
class Strip:
    """Six sessions around the wanted day, which one is looked at, and the likeliest number in it."""

    day: date
    sessions: list[Session]
    chosen: Session | None
    likely: Number | None
    moved: bool = False  # nothing free around the wanted day: this is the next one that has something

    @property
    def earlier(self) -> date | None:
        return self.sessions[0].schedule.day - timedelta(days=1) if self.sessions else None

    @property
    def later(self) -> date | None:
        return self.sessions[-1].schedule.day + timedelta(days=1) if self.sessions else None


def around(rows: QuerySet[Schedule], *, day: date) -> list[Schedule]:
    """Six schedules around a day, two of them before it where both sides have enough.

    The six are found by their keys first: with all that is shown of them joined in, planning costs more than reading.
    """
    after = list(rows.filter(day__gte=day).order_by("day", "starts_at", "id").values_list("pk", flat=True)[:STRIP])
    before = list(rows.filter(day__lt=day).order_by("-day", "-starts_at", "-id").values_list("pk", flat=True)[:STRIP])
    after = after[: max(STRIP - BEFORE_TARGET, STRIP - len(before))]
    chosen = before[: STRIP - len(after)] + after
    return list(Schedule.objects.filter(pk__in=chosen).select_related(*ACTOR).order_by("day", "starts_at", "id"))


def strip(wish: Wish, *, rows: QuerySet[Schedule], pools, patient, now: datetime) -> Strip:
    """The strip for a wish. When all six are full, the strip moves to the next session with a free number."""
    day = max(wish.day, clock.today(now))
    sessions = sessions_of(around(rows, day=day), pools=pools, patient=patient, now=now)
    named = next((session for session in sessions if session.schedule.pk == wish.schedule), None)
    chosen = named or likeliest(sessions, day=day, half=wish.half)
    moved = False
    if chosen is None and sessions and (later := next_with_a_number(rows, after=sessions[-1], pools=pools, now=now)):
        moved = True
        sessions = sessions_of(around(rows, day=later), pools=pools, patient=patient, now=now)
        chosen = likeliest(sessions, day=later, half=wish.half)
    free = chosen.free_numbers if chosen else []
    return Strip(day=day, sessions=sessions, chosen=chosen, likely=free[0] if free else None, moved=moved)


def likeliest(sessions: list[Session], *, day: date, half: str) -> Session | None:
    """The nearest session with a number that fits the patient, of the same half-day if possible."""

    def distance(session: Session) -> tuple:
        apart = abs(session.schedule.day - day)
        if half and session.schedule.half != half:
            apart += OTHER_HALF_PENALTY
        return (apart, session.schedule.starts_at)

    return min((session for session in sessions if session.free_numbers), key=distance, default=None)


WINDOW = 60
"""How many further schedules are searched for a free number in one look."""


def next_with_a_number(rows: QuerySet[Schedule], *, after: Session, pools, now: datetime) -> date | None:
    later = rows.filter(starts_at__gt=after.schedule.starts_at, status=Schedule.Status.OPEN).order_by("starts_at", "id")
    days = dict(later.values_list("pk", "day")[:WINDOW])
    left = count_left(days, pools=pools, now=now)
    return min((days[schedule] for schedule in left), default=None)


# ---- expert teams (B11) ----


def valid_referrals(*, patient: Patient | None, now: datetime) -> QuerySet[TeamReferral]:
    return TeamReferral.objects.filter(patient=patient, created_at__lte=now, valid_until__gt=now)


def referable_team(*, doctor: Practitioner, encounter: Encounter | None) -> CareTeam | None:
    """The team whose member this doctor is while seeing a patient of that team's own schedule."""
    team_id = encounter.schedule.team_id if encounter else None
    if not team_id:
        return None
    members = CareTeamMember.objects.filter(team=team_id, role__practitioner=doctor, active=True)
    member = members.select_related("team").first()
    return member.team if member else None
