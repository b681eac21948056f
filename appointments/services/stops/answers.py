"""The three answers of a touched patient: accept the substitute, take another time, give the number back (B13).

By the link (`by` None), by the account, or by the desk on the patient's behalf. Two answers at once: the appointment's
number is locked first, so that one waits and then sees what was answered.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.errors import AlreadyAnswered, NoLongerOffered, QuestionOver, SoldOut
from appointments.models import Appointment, Schedule, StopCase
from appointments.policies import stops as policy
from appointments.selectors.stops import elsewhere
from appointments.services import booking, changes, sql
from hospital.models import User

from . import cases

Answer = StopCase.Answer


@transaction.atomic
def accept(*, case: StopCase, by: User | None, now: datetime | None = None) -> StopCase:
    """接受替诊: number, time and fee stay. Twice is once. Raises AlreadyAnswered, QuestionOver."""
    [row] = changes.lock(case.appointment_id)
    case = cases.locked(case)
    moment = now or sql.database_now()
    if case.answer == Answer.ACCEPT:
        return case
    _refuse(case, row, now=moment)
    if not case.substitution.substitute_id:
        raise QuestionOver(why=_("这次出诊没有替诊医生"))
    return cases.settle(case, answer=Answer.ACCEPT, by=by, now=moment)


@transaction.atomic
def cancel(
    *,
    case: StopCase,
    by: User | None,
    channel: str = "web",
    request_key: str | None = None,
    now: datetime | None = None,
) -> StopCase:
    """退号 because of the hospital: no cut-off, not late, the fee is due back. Twice is once."""
    [row] = changes.lock(case.appointment_id)
    case = cases.locked(case)
    moment = now or sql.database_now()
    if case.answer == Answer.CANCEL:
        return case
    _refuse(case, row, now=moment)
    changes.cancel(appointment=row, by=by, channel=channel, request_key=request_key, hospital=True, now=now)
    return cases.settle(case, answer=Answer.CANCEL, by=by, now=moment, hospital=True)


@transaction.atomic
def move(
    *,
    case: StopCase,
    schedule: int,
    number: int,
    by: User | None,
    request_key: str | None,
    channel: str = "web",
    now: datetime | None = None,
) -> StopCase:
    """改约 to a number that is kept for the touched patients, or that the public may take: the existing reschedule.
    Limits and one-per-day do not stand in the way, and the fee never rises. Twice is once.

    Raises NoLongerOffered, AlreadyAnswered, QuestionOver, and what booking raises; then nothing is changed.
    """
    moment = now or sql.database_now()
    seen = cases.related().get(pk=case.pk)
    if seen.answer == Answer.MOVE and seen.moved_to_id == schedule:
        return seen
    _refuse(seen, seen.appointment, now=moment)
    stopped = seen.substitution.schedule
    try:
        moved = booking.reschedule(
            appointment=seen.appointment,
            schedule=_offered(seen, schedule, now=moment),
            number=number,
            by=by,
            channel=channel,
            request_key=request_key,
            kept=elsewhere.pools_of(stopped.organization_id, gated=bool(stopped.gate_team_id), now=moment),
            now=now,
        )
    except SoldOut as gone:
        raise NoLongerOffered() from gone
    case = cases.locked(seen)
    if case.answer:
        raise _answered(case)
    if moved.fee > seen.appointment.fee:
        Appointment.objects.filter(pk=moved.pk).update(fee=seen.appointment.fee)
    return cases.settle(case, answer=Answer.MOVE, by=by, now=moment, moved_to=Schedule(pk=schedule))


def _offered(case: StopCase, schedule: int, *, now: datetime) -> Schedule:
    """Only the sessions that the patient's page shows."""
    for each in elsewhere.sessions_near(case.substitution, now=now):
        if each.pk == schedule:
            return each
    raise NoLongerOffered()


def _refuse(case: StopCase, row: Appointment, *, now: datetime) -> None:
    if case.answer and case.answer != Answer.GONE:
        raise _answered(case)
    booked = row.status == Appointment.Status.BOOKED and row.schedule_id == case.substitution.schedule_id
    refusal = policy.refusal_to_answer(case, start=row.start, booked=booked, now=now)
    if refusal:
        raise refusal


def _answered(case: StopCase):
    if case.answer == Answer.GONE:
        return QuestionOver(why=_("医院已另有安排"))
    return AlreadyAnswered(answer=case.get_answer_display())
