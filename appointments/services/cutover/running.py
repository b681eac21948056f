"""Going on with a cutover: each waiting line in one transaction with what it brings about.

A worker that dies leaves the lines it had not come to; the next one goes on with them. One at a time: the lock is
the worker's connection, and ends with it.
"""

from datetime import datetime
from time import monotonic

import structlog
from django.db import IntegrityError, OperationalError, connection, transaction

from appointments.models import Allotment, Appointment, ImportLine, ImportRun, PatientSuspension, Schedule, Slot
from appointments.models.rules import SELF_SERVICE, Channel
from appointments.services import booking, extras
from appointments.services.alone import alone
from appointments.services.cutover import bookings, people
from appointments.services.cutover.report import counts_of
from appointments.services.cutover.starting import PLACES, of_suspension, read_file, span_of
from appointments.services.cutover.verdicts import REASONS, Outcome, Verdict, refused
from appointments.services.importing import uploads
from hospital import audit, clock
from hospital.errors import Refused
from hospital.integration import records
from hospital.models import ExternalRecord, Patient, User
from hospital.workbook.cutover import BOOKINGS, PATIENTS
from hospital.workbook.sheet import Row

log = structlog.get_logger(__name__)

LOCK = 7_313_002  # with the run's id
IMPORTED = Verdict(Outcome.IMPORTED)
LONGEST = 15 * 60
"""Seconds that one worker goes on before it leaves the rest to the next minute's: others wait for it, too."""


def continue_all(*, clock_now, deciding) -> int:
    """Every cutover that is under way. Returns how many rows were settled. `clock_now` and `deciding` are asked for
    each row: a cutover takes longer than a moment."""
    settled = 0
    for run in ImportRun.objects.filter(status=ImportRun.Status.RUNNING).order_by("pk"):
        try:
            settled += go_on(run=run, clock_now=clock_now, deciding=deciding)
        except Exception as error:  # the others go on; this one is tried again in the next round
            log.exception("cutover_stopped", run=run.pk, error=type(error).__name__)
    return settled


def go_on(*, run: ImportRun, clock_now, deciding, limit: int | None = None) -> int:
    """Settle lines until none waits, and close the run. Returns how many were settled."""
    with alone(LOCK, run.pk) as mine:
        run = ImportRun.objects.select_related("organization", "applied_by").get(pk=run.pk)
        if not mine or run.status != ImportRun.Status.RUNNING:
            return 0
        content = read_file(uploads.content_of(run), run.name)
        rows = {(PLACES[row.sheet.key], row.number): row for row in content}
        settled, until = 0, monotonic() + LONGEST
        for line in ImportLine.objects.filter(run=run, outcome=Outcome.WAITING).order_by("place", "row"):
            if monotonic() > until or settled == limit:
                return settled
            settled += _settle(line, rows[line.place, line.row], run, now=clock_now(), deciding=deciding())
        if ImportLine.objects.filter(run=run, outcome=Outcome.WAITING).exists():
            return settled  # some row was locked for too long: the next round
        _close(run, now=clock_now())
    return settled


def _close(run: ImportRun, *, now: datetime) -> None:
    with transaction.atomic():
        row = ImportRun.objects.select_for_update(no_key=True).get(pk=run.pk)
        row.status, row.content, row.applied_at = ImportRun.Status.APPLIED, "", now
        row.save(update_fields=["status", "content", "applied_at"])
        detail = {"kind": row.kind, "digest": row.digest, "rows": row.rows} | counts_of(row)
        audit.record(
            action="import.applied", actor=row.applied_by, now=now, subject=f"importrun:{row.pk}", detail=detail
        )


def _settle(line: ImportLine, row: Row, run: ImportRun, *, now: datetime, deciding: datetime | None) -> bool:
    """One row: what it brings about and what is said of it, or neither. False: somebody else held it for too long."""
    try:
        with transaction.atomic():
            verdict = _act(row, run, by=run.applied_by, now=now, deciding=deciding)
            _say(line, verdict)
    except Refused as refusal:
        code = people.code_of(refusal) if row.sheet is PATIENTS else refusal.code
        _say(line, refused(code if code in REASONS else "other"))
    except IntegrityError as error:
        rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        known = {"appointment_one_self_service_per_day_and_department": "already_booked"}
        log.warning("cutover_row_not_imported", run=run.pk, place=line.place, row=line.row, rule=rule)
        _say(line, refused(known.get(rule, "other")))
    except OperationalError as error:
        if not connection.is_usable():
            raise
        log.warning("cutover_row_put_off", run=run.pk, place=line.place, row=line.row, error=type(error).__name__)
        return False
    return True


def _say(line: ImportLine, verdict: Verdict) -> None:
    line.outcome, line.code, line.column = verdict.outcome, verdict.code, verdict.column
    line.save(update_fields=["outcome", "code", "column"])


def _act(row: Row, run: ImportRun, *, by: User, now: datetime, deciding: datetime | None) -> Verdict:
    system = run.report["system"]
    if row.sheet is PATIENTS:
        return _person(row, run, system=system, by=by, now=now)
    if row.sheet is BOOKINGS:
        return _booking(row, run, system=system, by=by, now=now, deciding=deciding)
    return _suspension(row, system=system, by=by, now=now)


def _person(row: Row, run: ImportRun, *, system: str, by: User, now: datetime) -> Verdict:
    person = people.read(row, now=now)
    if isinstance(person, Verdict):
        return person
    return people.register(row, person, system=system, told_at=run.created_at, by=by, now=now)


def _patient(number: str, system: str) -> int | None:
    rows = ExternalRecord.objects.filter(system=system, kind=ExternalRecord.Kind.PATIENT, number=number)
    return rows.values_list("patient", flat=True).first()


# ---- a booking ----


def _booking(row: Row, run: ImportRun, *, system: str, by: User, now: datetime, deciding: datetime | None) -> Verdict:
    patient = _patient(row.patient, system)
    record = records.claim(system=system, kind=bookings.KIND, number=row.code)
    known = [patient] if patient else []
    ground = bookings.ground_of(
        [row], organization_id=run.organization_id, system=system, patients=known, today=clock.today(now)
    )
    verdict, found = bookings.verdict(row, patient, ground, now=now)
    if verdict.outcome != Outcome.WAITING:
        return verdict
    appointment = _book(row, found, patient, by=by, now=now, deciding=deciding)
    records.remember(
        record, system=system, kind=bookings.KIND, number=row.code, patient=Patient(pk=patient),
        subject=f"appointment:{appointment}", digest=run.digest, changed_at=min(run.created_at, now), now=now,
    )  # fmt: skip
    return IMPORTED


def _book(row: Row, found: bookings.Found, patient: int, *, by: User, now: datetime, deciding: datetime | None) -> int:
    """By the same claim as every booking, whatever pool the number rests in: its patient has it already.

    The number stands in the pool of add-ons for the length of this transaction, whose door is open; nobody else sees
    it there. Channel and time are the old ones; limits and suspensions were the old system's to ask.
    Raises what booking raises.
    """
    schedule = Schedule.objects.select_for_update(no_key=True, of=["self"]).select_related("service").get(
        pk=found.schedule.pk
    )  # fmt: skip
    slot = Slot.objects.select_for_update(no_key=True).get(pk=found.number.pk)
    pool, rest = slot.pool_id, slot.status == Slot.Status.RESTING
    door, opened = _door(schedule, now=now)
    Slot.objects.filter(pk=slot.pk).update(
        pool=door, **({"status": Slot.Status.FREE, "hold_until": None} if rest else {})
    )
    outcome = booking.give_number(
        schedule=schedule, patient_id=patient, channel=Channel.COUNTER, by=by, request_key=None, number=slot.number,
        written=row.channel, now=deciding, pools=[door], confirm=True, allow_past=False,
    )  # fmt: skip
    Slot.objects.filter(pk=slot.pk).update(pool=pool)
    if opened:
        opened.delete()
    self_service = row.channel in SELF_SERVICE
    told = row.booked_at and row.booked_at.replace(tzinfo=clock.ZONE)
    booked_at = min(told, now) if told else now
    Appointment.objects.filter(pk=outcome.appointment).update(
        self_service=self_service, counts=self_service and not schedule.service.limits_exempt,
        created_at=booked_at, confirmed_at=booked_at,
    )  # fmt: skip
    return outcome.appointment


def _door(schedule: Schedule, *, now: datetime) -> tuple[int, Allotment | None]:
    pool = extras.extra_pool(schedule.organization_id)
    opened, made = Allotment.objects.get_or_create(
        schedule=schedule, pool=pool,
        defaults={"department_id": schedule.department_id, "day": schedule.day, "opens_at": now},
    )  # fmt: skip
    return pool.pk, opened if made else None


# ---- a suspension ----


def _suspension(row: Row, *, system: str, by: User, now: datetime) -> Verdict:
    patient = _patient(row.patient, system)
    if patient:
        Patient.objects.select_for_update(no_key=True).get(pk=patient)
    standing = PatientSuspension.objects.filter(patient=patient, lifted_at=None)
    verdict = of_suspension(row, patient, False, set(standing.values_list("patient", "starts_at", "ends_at")), now=now)
    if verdict.outcome != Outcome.WAITING:
        return verdict
    starts_at, ends_at = span_of(row)
    PatientSuspension.objects.create(patient_id=patient, starts_at=starts_at, ends_at=ends_at, reason=row.reason)
    audit.record(
        action="suspension.imported", actor=by, patient=Patient(pk=patient), now=now,
        detail={"system": system, "until": row.last.isoformat()},
    )  # fmt: skip
    return IMPORTED
