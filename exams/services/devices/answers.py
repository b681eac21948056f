"""The three answers of a displaced patient: take the time that was kept, choose another, cancel (E10).

By the link (`by` None), by the account, or by the centre on the patient's behalf. Two answers at once: the sessions and
the patient are locked first, so that one waits and then sees what was answered. Each is all or nothing.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from appointments.services import sql
from exams.errors import OfferGone
from exams.models import Device, DeviceSession, DowntimeCase
from exams.policies import devices as policy
from exams.services import booking, claims
from hospital.models import User

from . import cases

Answer = DowntimeCase.Answer
NOTE = "停机后患者选择取消"


@transaction.atomic
def accept(*, case: DowntimeCase, by: User | None, channel: str, now: datetime | None = None) -> DowntimeCase:
    """接受新时间: the exam moves to the time that was kept. Twice is once. Raises OfferGone, CaseSettled, CaseOver."""
    moment = now or sql.database_now()
    row = held(case)
    if row.answer == Answer.ACCEPT:
        return row
    _refuse(row)
    if not cases.is_kept(row.offer, now=moment):
        raise OfferGone()
    return _move(row, row.offer.device, row.offer.during.lower, Answer.ACCEPT, by=by, channel=channel, now=moment)


@transaction.atomic
def move(
    *, case: DowntimeCase, device: Device, start: datetime, by: User | None, channel: str, now: datetime | None = None
) -> DowntimeCase:
    """自选时间: any time that the page lists. What was kept is given back only if the other one is got. Raises what
    moving raises (TimeTaken, NotFree, PatientBusy, AgainstTheOrder …), CaseSettled, CaseOver."""
    moment = now or sql.database_now()
    row = held(case, Q(device=device, during__contains=start))
    if row.answer == Answer.MOVE and row.booking.device_id == device.pk and row.booking.during.lower == start:
        return row
    _refuse(row)
    return _move(row, device, start, Answer.MOVE, by=by, channel=channel, now=moment)


@transaction.atomic
def cancel(*, case: DowntimeCase, by: User | None, channel: str, now: datetime | None = None) -> DowntimeCase:
    """取消 because of the hospital: no cut-off, not late; the request is open again on the centre's list. Twice is
    once. Raises CaseSettled, CaseOver."""
    moment = now or sql.database_now()
    row = held(case)
    if row.answer == Answer.CANCEL:
        return row
    _refuse(row)
    cases.settle(row, answer=Answer.CANCEL, by=by, now=moment)
    cases.drop_offer(row, by=by, now=moment)
    booking.cancel(booking=row.booking, by=by, channel=channel, note=NOTE, hospital=True, now=moment)
    return row


def _move(case: DowntimeCase, device: Device, start: datetime, answer: str, *, by, channel: str, now: datetime):
    """Settled first: what the move publishes finds the question answered."""
    cases.settle(case, answer=answer, by=by, now=now)
    cases.drop_offer(case, by=by, now=now)
    booking.move(booking=case.booking, device=device, start=start, channel=channel, by=by, now=now, hospital=True)
    return case


def held(case: DowntimeCase, target: Q | None = None) -> DowntimeCase:
    """The case with its bookings, all locked in the house's order and read after the wait. `target`: the session that
    the exam moves to."""
    touched = [row for row in (case.booking, case.offer) if row]
    there = DeviceSession.objects.filter(target).select_related("device") if target else []
    claims.lock_places(
        sessions=[*(row.session_id for row in touched), *(row.pk for row in there)],
        teams=[*(row.team_id for row in touched), *(row.device.team_id for row in there)],
    )
    claims.lock_people(
        patients=[case.patient_id], requests=[case.booking.request_id], bookings=[row.pk for row in touched]
    )
    DowntimeCase.objects.select_for_update(no_key=True).get(pk=case.pk)
    return cases.related().get(pk=case.pk)


def _refuse(case: DowntimeCase) -> None:
    if refusal := policy.refusal_to_answer(case, case.booking):
        raise refusal
