"""Another room or other hours for a clinic that people hold numbers of: they keep their numbers and are told (P2)."""

from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from appointments.models import Appointment, Schedule, ScheduleParticipant, Slot
from appointments.services import clashes, shares
from appointments.services.drafts.compare import WAITING, Line
from hospital import outbox
from hospital.models import Patient, User

TOPIC = "schedule.changed"
TOLD = (Appointment.Status.BOOKED, Appointment.Status.ARRIVED)
"""Who gets a message. A number that is only held has its new time on the page that confirms it."""

MOVE_SLOTS = """
UPDATE appointments_slot s SET start = n.start, minutes = n.minutes
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[]) AS n (id, start, minutes) WHERE s.id = n.id
"""

MOVE_APPOINTMENTS = """
UPDATE appointments_appointment a SET start = s.start
  FROM appointments_slot s WHERE a.slot_id = s.id AND a.id = ANY (%s)
"""

CLEAR_TIMES = "DELETE FROM hospital_patienttime WHERE source = 'appointment' AND source_id = ANY (%s)"

WRITE_TIMES = """
INSERT INTO hospital_patienttime (patient_id, during, source, source_id)
SELECT a.patient_id, tstzrange(s.start, s.start + s.minutes * interval '1 minute'), 'appointment', a.id
  FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id WHERE a.id = ANY (%s)
"""

ELSEWHERE = """
SELECT count(*) FROM appointments_appointment a
  JOIN unnest(%s::bigint[], %s::timestamptz[], %s::int[]) AS n (id, start, minutes) ON n.id = a.slot_id
  JOIN hospital_patienttime t ON t.patient_id = a.patient_id
   AND t.during && tstzrange(n.start, n.start + n.minutes * interval '1 minute')
   AND NOT (t.source = 'appointment' AND t.source_id = a.id)
 WHERE a.id = ANY (%s)
"""


def lock_patients(schedules: list[int]) -> None:
    """Of everything that moves in this transaction, by id: one clinic after the other would wait out of order."""
    waiting = Appointment.objects.filter(schedule__in=schedules, status__in=WAITING).values("patient")
    list(Patient.objects.filter(pk__in=waiting).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def move(line: Line, *, by: User, now: datetime) -> int | str:
    """The caller holds the schedule, its numbers and its patients. Returns how many are told, or why it stays: a
    patient is elsewhere then, or the doctor or the room is.

    Publishes schedule.changed with each booked appointment and its time until now.
    """
    row, new = line.schedule, line.planned.schedule
    held = list(
        row.appointments.filter(status__in=WAITING).order_by("pk").values_list("pk", "patient", "status", "start")
    )
    ids = [one[0] for one in held]
    rows = Appointment.objects.filter(pk__in=ids).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))
    times = _times(row, new)
    with connection.cursor() as cursor:
        cursor.execute(ELSEWHERE, [*times, ids])
        if cursor.fetchone()[0]:
            return "patient_elsewhere"
        if broken := _sit(row, new):
            return broken
        _write(row, new, template=line.template)
        cursor.execute(MOVE_SLOTS, times)
        cursor.execute(CLEAR_TIMES, [ids])
        cursor.execute(MOVE_APPOINTMENTS, [ids])
        cursor.execute(WRITE_TIMES, [ids])
    told = [[pk, start.isoformat()] for pk, _patient, status, start in held if status in TOLD]
    payload = {"schedule": row.pk, "told": told, "was_room": str(row.room)}
    outbox.publish(topic=TOPIC, key=f"schedule:{row.pk}", payload=payload, actor=by, now=now)
    return len(told)


def _times(row: Schedule, new: Schedule) -> list[list]:
    """Slot, start, minutes of each number in the new hours; add-on numbers go on after the last, as before."""
    total = int((new.ends_at - new.starts_at).total_seconds()) // 60
    places = shares.minutes_of(capacity=row.capacity, total=total, minutes=new.minutes)
    ids, starts, lengths = [], [], []
    end = new.starts_at
    for pk, number, minutes in (
        Slot.objects.filter(schedule=row).order_by("number").values_list("pk", "number", "minutes")
    ):
        if number <= row.capacity:
            begins, length = places[number - 1]
            start = new.starts_at + timedelta(minutes=begins)
        else:
            start, length = end, minutes
        end = start + timedelta(minutes=length)
        ids.append(pk)
        starts.append(start)
        lengths.append(length)
    return [ids, starts, lengths]


def _sit(row: Schedule, new: Schedule) -> str | None:
    """The database decides whether doctor and room are free; the code of what is not."""
    seats = ScheduleParticipant.objects.filter(schedule=row, active=True)
    try:
        with transaction.atomic():
            seats.filter(room__isnull=False).update(during=(new.starts_at, new.ends_at), room=new.room_id)
            seats.filter(room__isnull=True).update(during=(new.starts_at, new.ends_at))
    except IntegrityError as error:
        code = clashes.code_of(error)
        if code is None:
            raise
        return code
    return None


def _write(row: Schedule, new: Schedule, *, template: int) -> None:
    """What opens or is shared at the clinic's start goes with it."""
    at_start = row.allotments.filter(shared_from=row.starts_at, moved_at__isnull=True)
    at_start.update(shared_from=new.starts_at)
    Schedule.objects.filter(pk=row.pk).update(
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        minutes=new.minutes,
        room=new.room_id,
        campus=new.campus_id,
        template=template,
    )
