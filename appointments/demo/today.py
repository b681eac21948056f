"""The demo doctor has patients waiting whenever the demo is opened, on a Sunday night too."""

import random
from datetime import datetime, time, timedelta

from appointments.errors import SoldOut
from appointments.models import Appointment, Encounter, Schedule, ScheduleParticipant
from appointments.services import booking, extras, planning, visit
from hospital import clock
from hospital.errors import Refused
from hospital.models import HalfDay, Patient, Practitioner, PractitionerRole, Room, User

MANY = 500  # patients to draw a queue from
WAITING = 8  # patients in the demo doctor's queue at least
LONG_ENOUGH = timedelta(minutes=40)  # what a clinic must still last to be worth opening the demo in
SOON = timedelta(minutes=30)
BEFORE, AFTER = timedelta(hours=2), timedelta(hours=3)
NUMBERS = 40  # of a clinic laid for the demo: the afternoon's patients have taken theirs already


def clinic_now(doctor: Practitioner, *, now: datetime) -> Schedule:
    """The doctor's own clinic that is on or about to begin; one outside the timetable if there is none."""
    day = clock.today(now)
    mine = Schedule.objects.filter(role__practitioner=doctor, day=day, status=Schedule.Status.OPEN)
    fitting = mine.filter(starts_at__lte=now + SOON, ends_at__gte=now + LONG_ENOUGH).order_by("starts_at")
    return fitting.first() or _lay_extra(doctor, now=now)


def _lay_extra(doctor: Practitioner, *, now: datetime) -> Schedule:
    """Around now, as long as his other sittings of the day leave room."""
    day = clock.today(now)
    sittings = doctor.sittings.filter(active=True, schedule__day=day)
    hour = now.replace(minute=0, second=0, microsecond=0)
    ended = [during.upper for during in sittings.values_list("during", flat=True) if during.upper <= now]
    begins = [during.lower for during in sittings.values_list("during", flat=True) if during.lower > now]
    starts_at = max([clock.at(day, time(0)), hour - BEFORE, *ended])
    ends_at = min([clock.at(day, time(23, 59)), hour + AFTER, *begins])
    role = PractitionerRole.objects.select_related("department").get(practitioner=doctor, active=True)
    schedule = Schedule(
        organization_id=role.department.organization_id, campus_id=role.department.campus_id,
        department=role.department, service_id=role.service_id, role=role, room=_free_room(role, starts_at, ends_at),
        day=day, half=_half(starts_at), starts_at=starts_at, ends_at=ends_at,
        capacity=min(NUMBERS, int((ends_at - starts_at) / timedelta(minutes=5))),
    )  # fmt: skip
    planning.lay_single(schedule=schedule, sitters=(doctor.pk,), now=now)
    return schedule


def _free_room(role: PractitionerRole, starts_at: datetime, ends_at: datetime) -> Room:
    taken = ScheduleParticipant.objects.filter(active=True, during__overlap=(starts_at, ends_at), room__isnull=False)
    rooms = Room.objects.filter(campus_id=role.department.campus_id, active=True).exclude(pk__in=taken.values("room"))
    return rooms.filter(department=role.department).order_by("code").first() or rooms.order_by("code").first()


def _half(starts_at: datetime) -> str:
    hour = starts_at.astimezone(clock.ZONE).hour
    return HalfDay.MORNING if hour < 12 else HalfDay.AFTERNOON if hour < 18 else HalfDay.EVENING


def fill_queue(schedule: Schedule, *, dice: random.Random, users: dict[str, User], now: datetime) -> None:
    """Until enough are waiting: patients who are nowhere else today take a number at the window and check in."""
    schedule = Schedule.objects.select_related("service", "role__practitioner__user").get(pk=schedule.pk)
    waiting = Encounter.objects.filter(schedule=schedule, status=Encounter.Status.WAITING).count()
    adults = Patient.objects.filter(birth_date__lt=clock.today(now) - timedelta(days=40 * 365), active=True)
    free = adults.exclude(appointments__day=schedule.day).order_by("pk")
    known = free.filter(conditions__kind="problem").distinct()[:MANY] or free[:MANY]
    for patient in dice.sample(list(known), min(len(known), 4 * WAITING)):
        if waiting >= WAITING:
            return
        moment = max(now - timedelta(minutes=2 * (WAITING - waiting) + 1), clock.at(schedule.day, time(0)))
        try:
            row = _number(schedule, patient, users=users, now=moment)
            visit.check_in(appointment=row, by=users["fenzhen"], document_seen=True, now=moment)
        except Refused:
            continue
        waiting += 1


def _number(schedule: Schedule, patient: Patient, *, users: dict[str, User], now: datetime) -> Appointment:
    """From the window; when all are gone the doctor adds one."""
    try:
        return booking.book(
            schedule=schedule, patient=patient, channel="counter", by=users["chuangkou"], request_key=None,
            confirmed=True, now=now,
        )  # fmt: skip
    except SoldOut:
        return extras.add_extra(
            schedule=schedule, patient=patient, by=schedule.role.practitioner.user, reason="老患者复诊加号",
            request_key=f"demo-extra-{schedule.pk}-{patient.pk}", now=now,
        )  # fmt: skip
