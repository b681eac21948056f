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
    row, rows = held(case)
    if row.answer == Answer.ACCEPT:
        return row
    _refuse(row)
    if not cases.are_kept(rows, now=moment):
        raise OfferGone()
    offer = rows[0].offer
    _move(rows, offer.device, offer.during.lower, Answer.ACCEPT, by=by, channel=channel, now=moment)
    return row


@transaction.atomic
def move(
    *, case: DowntimeCase, device: Device, start: datetime, by: User | None, channel: str, now: datetime | None = None
) -> DowntimeCase:
    """自选时间: any time that the page lists. What was kept is given back only if the other one is got. Raises what
    moving raises (TimeTaken, NotFree, PatientBusy, AgainstTheOrder …), CaseSettled, CaseOver."""
    moment = now or sql.database_now()
    row, rows = held(case, Q(device=device, during__contains=start))
    if row.answer == Answer.MOVE and row.booking.device_id == device.pk and row.booking.during.lower == start:
        return row
    _refuse(row)
    _move(rows, device, start, Answer.MOVE, by=by, channel=channel, now=moment)
    return row


@transaction.atomic
def cancel(*, case: DowntimeCase, by: User | None, channel: str, now: datetime | None = None) -> DowntimeCase:
    """取消 because of the hospital: no cut-off, not late; the request is open again on the centre's list. Twice is
    once. Raises CaseSettled, CaseOver."""
    moment = now or sql.database_now()
    row, rows = held(case)
    if row.answer == Answer.CANCEL:
        return row
    _refuse(row)
    for each in rows:
        cases.settle(each, answer=Answer.CANCEL, by=by, now=moment)
        cases.drop_offer(each, by=by, now=moment)
    cancel_all(rows, by=by, channel=channel, note=NOTE, now=moment)
    return row


def cancel_all(rows: list[DowntimeCase], *, by: User | None, channel: str, note: str, now: datetime) -> None:
    """The exams of one question, told of in one message."""
    about = {"channel": channel, "note": note, "hospital": True, "together": [row.booking_id for row in rows]}
    for row in rows:
        booking.cancel(booking=row.booking, by=by, now=now, **about)


def _move(rows: list[DowntimeCase], device: Device, start: datetime, answer: str, *, by, channel: str, now: datetime):
    """The whole sitting, the first at `start`. Settled first: what the move publishes finds the questions answered."""
    for row in rows:
        cases.settle(row, answer=answer, by=by, now=now)
        cases.drop_offer(row, by=by, now=now)
    booking.move(booking=rows[0].booking, device=device, start=start, channel=channel, by=by, now=now, hospital=True)


def held(case: DowntimeCase, target: Q | None = None) -> tuple[DowntimeCase, list[DowntimeCase]]:
    """The case, and all of its sitting, the first first; with their bookings locked in the house's order and read after
    the wait. `target`: the session that the exam moves to."""
    rows = cases.together(case)
    touched = [row for each in rows for row in (each.booking, each.offer) if row]
    there = DeviceSession.objects.filter(target).select_related("device") if target else []
    claims.lock_places(
        sessions=[*(row.session_id for row in touched), *(row.pk for row in there)],
        teams=[*(row.team_id for row in touched), *(row.device.team_id for row in there)],
    )
    claims.lock_people(
        patients=[case.patient_id],
        requests=[row.request_id for row in touched],
        bookings=[row.pk for row in touched],
    )
    asked = DowntimeCase.objects.select_for_update(no_key=True).filter(pk__in=[row.pk for row in rows])
    list(asked.order_by("pk").values_list("pk", flat=True))
    row = cases.related().get(pk=case.pk)
    rows = cases.together(row)
    return next(each for each in rows if each.pk == row.pk), rows


def _refuse(case: DowntimeCase) -> None:
    if refusal := policy.refusal_to_answer(case, case.booking):
        raise refusal
