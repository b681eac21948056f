"""现场挂号 (B26): a walk-in on the same inventory as every other channel."""

from datetime import datetime

from django.db import transaction

from appointments.models import Appointment, Encounter, Schedule
from appointments.models.rules import Channel
from hospital import clock
from hospital.models import Patient, User

from . import booking, changes, visit


@transaction.atomic
def register_walk_in(
    *,
    schedule: Schedule,
    patient: Patient,
    by: User,
    request_key: str,
    document_seen: bool = False,
    priority: int = 0,
    number: int | None = None,
    now: datetime | None = None,
) -> Appointment:
    """Give a number at the window, confirmed; for a visit of today the patient is checked in as well. One act.

    The counter's pools, its floor and the passed minutes of a running schedule are open to it. Repeating it with
    the same `request_key` gives the same appointment. Raises what booking and check-in raise; then nothing is kept.
    """
    appointment = booking.book(
        schedule=schedule,
        patient=patient,
        channel=Channel.COUNTER,
        by=by,
        request_key=request_key,
        number=number,
        visit_type=visit_type(patient, schedule),
        confirmed=True,
        now=now,
    )
    moment = now or changes.database_now()
    if schedule.day == clock.today(moment) and appointment.status == Appointment.Status.BOOKED:
        visit.check_in(appointment=appointment, by=by, document_seen=document_seen, priority=priority, now=moment)
        appointment.refresh_from_db()
    return appointment


def visit_type(patient: Patient, schedule: Schedule) -> str:
    """复诊 if this department has seen the patient before, else 初诊."""
    seen = Encounter.objects.filter(
        patient=patient, department=schedule.department_id, status=Encounter.Status.FINISHED
    )
    return Appointment.VisitType.FOLLOWUP if seen.exists() else Appointment.VisitType.FIRST
