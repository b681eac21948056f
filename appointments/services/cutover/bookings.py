"""Rows of the sheet 未来预约: which session and number is meant, and whether it can be had.

Looked at in bulk before (a handful of queries for a whole file), and asked again, alone, right before it is booked.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from appointments.models import Appointment, Schedule, Slot
from appointments.models.rules import SELF_SERVICE
from appointments.services.cutover.verdicts import THERE, WAITING, Verdict, refused
from hospital import clock
from hospital.models import CareTeam, CareTeamMember, ExternalRecord, HealthcareService, PatientTime, Practitioner
from hospital.workbook.cutover import BOOKINGS
from hospital.workbook.sheet import Row

KIND = ExternalRecord.Kind.VISIT

SEGMENT = timedelta(minutes=30)
"""A time without a number means the public's half-hour: within it the first free number is the patient's."""

FREE = (Slot.Status.FREE, Slot.Status.RESTING)


@dataclass(frozen=True)
class Number:
    """A slot as far as it matters here."""

    pk: int
    number: int
    start: datetime
    minutes: int
    free: bool

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


@dataclass
class Ground:
    """What stands, as far as these rows can meet it. `taken` and the rest are also written by rows above."""

    records: dict[str, ExternalRecord]
    actors: set[tuple[str, str]]  # (kind, code)
    schedules: dict[tuple, list[Schedule]]  # (kind, code, day)
    numbers: dict[int, list[Number]]
    busy: dict[int | str, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    same_day: set[tuple] = field(default_factory=set)  # (patient, day, department): self-service bookings
    taken: set[int] = field(default_factory=set)  # slots claimed by rows above


@dataclass(frozen=True)
class Found:
    """The number that the row means."""

    schedule: Schedule
    number: Number


def ground_of(rows: list[Row], *, organization_id: int, system: str, patients: Iterable[int], today: date) -> Ground:
    """`patients`: ids of those of the rows' people who are known here."""
    records = ExternalRecord.objects.filter(system=system, kind=KIND, number__in=[row.code for row in rows])
    days = sorted({row.day for row in rows if row.day and row.day >= today})
    found = _schedules(organization_id, rows, days)
    numbers = defaultdict(list)
    slots = Slot.objects.filter(schedule__in=[one.pk for several in found.values() for one in several])
    taken = Exists(Appointment.objects.filter(slot=OuterRef("pk")).exclude(status=Appointment.Status.CANCELLED))
    fields = slots.annotate(taken=taken).order_by("schedule", "number")
    for pk, schedule, number, start, minutes, status, gone in fields.values_list(
        "pk", "schedule", "number", "start", "minutes", "status", "taken"
    ):
        numbers[schedule].append(Number(pk, number, start, minutes, status in FREE and not gone))
    ground = Ground({row.number: row for row in records}, _actors(organization_id), found, numbers)
    if days:
        _read_patients(ground, list(patients), days)
    return ground


def _actors(organization_id: int) -> set[tuple[str, str]]:
    return {
        (kind, code)
        for kind, model in (("doctor", Practitioner), ("team", CareTeam), ("service", HealthcareService))
        for code in model.objects.filter(organization=organization_id).values_list("code", flat=True)
    }


def _schedules(organization_id: int, rows: list[Row], days: list[date]) -> dict[tuple, list[Schedule]]:
    codes = defaultdict(set)
    for row in rows:
        codes[row.actor_kind].add(row.actor)
    wanted = Q(role__practitioner__code__in=codes["doctor"]) | Q(team__code__in=codes["team"])
    wanted |= Q(role__isnull=True, team__isnull=True, service__code__in=codes["service"])
    related = ("role__practitioner", "team", "service", "department")
    open_days = Schedule.objects.filter(wanted, organization=organization_id, day__in=days).select_related(*related)
    leads = CareTeamMember.objects.filter(leader=True, active=True, role__practitioner=OuterRef("role__practitioner"))
    found = defaultdict(list)
    for one in open_days.annotate(leads=Exists(leads)).order_by("starts_at", "pk"):
        kind = "doctor" if one.role_id else "team" if one.team_id else "service"
        actor = one.role.practitioner if one.role_id else one.team or one.service
        found[kind, actor.code, one.day].append(one)
    return found


def _read_patients(ground: Ground, patients: list[int], days: list[date]) -> None:
    first, last = clock.at(days[0], datetime.min.time()), clock.at(days[-1] + timedelta(days=1), datetime.min.time())
    times = PatientTime.objects.filter(patient__in=patients, during__overlap=(first, last))
    for patient, during in times.values_list("patient", "during"):
        ground.busy[patient].append((during.lower, during.upper))
    live = Appointment.objects.filter(patient__in=patients, day__in=days, self_service=True)
    live = live.exclude(status=Appointment.Status.CANCELLED)
    ground.same_day |= set(live.values_list("patient", "day", "department"))


# ---- one row ----


def verdict(row: Row, patient: int | str | None, ground: Ground, *, now: datetime) -> tuple[Verdict, Found | None]:
    """`patient`: the id of a person known here, or the other system's number of one who comes with the same file."""
    record = ground.records.get(row.code)
    if record:
        return (THERE if record.patient_id == patient else refused("number_of_another", _header("code"))), None
    if patient is None:
        return refused("unknown_patient", _header("patient")), None
    if row.start is None and row.slot is None:
        return refused("no_time", _header("start")), None
    if row.day < clock.today(now):
        return refused("past", _header("day")), None
    if (row.actor_kind, row.actor) not in ground.actors:
        return refused("unknown_actor", _header("actor")), None
    schedule = _session(row, ground, now=now)
    if isinstance(schedule, Verdict):
        return schedule, None
    number = _number(row, schedule, patient, ground, now=now)
    if isinstance(number, Verdict):
        return number, None
    found = Found(schedule, number)
    return _of_the_patient(row, found, patient, ground), found


def _session(row: Row, ground: Ground, *, now: datetime) -> Schedule | Verdict:
    fits = [
        one
        for one in ground.schedules.get((row.actor_kind, row.actor, row.day), [])
        if row.department in (None, one.department.code) and row.service in (None, one.service.code)
    ]
    if row.start and len(fits) > 1:
        at = clock.at(row.day, row.start)
        fits = [one for one in fits if one.starts_at <= at < one.ends_at] or fits
    if not fits:
        return refused("no_session", _header("day"))
    if len(fits) > 1:
        return refused("several_sessions", _header("actor"))
    [one] = fits
    if one.status != Schedule.Status.OPEN:
        return refused("stopped", _header("day"))
    if one.ends_at <= now:
        return refused("past", _header("day"))
    if one.gate_team_id or one.leads:
        return refused("needs_referral", _header("actor"))
    return one


def _number(row: Row, schedule: Schedule, patient, ground: Ground, *, now: datetime) -> Number | Verdict:
    numbers = ground.numbers.get(schedule.pk, [])
    at = clock.at(row.day, row.start) if row.start else None
    if row.slot is None:
        return _first_free(numbers, at, patient, ground, now=now)
    one = next((one for one in numbers if one.number == row.slot), None)
    if one is None:
        return refused("unknown_slot", _header("slot"))
    if at and not (one.start - SEGMENT < at < one.end):
        return refused("time_differs", _header("start"))
    if one.start <= now:
        return refused("past", _header("slot"))
    if not one.free or one.pk in ground.taken:
        return refused("number_taken", _header("slot"))
    return one


def _first_free(numbers: list[Number], at: datetime, patient, ground: Ground, *, now: datetime) -> Number | Verdict:
    """The number of that very minute if it is free, else the first free one of the half-hour."""
    if at <= now:
        return refused("past", _header("start"))
    inside = [one for one in numbers if at <= one.start < at + SEGMENT or one.start <= at < one.end]
    if not inside:
        return refused("no_session", _header("start"))
    free = [one for one in inside if one.free and one.pk not in ground.taken and one.start > now]
    fits = [one for one in free if not _meets(one, patient, ground)]
    if not free:
        return refused("no_number_left", _header("start"))
    return fits[0] if fits else refused("time_conflict", _header("start"))


def _of_the_patient(row: Row, found: Found, patient, ground: Ground) -> Verdict:
    if _meets(found.number, patient, ground):
        return refused("time_conflict", _header("start"))
    where = (patient, row.day, found.schedule.department_id)
    if row.channel in SELF_SERVICE and where in ground.same_day:
        return refused("already_booked", _header("day"))
    return WAITING


def _meets(number: Number, patient, ground: Ground) -> bool:
    return any(start < number.end and number.start < end for start, end in ground.busy[patient])


def claim(row: Row, found: Found, patient: int | str, ground: Ground) -> None:
    """What this row takes is taken for the rows below."""
    ground.taken.add(found.number.pk)
    ground.busy[patient].append((found.number.start, found.number.end))
    if row.channel in SELF_SERVICE:
        ground.same_day.add((patient, row.day, found.schedule.department_id))


def _header(name: str) -> str:
    return BOOKINGS.column(name).header
