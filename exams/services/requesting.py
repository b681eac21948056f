"""开检查: a doctor asks for exams, uses a result that is there already, or takes a request back (E2, E6).

Locks: the patient, then requests by id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import IntegrityError, transaction

from appointments.models import Encounter
from exams import errors
from exams.models import DiagnosticReport, ExamRequest, ExamSet, ExamVariant, RepeatCheck
from exams.policies import repeat as repeat_policy
from exams.policies import requesting as policy
from exams.selectors import repeats, screening
from hospital import audit, clock, outbox, patients
from hospital.models import Patient, Practitioner, User

Status = ExamRequest.Status


@dataclass(frozen=True)
class Asked:
    """One exam that is wanted. `answers`: question code → answer code. `repeat`: the valid result that the doctor saw,
    and why the exam is done anyway. `cleared`: why the doctor lets it be booked against "needs a check first"."""

    variant: ExamVariant
    priority: str = ExamRequest.Priority.ROUTINE
    reason: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    repeat: tuple[DiagnosticReport, str] | None = None
    cleared: str = ""
    from_set: ExamSet | None = None


@transaction.atomic
def request(
    *,
    patient: Patient,
    wanted: Sequence[Asked],
    encounter: Encounter | None,
    requester: Practitioner | None,
    by: User | None,
    wanted_by: date | None = None,
    from_set: ExamSet | None = None,
    inpatient: bool = False,
    now: datetime,
) -> list[ExamRequest]:
    """Ask for these exams: all of them or none.

    Every preparation question that concerns them must be answered. One that says "not possible" refuses; one that says
    "another check first" makes a request which waits for that check. A valid result needs a reason to go on.
    Publishes exam.requested for each, and leaves a RepeatCheck where a result was passed over.
    Raises NothingAsked, VisitOver, NotOffered, AlreadyRequested, NotAnswered, NotPossible, RepeatUndecided.
    """
    if not wanted:
        raise errors.NothingAsked()
    _lock_patient(patient)
    _still_here(patient, encounter)
    _not_twice(wanted, encounter)
    _possible(patient, wanted, now=now)
    results = repeats.valid_results(patient=patient, variants=[one.variant for one in wanted], now=now)
    _decided(wanted, results)
    visit = {"patient": patient, "encounter": encounter, "requester": requester, "by": by, "asked_at": now}
    visit |= {"inpatient": inpatient, "wanted_by": wanted_by}
    rows = [_row(one, from_set=one.from_set or from_set, **visit) for one in wanted]
    _write(rows)
    _remember_repeats(rows, wanted, results=results, by=requester, now=now)
    for row in rows:
        outbox.publish(
            topic="exam.requested", key=f"examrequest:{row.pk}", payload={"request": row.pk}, actor=by, now=now
        )
        audit.record(action="exam.requested", actor=by, patient=patient, subject=f"examrequest:{row.pk}", now=now)
    return rows


@transaction.atomic
def use_result(
    *,
    patient: Patient,
    variant: ExamVariant,
    report: DiagnosticReport,
    encounter: Encounter | None,
    by: Practitioner,
    now: datetime,
) -> RepeatCheck:
    """采用已有结果 (E6): the exam is not asked for, its result is used; counted as one avoided. Twice is once.

    Raises VisitOver, ResultOutdated.
    """
    _lock_patient(patient)
    _still_here(patient, encounter)
    results = repeats.valid_results(patient=patient, variants=[variant], now=now)
    refusal = repeat_policy.refusal_to_use(variant, result=results.get(variant.pk), wanted=report)
    if refusal:
        raise refusal
    avoided = {"patient": patient, "variant": variant, "encounter": encounter, "outcome": RepeatCheck.Outcome.AVOIDED}
    if encounter is not None and (before := RepeatCheck.objects.filter(**avoided).first()):
        return before
    row = RepeatCheck.objects.create(**avoided, report=report, by=by, at=now)
    audit.record(
        action="exam.repeat_avoided",
        actor=by.user,
        patient=patient,
        subject=f"report:{report.pk}",
        detail={"variant": variant.pk},
        now=now,
    )
    return row


@transaction.atomic
def withdraw(*, request: ExamRequest, by: User | None, reason: str, now: datetime) -> ExamRequest:
    """撤销申请 that nobody has booked yet; a booked one is cancelled with its booking (booking.cancel, withdraw=True).

    Twice is once. Publishes exam.withdrawn. Raises NeedsWithdrawReason, WrongExamState.
    """
    reason = reason.strip()
    if not reason:
        raise errors.NeedsWithdrawReason()
    _lock_patient(request.patient)
    row = ExamRequest.objects.select_for_update(no_key=True).get(pk=request.pk)
    if row.status == Status.CANCELLED:
        return row
    if row.status != Status.OPEN or row.bookings.filter(holds=True).exists():
        raise errors.WrongExamState()
    take_back(row, by=by, reason=reason, now=now)
    return row


def take_back(row: ExamRequest, *, by: User | None, reason: str, now: datetime) -> None:
    """An open request, whose lock the caller has. Publishes exam.withdrawn."""
    row.status, row.ended_at, row.note = Status.CANCELLED, now, reason[:200]
    row.save(update_fields=["status", "ended_at", "note"])
    outbox.publish(topic="exam.withdrawn", key=f"examrequest:{row.pk}", payload={"request": row.pk}, actor=by, now=now)
    audit.record(
        action="exam.withdrawn",
        actor=by,
        patient=row.patient,
        subject=f"examrequest:{row.pk}",
        detail={"before": Status.OPEN, "after": Status.CANCELLED},
        now=now,
    )


@transaction.atomic
def want_by(*, requests: Sequence[ExamRequest], day: date | None) -> None:
    """The doctor's return date has changed: the booking centre plans by the same."""
    ids = [row.pk for row in requests if row.wanted_by != day]
    if ids:
        _lock_patient(requests[0].patient)
        ExamRequest.objects.filter(pk__in=ids, status=Status.OPEN).update(wanted_by=day)


def _lock_patient(patient: Patient) -> None:
    patients.locked(patient.pk)


def _still_here(patient: Patient, encounter: Encounter | None) -> None:
    """Read anew: another tab or the desk may have gone on."""
    if encounter is None:
        return
    inside = Encounter.objects.filter(pk=encounter.pk, patient=patient, status=Encounter.Status.IN_ROOM)
    if not inside.exists():
        raise errors.VisitOver()


def _not_twice(wanted: Sequence[Asked], encounter: Encounter | None) -> None:
    seen = set()
    if encounter is not None:
        standing = ExamRequest.objects.filter(encounter=encounter, status__in=[Status.OPEN, Status.BOOKED])
        seen = set(standing.values_list("variant", flat=True))
    for one in wanted:
        if not one.variant.active or not one.variant.item.active:
            raise errors.NotOffered(exam=one.variant.name)
        if one.variant.pk in seen:
            raise errors.AlreadyRequested(exam=one.variant.name)
        seen.add(one.variant.pk)


def _possible(patient: Patient, wanted: Sequence[Asked], *, now: datetime) -> None:
    """E4: each exam's own questions are answered, and none says no."""
    day = clock.today(now)
    questions = screening.questions_for([one.variant for one in wanted], patient=patient, day=day)
    for one in wanted:
        mine = policy.questions_of(one.variant, questions=questions, patient=patient, day=day)
        refusal = policy.refusal_to_ask(one.variant, questions=mine, answers=one.answers)
        if refusal:
            raise refusal


def _decided(wanted: Sequence[Asked], results: dict[int, DiagnosticReport]) -> None:
    """E6: of each valid result somebody has said something."""
    for one in wanted:
        decided, why = one.repeat or (None, "")
        refusal = repeat_policy.refusal_to_repeat(
            one.variant, result=results.get(one.variant.pk), decided=decided, reason=why
        )
        if refusal:
            raise refusal


def _row(one: Asked, *, requester: Practitioner | None, **visit) -> ExamRequest:
    cleared = one.cleared.strip()[:200] if requester else ""
    return ExamRequest(
        organization_id=one.variant.item.organization_id,
        variant=one.variant,
        priority=one.priority,
        reason=one.reason,
        answers=one.answers,
        requester=requester,
        cleared_note=cleared,
        cleared_by=requester if cleared else None,
        **visit,
    )


def _write(rows: list[ExamRequest]) -> None:
    """The database has the last word on twice: a double click in two tabs."""
    try:
        with transaction.atomic():
            for row in rows:
                row.save()
    except IntegrityError as error:
        if "examrequest_once_per_visit" not in str(error):
            raise
        raise errors.AlreadyRequested(exam=row.variant.name) from None


def _remember_repeats(rows, wanted: Sequence[Asked], *, results, by: Practitioner | None, now: datetime) -> None:
    """E6: what was passed over, and why."""
    RepeatCheck.objects.bulk_create(
        RepeatCheck(
            patient=row.patient,
            variant=row.variant,
            report=results[row.variant_id],
            encounter=row.encounter,
            request=row,
            by=by,
            at=now,
            outcome=RepeatCheck.Outcome.WENT_ON,
            reason=one.repeat[1].strip()[:200],
        )
        for row, one in zip(rows, wanted, strict=True)
        if row.variant_id in results
    )
