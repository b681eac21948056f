"""What another system's visit means here: its codes, its booking, where it could be booked."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment, Schedule, ScheduleParticipant
from hospital import clock
from hospital.api.errors import Invalid
from hospital.models import Department, ExternalRecord, HealthcareService, Patient, Practitioner, Room

from . import rules
from .bookings import slice_of

SUBJECT = "appointment:"


@dataclass(frozen=True)
class Places:
    """Whom and where their codes name, in one house."""

    organization_id: int
    doctor: Practitioner | None = None
    department: Department | None = None
    service: HealthcareService | None = None
    rooms: tuple[Room, ...] = ()  # a code may be used once on each campus

    def room_of(self, schedule: Schedule) -> Room | None:
        return next((room for room in self.rooms if room.campus_id == schedule.campus_id), None)


def places(organization_id: int, said) -> Places:
    """Raises Invalid: a code that is not in the workbook, or nothing that says where."""
    house = {"organization": organization_id}
    rows = {
        "doctor": Practitioner.objects.filter(**house),
        "department": Department.objects.filter(**house),
        "service": HealthcareService.objects.filter(**house),
    }
    named = {name: getattr(said, name) for name in rows}
    found = {name: rows[name].filter(code=code, active=True).first() for name, code in named.items() if code}
    rooms = tuple(Room.objects.filter(campus__organization=organization_id, code=said.room, active=True))
    unknown = [name for name, row in found.items() if row is None] + (["room"] if said.room and not rooms else [])
    problems = {name: [_("没有这个代码，或已停用。")] for name in unknown}
    if not named["doctor"] and not (named["department"] and named["service"]) and said.appointment is None:
        problems["doctor"] = [_("请填医生工号，或科室代码加号别代码。")]
    if problems:
        raise Invalid(problems)
    return Places(organization_id=organization_id, rooms=rooms, **found)


def appointment(pk: int, *, organization_id: int) -> Appointment | None:
    return _rows().filter(pk=pk, schedule__organization=organization_id).first()


def fresh(pk: int) -> Appointment:
    return _rows().get(pk=pk)


def appointment_of(record: ExternalRecord) -> Appointment | None:
    return _rows().filter(pk=record.subject.removeprefix(SUBJECT)).first() if record.subject else None


def appointment_named(subject: str, *, organization_id: int) -> Appointment | None:
    """What a context link's visit is here, with its patient."""
    rows = _rows().select_related("patient", "schedule").filter(schedule__organization=organization_id)
    return rows.filter(pk=subject.removeprefix(SUBJECT)).first()


def _rows() -> QuerySet[Appointment]:
    return Appointment.objects.select_related("slot", "schedule", "encounter")


def is_linked(row: Appointment, *, system: str) -> bool:
    return ExternalRecord.objects.filter(system=system, subject=f"{SUBJECT}{row.pk}").exists()


def bookings(said, patient: Patient, places: Places, *, system: str, now: datetime) -> list[Appointment]:
    """The patient's bookings of that day there that no visit of theirs has yet; of the time they tell, if they do."""
    rows = _rows().filter(patient=patient, day=said.day, schedule__in=_there(places))
    rows = rows.exclude(status__in=[Appointment.Status.CANCELLED, Appointment.Status.PENDING])
    found = {f"{SUBJECT}{row.pk}": row for row in rows.order_by("start", "pk")}
    taken = ExternalRecord.objects.filter(system=system, subject__in=list(found)).values_list("subject", flat=True)
    for subject in list(taken):
        del found[subject]
    free = list(found.values())
    if said.start is None:
        return free
    exact = [row for row in free if row.start == said.start]
    return exact or [row for row in free if _slice_starts(row, now=now) == said.start]


def _slice_starts(row: Appointment, *, now: datetime) -> datetime:
    """The time on our own slip: the public slice of the number."""
    rule = rules.booking_rule_for(row.schedule, day=clock.today(now))
    return slice_of(row, minutes=rule.segment_minutes)[0]


def schedules(said, places: Places, *, now: datetime) -> list[Schedule]:
    """Where a registration at their window could still be booked, the earliest first.

    Without a doctor's name only the plain clinic or the team: nobody is given an expert by chance.
    """
    rows = _there(places).filter(day=said.day, status=Schedule.Status.OPEN, ends_at__gt=now)
    if places.doctor is None:
        rows = rows.filter(role__isnull=True)
    if said.start:
        rows = rows.filter(starts_at__lte=said.start, ends_at__gt=said.start)
    return list(rows.select_related("service").order_by("starts_at", "id"))


def _there(places: Places) -> QuerySet[Schedule]:
    """The doctor's own sittings (narrowed by department and service if they are told), else the clinic's."""
    rows = Schedule.objects.filter(organization=places.organization_id)
    clinic = Q()
    if places.department:
        clinic &= Q(department=places.department)
    if places.service:
        clinic &= Q(service=places.service)
    if places.doctor is None:
        return rows.filter(clinic)
    sittings = ScheduleParticipant.objects.filter(practitioner=places.doctor, active=True).values("schedule")
    own = Q(role__practitioner=places.doctor) | Q(pk__in=sittings)
    plain = Q(role__isnull=True) & clinic if places.department and places.service else Q(pk__in=[])
    return rows.filter((own & clinic) | plain)
