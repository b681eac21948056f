"""What a patient's account does alone with exams: answers, holds, confirms, moves, gives back (E2, E5).

The booking core decides about time; here is what only holds for people at their own phone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from appointments.models.rules import Channel
from exams.errors import NotAnswered, ToldByStaff
from exams.models import Device, ExamBooking, ExamRequest, ScreeningAnswer
from exams.policies import screening
from exams.policies import self_service as policy
from exams.selectors.mine import OFFERED
from exams.selectors.my_questions import questions_ahead
from exams.services import booking as core
from hospital import audit
from hospital.models import AuditEvent, User

ANSWERED = "exam.answered"
READ = "exam.preparation_read"
STOPPING = (ScreeningAnswer.Effect.CHECK, ScreeningAnswer.Effect.REFUSE)


def answer(
    *, requests: Iterable[ExamRequest], answers: Mapping[str, str], by: User, now: datetime
) -> list[ExamRequest]:
    """Write down what was answered, also what stops the exam: whoever looks next must see it. Returns the requests
    with their answers; what those mean is asked of policies.booking.

    Raises NotAnswered, NotBookedAlone, NotOpenAnyMore, ToldByStaff.
    """
    with transaction.atomic():
        ids = sorted(each.pk for each in requests)
        rows = list(
            ExamRequest.objects.select_for_update(no_key=True, of=("self",))
            .filter(pk__in=ids)
            .select_related("patient", "variant__item", "variant__preparation", "organization")
            .order_by("pk")
        )
        _refuse_what_is_not_simple(rows)
        for row in rows:
            _write_down(row, answers, by=by, now=now)
    return rows


def _refuse_what_is_not_simple(rows: list[ExamRequest]) -> None:
    held = held_of(rows)
    for row in rows:
        if refusal := policy.refusal_to_book(row, held=row.pk in held):
            raise refusal


def held_of(rows: Iterable[ExamRequest]) -> dict[int, ExamBooking]:
    """Request → the hold that nobody has confirmed yet. One query."""
    found = ExamBooking.objects.filter(
        ~OFFERED, request__in=[row.pk for row in rows], status=ExamBooking.Status.PENDING
    )
    return {each.request_id: each for each in found}


def _write_down(row: ExamRequest, answers: Mapping[str, str], *, by: User, now: datetime) -> None:
    asked = questions_ahead([row], now=now)
    given = {question.code: answers[question.code] for question in asked if question.code in answers}
    if screening.judge(asked, row.answers | given).unanswered:
        raise NotAnswered
    if changed := {code: said for code, said in given.items() if row.answers.get(code) != said}:
        if _stops_by_staff(row, asked, changed):
            raise ToldByStaff
        row.answers = row.answers | given
        row.save(update_fields=["answers"])
        audit.record(
            action=ANSWERED,
            actor=by,
            patient=row.patient,
            subject=f"examrequest:{row.pk}",
            detail={"questions": sorted(changed)},
            now=now,
        )


def _stops_by_staff(row: ExamRequest, asked, changed: Mapping[str, str]) -> bool:
    """An answer that stops the exam and was not given here."""
    stopping = {
        question.code
        for question in asked
        if any(
            each.code == row.answers.get(question.code) and each.effect in STOPPING for each in question.answers.all()
        )
    }
    touched = stopping & changed.keys()
    if not touched:
        return False
    here = AuditEvent.objects.filter(action=ANSWERED, subject=f"examrequest:{row.pk}")
    told = {code for event in here.values_list("detail", flat=True) for code in event.get("questions", [])}
    return bool(touched - told)


def hold(*, request: ExamRequest, device: Device, start: datetime, by: User, now: datetime | None) -> ExamBooking:
    """Keep this time until the page's clock has run. Again with another time: the first is let go; with the same: the
    same hold. Raises what hold_one raises."""
    held = held_of([request]).get(request.pk)
    return core.hold_one(
        request=request,
        device=device,
        start=start,
        channel=Channel.WEB,
        by=by,
        basket=held.basket if held and held.basket else uuid4(),
        now=now,
    )


def confirm(*, held: ExamBooking, by: User, now: datetime | None) -> list[ExamBooking]:
    """All that was held together; that the preparation was read stays in the trail."""
    with transaction.atomic():
        done = core.confirm(**_whole(held), by=by, now=now)
        for row in done:
            audit.record(action=READ, actor=by, patient=row.patient, subject=f"exam:{row.pk}", now=row.confirmed_at)
    return done


def read(*, held: ExamBooking, by: User, now: datetime) -> None:
    """The preparation was read, and what is held is paid before it is confirmed."""
    rows = ExamBooking.objects.filter(status=ExamBooking.Status.PENDING).select_related("patient")
    of = {"basket": held.basket, "patient": held.patient_id} if held.basket else {"pk": held.pk}
    for row in rows.filter(**of).order_by("pk"):
        audit.record(action=READ, actor=by, patient=row.patient, subject=f"exam:{row.pk}", now=now)


def drop(*, held: ExamBooking, by: User, now: datetime | None) -> None:
    core.drop(**_whole(held), by=by, now=now)


def _whole(held: ExamBooking) -> dict:
    """The page shows all that is held in the basket."""
    return {"basket": held.basket} if held.basket else {"booking": held}
