"""One session moved to other hours, in one transaction: session, sittings, numbers, bookings, patients' time, openings.

Locks in the house's order: schedule, slots by id, patients by id, appointments. So bookings under way are waited for
and seen, and no patient's time can be taken while it is looked at.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from appointments.models import Allotment, Appointment, BulkAct, BulkChange, Schedule, ScheduleParticipant, Slot
from appointments.services import clashes
from hospital import outbox
from hospital.models import Patient, PatientTime, User

from .asking import LIVE, TOLD, Span, minutes_of, place_of

TOPIC = "schedule.retimed"
TABLE = "session"  # with everything in it: the undo of single rows knows nothing of it

NUMBERS = """
UPDATE appointments_slot s SET start = v.start, minutes = v.minutes
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[]) AS v (id, start, minutes) WHERE s.id = v.id
"""
BOOKINGS = """
UPDATE appointments_appointment a SET start = s.start FROM appointments_slot s WHERE s.id = a.slot_id AND a.id = ANY(%s)
"""
CLEAR_TIMES = """
DELETE FROM hospital_patienttime WHERE source = 'appointment' AND source_id = ANY(%s) RETURNING source_id
"""
WRITE_TIMES = """
INSERT INTO hospital_patienttime (patient_id, during, source, source_id)
SELECT a.patient_id, tstzrange(s.start, s.start + s.minutes * interval '1 minute'), 'appointment', a.id
  FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id WHERE a.id = ANY(%s)
"""


@transaction.atomic
def move(*, act: BulkAct, pk: int, span: Span | None, by: User | None, now: datetime) -> str:
    """ "moved", "skipped" (nothing to do any more), or why not. Only the first two leave their record: the rest may
    be possible once another session has moved. `span` None: nothing is known of where it should go."""
    schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=pk).first()
    over = schedule is None or schedule.status != Schedule.Status.OPEN or schedule.starts_at <= now
    if over or span is None or span == (schedule.starts_at, schedule.ends_at):
        record(act, pk, {}, {"skipped": True})
        return "skipped"
    plan = minutes_of(schedule, span)
    if plan is None:
        return "too_many_numbers"
    slots = list(Slot.objects.select_for_update(no_key=True).filter(schedule=pk).order_by("pk"))
    try:
        with transaction.atomic():
            ScheduleParticipant.objects.filter(schedule=pk).update(during=span)
    except IntegrityError as error:
        code = clashes.code_of(error)
        if code is None:
            raise
        return code
    places = {slot.pk: place_of(slot, schedule, span, plan) for slot in slots}
    left, told = _move_numbers(schedule, places)
    before = {"starts_at": schedule.starts_at.isoformat(), "ends_at": schedule.ends_at.isoformat()}
    _move_openings(schedule, span[0])
    schedule.starts_at, schedule.ends_at = span
    schedule.save(update_fields=["starts_at", "ends_at"])
    after = {"starts_at": span[0].isoformat(), "ends_at": span[1].isoformat(), "left": left, "told": len(told)}
    record(act, pk, before, after)
    publish(act, pk, told, by=by, now=now)
    return "moved"


def _move_numbers(schedule: Schedule, places: dict[int, tuple[datetime, int]]) -> tuple[list[int], list]:
    """Returns the appointments that stay where they are, since their patient is elsewhere then, and whom to tell as
    (appointment, when it was)."""
    live = _locked(schedule.pk)
    left = _elsewhere(live, places)
    staying = {row.slot_id for row in live if row.pk in left}
    rows = [(slot, *place) for slot, place in places.items() if slot not in staying]
    moving = [row for row in live if row.pk not in left]
    _write(rows, moving)
    told = [
        (row.pk, row.start.isoformat()) for row in moving if row.status in TOLD and places[row.slot_id][0] != row.start
    ]
    return sorted(left), told


def _write(rows: list[tuple[int, datetime, int]], moving: list[Appointment]) -> None:
    """Patients' times are all cleared first: one's next number may take the place of the one before."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []])
        cursor.execute(BOOKINGS, [[row.pk for row in moving]])
        cursor.execute(CLEAR_TIMES, [[row.pk for row in moving]])
        cursor.execute(WRITE_TIMES, [[pk for (pk,) in cursor.fetchall()]])


def _locked(schedule: int, only: list[int] | None = None) -> list[Appointment]:
    """Live appointments of a session, their patients and themselves locked. The caller holds the slots."""
    rows = Appointment.objects.filter(schedule=schedule, status__in=LIVE)
    rows = rows if only is None else rows.filter(pk__in=only)
    patients = Patient.objects.select_for_update(no_key=True).filter(pk__in=rows.values_list("patient", flat=True))
    list(patients.order_by("pk").values_list("pk", flat=True))
    return list(rows.select_for_update(no_key=True).order_by("pk"))


def _elsewhere(live: list[Appointment], places: dict[int, tuple[datetime, int]]) -> set[int]:
    """A patient's other numbers that move along stand at their new places, unless they stay themselves."""
    if not live:
        return set()
    spans = {}
    for row in live:
        start, minutes = places[row.slot_id]
        spans[row.pk] = (start, start + timedelta(minutes=minutes))
    around = (min(start for start, _end in spans.values()), max(end for _start, end in spans.values()))
    times = PatientTime.objects.filter(patient__in=[row.patient_id for row in live], during__overlap=around)
    busy = defaultdict(list)
    for patient, source, source_id, during in times.values_list("patient", "source", "source_id", "during"):
        busy[patient].append((source, source_id, during.lower, during.upper))
    left: set[int] = set()
    while True:
        moving = {pk: span for pk, span in spans.items() if pk not in left}
        more = {row.pk for row in live if row.pk in moving and _clashes(row.pk, moving, busy[row.patient_id])}
        if not more:
            return left
        left |= more


def _clashes(pk: int, moving: dict[int, Span], busy: list[tuple]) -> bool:
    starts, ends = moving[pk]
    for source, source_id, *was in busy:
        own = source_id if source == "appointment" else None
        start, end = moving.get(own, was)
        if own != pk and start < ends and starts < end:
            return True
    return False


def _move_openings(schedule: Schedule, starts_at: datetime) -> None:
    """What opens or is shared when the session starts does so at its new start."""
    mine = Allotment.objects.filter(schedule=schedule.pk)
    mine.filter(shared_from=schedule.starts_at, moved_at=None).update(shared_from=starts_at)
    mine.filter(opens_at=schedule.starts_at, opened_at=None).update(opens_at=starts_at)


@transaction.atomic
def move_left(*, change: BulkChange, by: User | None, now: datetime) -> None:
    """Once everything else has moved: those who stayed because of another session that has moved since."""
    Schedule.objects.select_for_update(no_key=True).get(pk=change.row)
    schedule = Schedule.objects.get(pk=change.row)
    span = (schedule.starts_at, schedule.ends_at)
    rows = Appointment.objects.filter(pk__in=change.after["left"], schedule=schedule, status__in=LIVE)
    slots = Slot.objects.select_for_update(no_key=True).filter(pk__in=rows.values_list("slot", flat=True))
    plan = minutes_of(schedule, span)
    slots = [slot for slot in slots.order_by("pk") if slot.number <= schedule.capacity]
    places = {slot.pk: place_of(slot, schedule, span, plan) for slot in slots}
    live = [row for row in _locked(schedule.pk, change.after["left"]) if row.slot_id in places]
    left = _elsewhere(live, places)
    moving = [row for row in live if row.pk not in left]
    if not moving:
        return
    _write([(row.slot_id, *places[row.slot_id]) for row in moving], moving)
    told = [(row.pk, row.start.isoformat()) for row in moving if row.status in TOLD]
    moved = {row.pk for row in moving}
    change.after["left"] = [pk for pk in change.after["left"] if pk not in moved]
    change.after["told"] += len(told)
    change.save(update_fields=["after"])
    publish(change.act, schedule.pk, told, by=by, now=now)


def record(act: BulkAct, pk: int, before: dict, after: dict) -> None:
    BulkChange.objects.create(act=act, table=TABLE, row=pk, before=before, after=after)


def publish(act: BulkAct, schedule: int, told: list, *, by: User | None, now: datetime) -> None:
    """One fact a session, in the transaction that moved it: each patient is told once, by its handler."""
    payload = {"schedule": schedule, "act": act.pk, "told": [list(one) for one in told]}
    outbox.publish(topic=TOPIC, key=f"schedule:{schedule}", payload=payload, actor=by, now=now)
