"""就诊 (B20, B21): check in, call, in the room, finished. Every moment is kept: waiting and slice lengths are
measured from them.

Locks are waited for in the order patient, appointment, encounter; the next of a queue is taken with SKIP LOCKED,
so two doctors of one team never call the same patient. That a room and a doctor have one patient is a
constraint of the database (one_patient_in_a_room, one_patient_with_a_doctor), told as RoomTaken.
"""

from contextlib import contextmanager
from datetime import datetime

from django.db import IntegrityError, transaction

from appointments.errors import NobodyInRoom, NotCheckedIn, NotWaiting, RoomTaken
from appointments.models import Appointment, Encounter, Schedule
from appointments.policies import visit as policy
from appointments.selectors import visit as selectors
from hospital import clock, outbox
from hospital.models import Patient, Practitioner, Room, User

from .noshow import excuse_who_came, mark_noshows

__all__ = [
    "call",
    "call_next",
    "check_in",
    "finish",
    "left",
    "mark_noshows",
    "pass_over",
    "serve_sooner",
    "start",
    "summon",
    "undo_check_in",
]


def _locked_appointment(pk: int) -> Appointment:
    return (
        Appointment.objects.select_for_update(no_key=True, of=("self",)).select_related("schedule", "slot").get(pk=pk)
    )


def _locked_encounter(encounter: Encounter) -> Encounter:
    """Its appointment first: finishing moves both."""
    _locked_appointment(encounter.appointment_id)
    rows = Encounter.objects.select_for_update(no_key=True, of=("self",)).select_related("schedule", "room")
    row = rows.filter(pk=encounter.pk).first()
    if row is None:  # the check-in was undone meanwhile
        raise NotCheckedIn
    return row


def _publish(topic: str, encounter: Encounter, *, by: User | None, now: datetime, **payload) -> None:
    outbox.publish(
        topic=topic,
        key=f"appointment:{encounter.appointment_id}",
        payload={"encounter": encounter.pk, "schedule": encounter.schedule_id, "room": encounter.room_id, **payload},
        actor=by,
        now=now,
    )


@transaction.atomic
def check_in(
    *, appointment: Appointment, by: User | None, document_seen: bool = False, priority: int = 0, now: datetime
) -> Encounter:
    """报到: the patient is here and waits. Repeating it gives the same encounter.

    Only on the visit's day. A patient marked as a no-show who comes later that day is let in and excused.
    One who had left comes back into the queue, waiting anew. Signed residents come first where the rule says so, as
    do those to whom the desk gives a higher `priority`. Raises VisitOnAnotherDay, WrongState, Stopped.
    Publishes encounter.checked_in.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=appointment.patient_id)
    row = _locked_appointment(appointment.pk)
    if row.status == Appointment.Status.ARRIVED:
        return _again(row, by=by, document_seen=document_seen, priority=priority, now=now)
    if refusal := policy.refusal_to_check_in(row, today=clock.today(now)):
        raise refusal

    came_late = row.status == Appointment.Status.NOSHOW
    row.status = Appointment.Status.ARRIVED
    row.save(update_fields=["status"])
    if came_late:
        excuse_who_came(row, now=now)
    encounter = Encounter.objects.create(
        appointment=row,
        schedule_id=row.schedule_id,
        department_id=row.department_id,
        patient_id=row.patient_id,
        priority=max(priority, selectors.first_by_rule(row.schedule, row.patient_id, day=row.day)),
        checked_in_at=now,
        checked_in_by=by,
        document_seen=document_seen,
    )
    _publish("encounter.checked_in", encounter, by=by, now=now, document_seen=document_seen)
    return encounter


def _again(appointment: Appointment, *, by, document_seen: bool, priority: int, now: datetime) -> Encounter:
    """A second check-in: the same encounter; back into the queue for one who had left; a document seen now counts."""
    encounter = Encounter.objects.select_for_update(no_key=True).get(appointment=appointment)
    changes = {}
    if document_seen and not encounter.document_seen:
        changes["document_seen"] = True
    if priority > encounter.priority:
        changes["priority"] = priority
    came_back = encounter.status == Encounter.Status.LEFT
    if came_back:
        changes |= {"status": Encounter.Status.WAITING, "checked_in_at": now, "checked_in_by": by}
    for name, value in changes.items():
        setattr(encounter, name, value)
    if changes:
        encounter.save(update_fields=list(changes))
    if came_back:
        _publish("encounter.checked_in", encounter, by=by, now=now, document_seen=encounter.document_seen)
    return encounter


@transaction.atomic
def serve_sooner(*, appointment: int, priority: int, by: User | None, why: str, now: datetime) -> Encounter | None:
    """优先: of one who is in the queue; never later than before. `why`: a code. None where nobody waits with this
    appointment. Publishes encounter.prioritized."""
    _locked_appointment(appointment)
    row = Encounter.objects.select_for_update(no_key=True).filter(appointment=appointment).first()
    if row is None or row.status not in policy.QUEUED or row.priority >= priority:
        return None
    row.priority = priority
    row.save(update_fields=["priority"])
    _publish("encounter.prioritized", row, by=by, now=now, priority=priority, why=why)
    return row


@transaction.atomic
def undo_check_in(*, appointment: Appointment, by: User | None, now: datetime) -> Appointment:
    """撤销报到: somebody else was meant. The appointment is booked again; the fact keeps what had been written.

    Raises NotCheckedIn, NotWaiting (the patient was already in the room). Publishes encounter.check_in_undone.
    """
    row = _locked_appointment(appointment.pk)
    encounter = Encounter.objects.select_for_update(no_key=True).filter(appointment=row).first()
    if row.status != Appointment.Status.ARRIVED or encounter is None:
        raise NotCheckedIn
    if refusal := policy.refusal_to_undo_check_in(encounter):
        raise refusal
    checked_in_at, calls = encounter.checked_in_at.isoformat(), encounter.calls
    _publish("encounter.check_in_undone", encounter, by=by, now=now, checked_in_at=checked_in_at, calls=calls)
    encounter.delete()
    row.status = Appointment.Status.BOOKED
    row.save(update_fields=["status"])
    return row


@transaction.atomic
def call(
    *,
    encounter: Encounter,
    by: User | None,
    practitioner: Practitioner | None = None,
    room: Room | None = None,
    now: datetime,
) -> Encounter:
    """叫号, or call again. Waiting is measured to the first call.

    Raises NotWaiting, CalledElsewhere. Publishes encounter.called.
    """
    row = _locked_encounter(encounter)
    _called(row, by=by, practitioner=practitioner, room=room, now=now)
    row.save()
    return row


def _called(row: Encounter, *, by, practitioner: Practitioner | None, room: Room | None, now: datetime) -> None:
    seat = selectors.seat(row.schedule, practitioner=practitioner, room=room)
    if refusal := policy.refusal_to_call(row, room_id=seat.room_id):
        raise refusal
    row.status = Encounter.Status.CALLED
    row.practitioner_id, row.room_id = seat.practitioner_id, seat.room_id
    row.called_at = row.called_at or now
    row.calls += 1
    _publish("encounter.called", row, by=by, now=now, calls=row.calls)


@transaction.atomic
def summon(*, schedule: Schedule, by: User | None, practitioner: Practitioner | None, room: Room, now: datetime):
    """叫下一位到诊室, from the triage desk: called, not yet in the room. None if nobody waits.

    One who is already called there is called again. Returns the encounter. Publishes encounter.called.
    """
    row = selectors.next_waiting([schedule.pk], practitioner=practitioner, room=room, lock=True)
    if row is None:
        return None
    _called(row, by=by, practitioner=practitioner, room=room, now=now)
    row.save()
    return row


@transaction.atomic
def pass_over(*, encounter: Encounter, by: User | None, now: datetime) -> Encounter:
    """过号: called and not there. Back into the queue, waiting anew from now. Publishes encounter.passed_over."""
    row = _locked_encounter(encounter)
    if row.status != Encounter.Status.CALLED:
        raise NotWaiting(state=row.get_status_display())
    _publish("encounter.passed_over", row, by=by, now=now)
    row.status = Encounter.Status.WAITING
    row.passed_at, row.practitioner, row.room = now, None, None
    row.save()
    return row


@transaction.atomic
def start(
    *,
    encounter: Encounter,
    by: User | None,
    practitioner: Practitioner | None = None,
    room: Room | None = None,
    now: datetime,
) -> Encounter:
    """开始就诊, of a called patient or of one who walks straight in (then that is the call).

    One patient in the room and with the doctor: RoomTaken. Already in this room: the same encounter.
    Publishes encounter.started (and encounter.called if nobody had called).
    """
    row = _locked_encounter(encounter)
    if row.status == Encounter.Status.IN_ROOM:
        if selectors.seat(row.schedule, practitioner=practitioner, room=room).room_id == row.room_id:
            return row
        raise NotWaiting(state=row.get_status_display())
    _started(row, by=by, practitioner=practitioner, room=room, now=now)
    return row


def _started(row: Encounter, *, by, practitioner: Practitioner | None, room: Room | None, now: datetime) -> None:
    if row.status == Encounter.Status.CALLED:
        seat = selectors.seat(row.schedule, practitioner=practitioner, room=room)
        if refusal := policy.refusal_to_call(row, room_id=seat.room_id):
            raise refusal
        row.practitioner_id = seat.practitioner_id
    else:
        _called(row, by=by, practitioner=practitioner, room=room, now=now)
    row.status = Encounter.Status.IN_ROOM
    row.started_at = now
    with _one_patient_in_the_room():
        row.save()
    _publish("encounter.started", row, by=by, now=now)


@contextmanager
def _one_patient_in_the_room():
    """The constraint's name becomes the refusal; in its own savepoint, so that a caller may go on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "one_patient_in_a_room" in str(error) or "one_patient_with_a_doctor" in str(error):
            raise RoomTaken from error
        raise


@transaction.atomic
def call_next(
    *,
    by: User | None,
    practitioner: Practitioner | None = None,
    room: Room | None = None,
    schedule: Schedule | None = None,
    finish_current: bool = False,
    current: int | None = None,
    now: datetime,
) -> Encounter | None:
    """下一位: the next of the queue is called and in the room. None if nobody waits.

    The queue is that of `schedule`, or of all schedules where this doctor (or this room) sits today. With
    `finish_current` the one in the room is finished first, in the same transaction. `current` is the encounter
    that the page showed in the room (0 for nobody): if another one is there by now, the button was pressed twice
    and the answer is that one – a double click never skips a patient. Raises RoomTaken.
    """
    if schedule and not (practitioner or room):
        room = Room.objects.get(pk=selectors.seat(schedule).room_id)
    schedules = selectors.schedules_of(practitioner=practitioner, room=room, schedule=schedule, day=clock.today(now))
    inside = selectors.in_room(practitioner=practitioner, room=room)
    if inside and current is not None and inside.pk != current:
        return inside
    if inside and not finish_current:
        raise RoomTaken
    if inside:
        finish(encounter=inside, by=by, now=now)
    row = selectors.next_waiting(schedules, practitioner=practitioner, room=room, lock=True)
    if row is None:
        return None
    _started(row, by=by, practitioner=practitioner, room=room, now=now)
    return row


@transaction.atomic
def finish(*, encounter: Encounter, by: User | None, now: datetime) -> Encounter:
    """结束就诊: the visit was served. The patient's time stays taken. Repeating it changes nothing.

    Raises NobodyInRoom. Publishes encounter.finished.
    """
    row = _locked_encounter(encounter)
    if row.status == Encounter.Status.FINISHED:
        return row
    if row.status != Encounter.Status.IN_ROOM:
        raise NobodyInRoom
    row.status = Encounter.Status.FINISHED
    row.finished_at = now
    row.save(update_fields=["status", "finished_at"])
    Appointment.objects.filter(pk=row.appointment_id).update(status=Appointment.Status.FULFILLED)
    _publish("encounter.finished", row, by=by, now=now)
    return row


@transaction.atomic
def left(*, encounter: Encounter, by: User | None, now: datetime) -> Encounter:
    """未候而去: checked in and gone before being seen. Not a no-show; coming back is a new check-in.

    Raises NotWaiting. Publishes encounter.left.
    """
    row = _locked_encounter(encounter)
    if row.status == Encounter.Status.LEFT:
        return row
    if row.status not in policy.QUEUED:
        raise NotWaiting(state=row.get_status_display())
    row.status = Encounter.Status.LEFT
    row.save(update_fields=["status"])
    _publish("encounter.left", row, by=by, now=now)
    return row
