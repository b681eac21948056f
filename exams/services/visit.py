"""检查当天 (E5): check in with the preparation questions again, call, start, finish, or not done and back to the list.

Locks are waited for in the house's order: patient, request, booking. Who calls the next holds the device: two nurses
never call two patients. That a device has one patient is a constraint of the database (one_patient_on_a_device), told
as DeviceBusy.
"""

import contextlib
from datetime import datetime

from django.db import IntegrityError, transaction

from exams.errors import (
    AskAgain,
    CannotBeExamined,
    DeviceBusy,
    NeverExamined,
    NotInQueue,
    PatientElsewhere,
    ReasonMissing,
    RequestEnded,
)
from exams.models import Device, ExamBooking, ExamRequest
from exams.policies import visit as policy
from exams.selectors import around, asking, rooms
from exams.selectors.rules import exam_rule
from hospital import audit, outbox
from hospital.errors import Refused
from hospital.models import Patient, PatientTime, Practitioner, User

from . import claims

Status = ExamBooking.Status


def locked(booking: ExamBooking) -> ExamBooking:
    """Patient, request and booking, in this order."""
    Patient.objects.select_for_update(no_key=True).get(pk=booking.patient_id)
    request = ExamRequest.objects.select_for_update(no_key=True).get(pk=booking.request_id)
    rows = ExamBooking.objects.select_for_update(no_key=True, of=("self",))
    row = rows.select_related("device", "variant__item", "patient", "request").get(pk=booking.pk)
    row.request = request
    return row


def publish(topic: str, booking: ExamBooking, *, by: User | None, now: datetime, **more) -> None:
    outbox.publish(
        topic=topic,
        key=f"exam:{booking.pk}",
        payload={"booking": booking.pk, "request": booking.request_id, "device": booking.device_id, **more},
        actor=by,
        now=now,
    )


@transaction.atomic
def check_in(
    *,
    booking: ExamBooking,
    answers: dict[str, str],
    by: User | None,
    now: datetime,
    priority: int = 0,
    override: str = "",
    override_by: Practitioner | None = None,
) -> ExamBooking:
    """报到: the patient is here, has answered the questions again, and waits. Repeating it gives the same booking.

    An answer that refuses stops everybody, as before booking. One that needs a check first does, unless a doctor
    (`override_by`) lets it go on for a reason (`override`); that is kept on the booking and in the trail. Raises
    TooEarlyForExam, TooLateToCheckIn, AskAgain, CannotBeExamined, NeverExamined, DeviceIsDown, NotInQueue. Publishes
    exam.checked_in.
    """
    row = locked(booking)
    if row.status in ExamBooking.WAITING and row.holds:
        return row
    said = {"override": override, "override_by": override_by, "by": by, "now": now}
    _arrive(row, answers, priority, **said)
    for other in _of_the_draw(row, Status.BOOKED, now=now):
        with contextlib.suppress(Refused):  # it asks more: checked in by itself
            _arrive(other, answers, priority, **said)
    return row


def _arrive(
    row: ExamBooking, answers: dict[str, str], priority: int, *, override: str, override_by, by, now: datetime
) -> None:
    rule = exam_rule(row.request.organization_id, day=row.day)
    if refusal := policy.refusal_to_check_in(row, rule=rule, now=now):
        raise refusal
    overruled = _judge(row, answers, override=override, override_by=override_by)
    row.status = Status.ARRIVED
    row.checked_in_at = now
    row.answers = answers
    row.priority = policy.priority_at_check_in(row.request, priority)
    if overruled:
        row.override, row.override_by = override.strip(), override_by
    row.save(update_fields=["status", "checked_in_at", "answers", "priority", "override", "override_by"])
    if overruled:
        _leave_trace(row, by=by, now=now, doctor=override_by)
    publish("exam.checked_in", row, by=by, now=now, overruled=overruled)


def _judge(row: ExamBooking, answers: dict[str, str], *, override: str, override_by: Practitioner | None) -> bool:
    """True: a doctor decided against what an answer means."""
    heard = asking.at_check_in(row, answers)
    if heard.unanswered:
        raise AskAgain(questions="；".join(question.text for question in heard.unanswered))
    if not heard.stops:
        return False
    if heard.refuses:
        raise NeverExamined(exam=str(row.variant), sentence=heard.why)
    if not (override.strip() and override_by):
        raise CannotBeExamined(exam=str(row.variant), sentence=heard.why)
    return True


def _leave_trace(row: ExamBooking, *, by, now: datetime, doctor: Practitioner) -> None:
    audit.record(
        action="exam.checked_in_against_an_answer",
        actor=by,
        patient=row.patient,
        subject=f"exambooking:{row.pk}",
        detail={"questions": sorted(row.answers), "doctor": doctor.pk, "why": row.override},
        now=now,
    )


@transaction.atomic
def undo_check_in(*, booking: ExamBooking, by: User | None, now: datetime) -> ExamBooking:
    """撤销报到: somebody else was meant. Booked again, as if nobody had come; a draw of blood as a whole. Publishes
    exam.check_in_undone."""
    row = locked(booking)
    if refusal := policy.refusal_to_undo(row):
        raise refusal
    for each in [*_of_the_draw(row, *ExamBooking.WAITING, now=now), row]:
        _forget_check_in(each, by=by, now=now)
    return row


def _forget_check_in(row: ExamBooking, *, by: User | None, now: datetime) -> None:
    publish("exam.check_in_undone", row, by=by, now=now, checked_in_at=row.checked_in_at.isoformat(), calls=row.calls)
    if row.status == Status.CALLED:  # the table of moves knows no way from called to booked
        ExamBooking.objects.filter(pk=row.pk).update(status=Status.ARRIVED)
    claims.forget_check_in(row)
    row.save()


def _of_the_draw(row: ExamBooking, *states: str, now: datetime) -> list[ExamBooking]:
    """The other tests of one draw of blood (一次采血) in these states, locked; the patient is locked already."""
    rows = [locked(each) for each in sorted(around.draw_of(row, now=now), key=lambda each: each.request_id)]
    return [each for each in rows if each.status in states and each.holds]


@transaction.atomic
def call(*, booking: ExamBooking, by: User | None, now: datetime) -> ExamBooking:
    """叫号, or call again. Waiting is measured to the first call. Publishes exam.called.

    Raises NotInQueue, DeviceIsDown, PatientElsewhere (called to another room, or being examined there).
    """
    row = locked(booking)
    _called(row, by=by, now=now)
    return row


def _called(row: ExamBooking, *, by: User | None, now: datetime) -> None:
    if refusal := policy.refusal_to_call(row):
        raise refusal
    if there := rooms.elsewhere(row.patient_id, device_id=row.device_id):
        raise PatientElsewhere(device=str(there.device), state=there.get_status_display())
    row.status = Status.CALLED
    row.called_at = row.called_at or now
    row.calls += 1
    row.save(update_fields=["status", "called_at", "calls"])
    publish("exam.called", row, by=by, now=now, calls=row.calls)


@transaction.atomic
def call_next(*, device: Device, by: User | None, now: datetime, seen: int | None = None) -> ExamBooking | None:
    """叫下一位. None if nobody waits. One who is called already is called again.

    `seen`: whom the page showed as called (0 for nobody). If somebody else is by now, a colleague pressed the same
    button or it was pressed twice: the answer is that one, who is not called a second time.
    """
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)  # two nurses: the second sees the first's call
    while first := rooms.next_waiting(device):
        row = locked(first)
        if row.status == Status.CALLED and seen is not None and row.pk != seen:
            return row
        with contextlib.suppress(NotInQueue, PatientElsewhere):  # taken in this very moment: the one after them
            _called(row, by=by, now=now)
            return row
    return None


@transaction.atomic
def pass_over(*, booking: ExamBooking, by: User | None, now: datetime) -> ExamBooking:
    """过号: called and not there. Waits anew from now, behind those who are due, with all of a draw of blood. Publishes
    exam.passed_over."""
    row = locked(booking)
    if row.status != Status.CALLED:
        raise NotInQueue(state=row.get_status_display())
    for other in _of_the_draw(row, Status.ARRIVED, now=now):
        other.passed_at = now
        other.save(update_fields=["passed_at"])
    row.status, row.passed_at = Status.ARRIVED, now
    row.save(update_fields=["status", "passed_at"])
    publish("exam.passed_over", row, by=by, now=now)
    return row


@transaction.atomic
def start(*, booking: ExamBooking, by: User | None, now: datetime) -> ExamBooking:
    """开始检查, of a called patient or of one who walks straight in (then that is the call). Repeating changes nothing.

    Raises DeviceBusy, NotInQueue, DeviceIsDown, PatientElsewhere. Publishes exam.started.
    """
    row = locked(booking)
    if row.status == Status.RUNNING:
        return row
    if refusal := policy.refusal_to_call(row):
        raise refusal
    if there := rooms.elsewhere(row.patient_id, device_id=row.device_id):
        raise PatientElsewhere(device=str(there.device), state=there.get_status_display())
    if row.status == Status.ARRIVED:
        _called(row, by=by, now=now)
    row.status, row.started_at = Status.RUNNING, now
    with _one_patient_on(row.device):
        row.save(update_fields=["status", "started_at"])
    publish("exam.started", row, by=by, now=now)
    return row


@contextlib.contextmanager
def _one_patient_on(device: Device):
    """The constraint's name becomes the refusal; in its own savepoint, so that a caller may go on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "one_patient_on_a_device" in str(error):
            raise DeviceBusy(device=str(device)) from error
        raise


@transaction.atomic
def finish(*, booking: ExamBooking, by: User | None, now: datetime) -> ExamBooking:
    """检查结束: the request is done; the patient's time stays taken. A draw of blood ends for all its tests
    that wait. Repeating changes nothing. Publishes exam.done."""
    row = locked(booking)
    if row.status == Status.DONE:
        return row
    if row.status != Status.RUNNING:
        raise NotInQueue(state=row.get_status_display())
    _done(row, by=by, now=now)
    for other in _of_the_draw(row, *ExamBooking.WAITING, now=now):
        other.status, other.started_at = Status.RUNNING, row.started_at
        other.save(update_fields=["status", "started_at"])
        publish("exam.started", other, by=by, now=now)
        _done(other, by=by, now=now)
    return row


def _done(row: ExamBooking, *, by: User | None, now: datetime) -> None:
    row.status, row.finished_at = Status.DONE, now
    row.save(update_fields=["status", "finished_at"])
    if row.request.status == ExamRequest.Status.BOOKED:
        row.request.status, row.request.ended_at = ExamRequest.Status.DONE, now
        row.request.save(update_fields=["status", "ended_at"])
    publish("exam.done", row, by=by, now=now)


@transaction.atomic
def not_done(*, booking: ExamBooking, reason: str, by: User | None, now: datetime) -> ExamBooking:
    """未做, with the reason: the times are free again and the request is open, on the booking centre's list.

    Repeating changes nothing. Raises NotInQueue, ReasonMissing. Publishes exam.not_done.
    """
    row = locked(booking)
    if row.status == Status.NOT_DONE:
        return row
    if refusal := policy.refusal_to_end_without(row):
        raise refusal
    if not reason.strip():
        raise ReasonMissing
    end_without(row, status=Status.NOT_DONE, note=reason.strip(), now=now)
    publish("exam.not_done", row, by=by, now=now)
    return row


def end_without(row: ExamBooking, *, status: str, note: str, now: datetime) -> None:
    """Free the device's and the patient's time of a locked booking, and open its request again, saying why."""
    row.status, row.note, row.ended_at, row.holds = status, note, now, False
    row.save(update_fields=["status", "note", "ended_at", "holds"])
    PatientTime.objects.filter(source="exam", source_id=row.pk).delete()
    if row.request.status == ExamRequest.Status.BOOKED:
        row.request.status, row.request.note = ExamRequest.Status.OPEN, note
        row.request.save(update_fields=["status", "note"])


def refuse_ended(request: ExamRequest) -> None:
    if request.status in (ExamRequest.Status.DONE, ExamRequest.Status.CANCELLED):
        raise RequestEnded(state=request.get_status_display())
