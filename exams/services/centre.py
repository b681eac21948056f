"""检查预约中心 (E2): answers taken down for a patient, calls noted, requests that came on paper."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from django.db import transaction

from exams.errors import AlreadyOnTheList, ReasonMissing
from exams.models import ContactNote, ExamRequest, ExamVariant
from exams.policies import screening as screening_policy
from exams.selectors.screening import questions_for
from hospital import audit, clock
from hospital.models import Patient, User

from . import visit
from .requesting import Asked
from .requesting import request as ask_for

PAPER = "exam.requested_on_paper"


@transaction.atomic
def answer(
    *, request: ExamRequest, answers: Mapping[str, str], by: User | None, now: datetime
) -> screening_policy.Verdict:
    """Write down what the patient said before booking, also what stops the exam. Returns what it means.

    Raises RequestEnded.
    """
    row = ExamRequest.objects.select_for_update(no_key=True, of=("self",)).select_related("variant__item", "patient")
    row = row.get(pk=request.pk)
    visit.refuse_ended(row)
    asked = questions_for([row.variant], patient=row.patient, day=clock.today(now))
    given = {question.code: answers[question.code] for question in asked if question.code in answers}
    changed = sorted(code for code, said in given.items() if row.answers.get(code) != said)
    if changed:
        row.answers = row.answers | given
        row.save(update_fields=["answers"])
        audit.record(
            action="exam.answered_for",
            actor=by,
            patient=row.patient,
            subject=f"examrequest:{row.pk}",
            detail={"questions": changed},
            now=now,
        )
    return screening_policy.judge(asked, row.answers)


@transaction.atomic
def note_call(
    *, patient: Patient, requests: Iterable[ExamRequest], outcome: str, note: str, by: User, now: datetime
) -> list[ContactNote]:
    """One call about all of these requests: what was heard stands with each."""
    rows = [
        ContactNote(patient=patient, request=row, by=by, at=now, outcome=outcome, note=note.strip())
        for row in sorted(requests, key=lambda row: row.pk)
    ]
    ContactNote.objects.bulk_create(rows)
    audit.record(
        action="exam.called_patient",
        actor=by,
        patient=patient,
        subject=f"patient:{patient.pk}",
        detail={"requests": [row.request_id for row in rows], "outcome": outcome},
        now=now,
    )
    return rows


@transaction.atomic
def add_from_paper(
    *,
    patient: Patient,
    variant: ExamVariant,
    answers: dict[str, str],
    reason: str,
    priority: str,
    wanted_by: date | None,
    by: User,
    now: datetime,
) -> ExamRequest:
    """纸质申请: a request of another house's doctor, or of one without our system; `reason` says whose and for what.

    An unfinished request for the same exam is booked instead of asked for again. Raises AlreadyOnTheList,
    ReasonMissing and what requesting raises.
    """
    if not reason.strip():
        raise ReasonMissing
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    standing = ExamRequest.objects.filter(
        patient=patient, variant=variant, status__in=[ExamRequest.Status.OPEN, ExamRequest.Status.BOOKED]
    )
    if standing.exists():
        raise AlreadyOnTheList(exam=str(variant))
    wanted = Asked(variant=variant, priority=priority, reason=reason.strip(), answers=answers)
    [row] = ask_for(
        patient=patient, wanted=[wanted], encounter=None, requester=None, by=by, wanted_by=wanted_by, now=now
    )
    audit.record(
        action=PAPER,
        actor=by,
        patient=patient,
        subject=f"examrequest:{row.pk}",
        detail={"why": reason.strip()},
        now=now,
    )
    return row
