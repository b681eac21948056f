"""上转并预约 (R1): a number of the institution's pools is held while the letter is written, and taken as it is sent.

A draft's number is found by its basket: no column says it, so that a hold that lapses leaves nothing behind.
Locks: slot, patient, referral, appointment. `now` is aware UTC; `decided` is None in production, then the database's
clock decides about the number.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from appointments.errors import AlreadyBooked, Busy
from appointments.models import Appointment, Schedule, Slot
from appointments.models.rules import Channel
from appointments.services import booking, changes, walkin
from hospital.models import Patient, User
from referrals.errors import NotTheirTurn
from referrals.models import Referral
from referrals.policies import moves
from referrals.policies.moves import Act, Side
from referrals.selectors.holding import basket_of, held_by

from . import numbers, trail, writing

Status = Referral.Status


def hold(
    *,
    referral: Referral,
    schedule: Schedule,
    start: datetime,
    by: User,
    request_key: str | None = None,
    opened_at: datetime | None = None,
    now: datetime,
    decided: datetime | None = None,
) -> Appointment:
    """Keep one number for the patient of a draft; another choice moves the hold, and its clock begins anew.

    The letter then goes to where the number is. Raises what booking.book raises, AlreadyBooked also where the patient
    booked alone, NotTheirTurn, ReferralOver.
    """
    _writable(referral)
    asked = {
        "schedule": schedule,
        "start": start,
        "by": by,
        "channel": Channel.PARTNER,
        "partner": referral.origin_id,
        "request_key": request_key,
        "now": decided,
    }
    before = held_by(referral, now=now)
    if _has_one_there(referral, schedule, but=before, now=now):
        raise AlreadyBooked()
    if before:
        number = booking.reschedule(appointment=before, **asked)
    else:
        visit_type = walkin.visit_type(referral.patient, schedule)
        number = booking.book(
            patient=referral.patient, basket=basket_of(referral), visit_type=visit_type, opened_at=opened_at, **asked
        )
    writing.change(referral=referral, now=now, **place_of(number))
    return number


def release(*, referral: Referral, by: User, now: datetime, decided: datetime | None = None) -> None:
    """放弃锁号: free at once for the next. Where nothing is held, nothing happens."""
    if number := held_by(referral, now=now):
        changes.drop(appointment=number, by=by, now=decided)


@transaction.atomic
def send_with_number(
    *,
    referral: Referral,
    appointment: Appointment,
    by: User,
    consenter: str = "",
    now: datetime,
    decided: datetime | None = None,
) -> Referral:
    """转诊并预约: sent, the hold confirmed, the number on the referral, or none of it: refused, draft and hold stay.

    Twice is once. Publishes referral.sent, appointment.booked, referral.booked.
    Raises ReferralIncomplete (with the fields), AgreementEnded, ReceiverClosed, AlreadyReferred, HoldLapsed,
    WrongState, NumberOfAnother, NotTheirTurn, ReferralOver, and what writing.send raises besides.
    """
    _lock(appointment)
    row = trail.locked(referral.pk)
    if row.appointment_id == appointment.pk and row.status == Status.BOOKED:
        return row
    if row.status == Status.DRAFT:
        row = writing.change(referral=row, now=now, office_books=False, **place_of(appointment))
        row = writing.send(referral=row, by=by, consenter=consenter, now=now)
    number = changes.confirm(appointment=appointment, by=by, now=decided)
    return numbers.take(referral=row, appointment=number, by=by, side=Side.ORIGIN, now=now)


def send_to_office(
    *, referral: Referral, by: User, consenter: str = "", now: datetime, decided: datetime | None = None
) -> Referral:
    """发出, 请转诊办代约: without a number; one that was still held goes back. Raises what writing.send raises."""
    with transaction.atomic():
        Patient.objects.select_for_update(no_key=True).only("pk").get(pk=referral.patient_id)
        row = trail.locked(referral.pk)
        if row.status == Status.DRAFT:
            row = writing.change(referral=row, now=now, office_books=True)
        row = writing.send(referral=row, by=by, consenter=consenter, now=now)
    release(referral=row, by=by, now=now, decided=decided)
    return row


def discard(*, referral: Referral, by: User, now: datetime, decided: datetime | None = None) -> Referral:
    """A draft that nobody sends: it leaves the list, its number goes back. Raises NotTheirTurn, ReferralOver."""
    _writable(referral)
    row = writing.withdraw(referral=referral, reason="", by=by, now=now)
    release(referral=row, by=by, now=now, decided=decided)
    return row


def place_of(number: Appointment) -> dict:
    """Where the number leads: department, and the doctor or the team."""
    schedule = Schedule.objects.select_related("department", "role", "team").get(pk=number.schedule_id)
    team = schedule.team
    return {"department": schedule.department, "role": None if team else schedule.role, "team": team}


def _has_one_there(referral: Referral, schedule: Schedule, *, but: Appointment | None, now: datetime) -> bool:
    """Whoever booked or holds it: a second number of the same day and department would be missed."""
    state = Appointment.Status
    held = Q(status=state.PENDING, slot__hold_until__gt=now)
    rows = Appointment.objects.filter(held | Q(status__in=[state.BOOKED, state.ARRIVED]), patient=referral.patient_id)
    rows = rows.filter(day=schedule.day, department=schedule.department_id)
    return rows.exclude(pk=but.pk if but else None).exists()


def _writable(referral: Referral) -> None:
    row = Referral.objects.get(pk=referral.pk)
    refused = moves.refusal(Act.SEND, side=Side.ORIGIN, status=row.status, direction=row.direction)
    if refused:
        raise refused
    if row.direction != Referral.Direction.UP:
        raise NotTheirTurn(status=row.get_status_display())


def _lock(appointment: Appointment) -> None:
    """Slot and patient, before the referral. Raises Busy where the number was moved at this very moment."""
    slot, patient = Appointment.objects.values_list("slot", "patient").get(pk=appointment.pk)
    Slot.objects.select_for_update(no_key=True).get(pk=slot)
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=patient)
    if not Appointment.objects.filter(pk=appointment.pk, slot=slot).exists():
        raise Busy()
