"""What happens to a number after it was taken: confirm, cancel, drop.

Locks in one order: slots by id, patients by id, appointments. The slot is read without a lock first; if the
appointment moved meanwhile, look again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from appointments.errors import Busy, NoSuchNumber, WrongState
from appointments.models import Appointment, Slot
from appointments.policies import booking as policy
from appointments.selectors import rules
from hospital import clock, outbox
from hospital.models import Patient, PatientTime, User

from .booking import rest_time

TRIES = 3


@dataclass(frozen=True)
class ConfirmedBasket:
    """What became of each line: an appointment is in exactly one list."""

    booked: list[Appointment]
    lapsed: list[Appointment]


def database_now() -> datetime:
    """The database's clock decides whether a hold still stands (O7)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def lock(*appointment_ids: int) -> list[Appointment]:
    """Slots by id, patients by id, appointments by id. Each returned row carries its locked slot.

    Raises NoSuchNumber, and Busy if the appointments kept moving under our feet.
    """
    for _attempt in range(TRIES):
        places = list(Appointment.objects.filter(pk__in=appointment_ids).values_list("pk", "slot_id", "patient_id"))
        if len(places) != len(set(appointment_ids)):
            raise NoSuchNumber()
        slots = _lock_in_order(Slot, {slot for _pk, slot, _patient in places})
        _lock_in_order(Patient, {patient for _pk, _slot, patient in places}, only="pk")
        rows = list(_locked(Appointment).filter(pk__in=appointment_ids).order_by("patient_id", "slot_id"))
        if all(row.slot_id in slots for row in rows):
            for row in rows:
                row.slot = slots[row.slot_id]
            return rows
    raise Busy()


def _locked(model):
    return model.objects.select_for_update(no_key=True)


def _lock_in_order(model, ids: set[int], only: str | None = None) -> dict:
    rows = _locked(model).filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in (rows.only(only) if only else rows)}


@transaction.atomic
def confirm(
    *, appointment: Appointment, by: User | None, request_key: str | None = None, now: datetime | None = None
) -> Appointment:
    """锁号 → 已预约. Repeating it gives the same answer. Raises HoldLapsed, WrongState."""
    [row] = lock(appointment.pk)
    moment = now or database_now()
    refusal = policy.refusal_to_confirm(row, hold_until=row.slot.hold_until, now=moment)
    if refusal:
        raise refusal
    _confirm(row, by=by, request_key=request_key, now=moment)
    return row


@transaction.atomic
def confirm_basket(
    *, basket: UUID, by: User | None, request_key: str | None = None, now: datetime | None = None
) -> ConfirmedBasket:
    """Confirm the lines of a 预约单 that still stand, as one act; the others are named, not hidden."""
    lines = Appointment.objects.filter(basket=basket).exclude(status=Appointment.Status.CANCELLED)
    rows = lock(*lines.values_list("pk", flat=True))
    moment = now or database_now()
    booked, lapsed = [], []
    for row in rows:
        if policy.refusal_to_confirm(row, hold_until=row.slot.hold_until, now=moment):
            lapsed.append(row)
        else:
            _confirm(row, by=by, request_key=request_key and f"{request_key}:{row.pk}", now=moment)
            booked.append(row)
    return ConfirmedBasket(booked=booked, lapsed=lapsed)


def _confirm(row: Appointment, *, by: User | None, request_key: str | None, now: datetime) -> None:
    if row.status == Appointment.Status.BOOKED:
        return
    row.slot.status, row.slot.hold_until = Slot.Status.BOOKED, None
    row.slot.save(update_fields=["status", "hold_until"])
    row.status, row.confirmed_at = Appointment.Status.BOOKED, now
    row.save(update_fields=["status", "confirmed_at"])
    _publish("appointment.booked", row, by=by, request_key=request_key, now=now, channel=row.channel)


@transaction.atomic
def cancel(
    *,
    appointment: Appointment,
    by: User | None,
    channel: str,
    reason: str = "",
    request_key: str | None = None,
    now: datetime | None = None,
) -> Appointment:
    """退号. The number is given back at once, or rests while it is in demand (B14). Cancelling twice is once.

    Raises TooLateToCancel (self-service after the cut-off), WrongState.
    """
    [row] = lock(appointment.pk)
    if row.status == Appointment.Status.CANCELLED:
        return row
    moment = now or database_now()
    rule = rules.booking_rule_for(row.schedule, day=clock.today(moment))
    refusal = policy.refusal_to_cancel(row, channel=channel, rule=rule, now=moment)
    if refusal:
        raise refusal
    late = moment > policy.cancel_deadline(row.day, rule)
    rest = rest_time(rule) if row.status == Appointment.Status.BOOKED else None
    _let_go(row, note=reason, rest=rest, now=moment)
    _publish("appointment.cancelled", row, by=by, request_key=request_key, now=moment, channel=channel, late=late)
    return row


@transaction.atomic
def drop(*, appointment: Appointment, by: User | None, now: datetime | None = None) -> Appointment:
    """Take a held line off the basket: its number is free at once. Dropping twice is once. Raises WrongState."""
    [row] = lock(appointment.pk)
    if row.status == Appointment.Status.CANCELLED:
        return row
    if row.status != Appointment.Status.PENDING:
        raise WrongState(state=row.get_status_display())
    moment = now or database_now()
    _let_go(row, note="dropped", rest=None, now=moment)
    _publish("appointment.dropped", row, by=by, request_key=None, now=moment, channel=row.channel)
    return row


def _let_go(row: Appointment, *, note: str, rest: timedelta | None, now: datetime) -> None:
    """The caller holds slot, patient and appointment."""
    row.status, row.cancelled_at, row.note = Appointment.Status.CANCELLED, now, note or row.note
    row.save(update_fields=["status", "cancelled_at", "note"])
    PatientTime.objects.filter(source="appointment", source_id=row.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT booking_give_back(%s, %s, %s, %s, %s)", [row.slot_id, row.schedule_id, row.extra, rest, now]
        )


def _publish(topic: str, row: Appointment, *, by, request_key: str | None, now: datetime, **payload) -> None:
    outbox.publish(
        topic=topic,
        key=f"appointment:{row.pk}",
        payload={"appointment": row.pk, "schedule": row.schedule_id, "slot": row.slot_id, **payload},
        actor=by,
        account=by.pk if by and request_key else None,
        request_key=request_key if by else None,
        now=now,
    )
