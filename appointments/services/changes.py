"""What happens to a number after it was taken: confirm, cancel, drop.

Locks in one order: slots by id, patients by id, appointments. The slot is read without a lock first; if the
appointment moved meanwhile, look again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from appointments.errors import Busy, KeyReused, NoSuchNumber, WrongState
from appointments.models import Appointment, Schedule, Slot, StopCase
from appointments.policies import booking as policy
from appointments.selectors import rules
from hospital import clock, outbox, prepaid
from hospital.errors import Refused
from hospital.models import Fact, Patient, PatientTime, User

from .booking import account_of, fingerprint, rest_time
from .sql import database_now

TRIES = 3


@dataclass(frozen=True)
class ConfirmedBasket:
    """What became of each line: an appointment is in exactly one list."""

    booked: list[Appointment]
    lapsed: list[Appointment]


def lock(*appointment_ids: int) -> list[Appointment]:
    """Slots by id, patients by id, appointments by id. Each returned row carries its locked slot.

    Raises NoSuchNumber, and Busy if the appointments kept moving under our feet.
    """
    for _attempt in range(TRIES):
        before = transaction.savepoint()
        rows = _lock_once(*appointment_ids)
        if rows is not None:
            transaction.savepoint_commit(before)
            return rows
        transaction.savepoint_rollback(before)  # lets the locks go: nobody waits for a slot while holding a patient
    raise Busy()


def _lock_once(*appointment_ids: int) -> list[Appointment] | None:
    """None when one of them had moved before we got to it."""
    places = list(Appointment.objects.filter(pk__in=appointment_ids).values_list("pk", "slot_id", "patient_id"))
    if len(places) != len(set(appointment_ids)):
        raise NoSuchNumber()
    slots = _lock_in_order(Slot, {slot for _pk, slot, _patient in places})
    _lock_in_order(Patient, {patient for _pk, _slot, patient in places}, only="pk")
    rows = list(_locked(Appointment).filter(pk__in=appointment_ids).order_by("patient_id", "slot_id"))
    if any(row.slot_id not in slots for row in rows):
        return None
    for row in rows:
        row.slot = slots[row.slot_id]
    return rows


def _locked(model):
    return model.objects.select_for_update(no_key=True)


def _lock_in_order(model, ids: set[int], only: str | None = None) -> dict:
    rows = _locked(model).filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in (rows.only(only) if only else rows)}


@transaction.atomic
def confirm(
    *,
    appointment: Appointment,
    by: User | None,
    request_key: str | None = None,
    paid_late: bool = False,
    now: datetime | None = None,
) -> Appointment:
    """锁号 → 已预约. Repeating it gives the same answer. Raises HoldLapsed, WrongState, KeyReused, and where this must
    be paid first what hospital.prepaid says.

    `paid_late`: the clock may have run out while the money was on its way. As long as nobody took the number over, it
    is still this row's, and the payer is the first who wants it.
    """
    body = fingerprint("confirm", appointment.pk)
    [row] = lock(appointment.pk)
    if repeated(by=by, request_key=request_key, body=body) and row.live:
        return row
    moment = now or database_now()
    refusal = policy.refusal_to_confirm(row, hold_until=row.slot.hold_until, now=moment)
    if refusal and not (paid_late and _still_its_own(row)):
        raise refusal
    if refusal := _unpaid(row, now=moment):
        raise refusal
    _confirm(row, by=by, request_key=request_key, body=body, now=moment)
    return row


@transaction.atomic
def confirm_basket(
    *, basket: UUID, by: User | None, request_key: str | None = None, now: datetime | None = None
) -> ConfirmedBasket:
    """Confirm the lines of a 预约单 that still stand, as one act; the others are named, not hidden. Where one of them
    must be paid first, none is confirmed and what hospital.prepaid says is raised.

    Repeating it gives the same answer, but for a line that went back meanwhile: that one is among the lapsed.
    Raises KeyReused. Publishes appointment.booked for each line, and basket.confirmed with the key.
    """
    body = fingerprint("confirm_basket", basket)
    lines = Appointment.objects.filter(basket=basket).exclude(status=Appointment.Status.CANCELLED)
    rows = lock(*lines.values_list("pk", flat=True))
    done = repeated(by=by, request_key=request_key, body=body)
    if done:
        return _same_basket(done.payload["appointments"])
    moment = now or database_now()
    lapsed = [row for row in rows if policy.refusal_to_confirm(row, hold_until=row.slot.hold_until, now=moment)]
    booked = [row for row in rows if row not in lapsed]
    if refusal := next(filter(None, (_unpaid(row, now=moment) for row in booked)), None):
        raise refusal
    for row in booked:
        _confirm(row, by=by, request_key=None, body=None, now=moment)
    if request_key and rows:
        _remember(
            topic="basket.confirmed",
            key=f"basket:{basket}",
            payload={"appointments": [row.pk for row in rows]},
            by=by,
            request_key=request_key,
            body=body,
            now=moment,
        )
    return ConfirmedBasket(booked=booked, lapsed=lapsed)


@transaction.atomic
def hold_longer(*, appointment: Appointment, until: datetime, now: datetime | None = None) -> bool:
    """The clock of a held number runs till `until`, never beyond its own start and never shorter than before: somebody
    is paying for it. A clock that has just run out counts while nobody took the number over. Whether it is held now."""
    [row] = lock(appointment.pk)
    if not _still_its_own(row):
        return False
    until = min(until, row.slot.start)
    if row.slot.hold_until is not None and row.slot.hold_until < until:
        row.slot.hold_until = until
        row.slot.save(update_fields=["hold_until"])
    return row.slot.hold_until is not None and row.slot.hold_until > (now or database_now())


def _still_its_own(row: Appointment) -> bool:
    """Whoever takes a number over ends this row under the same lock."""
    return row.status == Appointment.Status.PENDING and row.slot.status == Slot.Status.HELD


def _unpaid(row: Appointment, *, now: datetime) -> Refused | None:
    """The caller holds the row. A confirmed one was paid, or needed not be."""
    if row.status != Appointment.Status.PENDING:
        return None
    return prepaid.refusal(
        kind="appointment",
        organization=lambda: row.schedule.organization_id,
        channel=row.channel,
        patient=row.patient_id,
        booking=row.pk,
        fee=row.fee,
        now=now,
    )


def _same_basket(ids: list[int]) -> ConfirmedBasket:
    rows = Appointment.objects.select_related("slot").filter(pk__in=ids).order_by("patient_id", "slot_id")
    gone = {Appointment.Status.CANCELLED, Appointment.Status.PENDING}
    return ConfirmedBasket(
        booked=[row for row in rows if row.status not in gone], lapsed=[row for row in rows if row.status in gone]
    )


def _confirm(row: Appointment, *, by: User | None, request_key: str | None, body: str | None, now: datetime) -> None:
    if row.status == Appointment.Status.BOOKED:
        return
    row.slot.status, row.slot.hold_until = Slot.Status.BOOKED, None
    row.slot.save(update_fields=["status", "hold_until"])
    row.status, row.confirmed_at = Appointment.Status.BOOKED, now
    row.save(update_fields=["status", "confirmed_at"])
    _publish("appointment.booked", row, by=by, request_key=request_key, body=body, now=now, channel=row.channel)


@transaction.atomic
def cancel(
    *,
    appointment: Appointment,
    by: User | None,
    channel: str,
    reason: str = "",
    request_key: str | None = None,
    hospital: bool = False,
    now: datetime | None = None,
) -> Appointment:
    """退号. The number is given back at once, or rests while it is in demand (B14). Cancelling twice is once.

    `hospital`: because of a stop (B13), as is whatever is cancelled of a stopped session or while its patient is asked
    whether another doctor will do: no cut-off, never late, and the fact says so for the refund.
    Raises TooLateToCancel (self-service after the cut-off), WrongState, KeyReused.
    """
    body = fingerprint("cancel", appointment.pk)
    [row] = lock(appointment.pk)
    if repeated(by=by, request_key=request_key, body=body) or row.status == Appointment.Status.CANCELLED:
        return row
    moment = now or database_now()
    rule = rules.booking_rule_for(row.schedule, day=clock.today(moment))
    hospital = hospital or _asked_by_the_house(row)
    refusal = policy.refusal_to_cancel(row, channel=channel, rule=rule, now=moment, by_the_house=hospital)
    if refusal:
        raise refusal
    late = policy.is_late(row, rule=rule, now=moment) and not hospital
    rests = row.self_service or row.status == Appointment.Status.BOOKED
    _let_go(row, note=reason, rest=rest_time(rule) if rests else None, now=moment)
    said = {"channel": channel, "late": late} | ({"hospital": True} if hospital else {})
    _publish("appointment.cancelled", row, by=by, request_key=request_key, body=body, now=moment, **said)
    return row


def _asked_by_the_house(row: Appointment) -> bool:
    stopped = row.schedule.status == Schedule.Status.STOPPED
    return stopped or StopCase.objects.filter(appointment=row, answer=StopCase.Answer.NONE).exists()


@transaction.atomic
def drop(*, appointment: Appointment, by: User | None, now: datetime | None = None) -> Appointment:
    """Take a held line off the basket: its number is free at once, but for one that self-service held, which rests
    as a cancelled one does (B14). Dropping twice is once. Raises WrongState."""
    [row] = lock(appointment.pk)
    if row.status == Appointment.Status.CANCELLED:
        return row
    if row.status != Appointment.Status.PENDING:
        raise WrongState(state=row.get_status_display())
    moment = now or database_now()
    rest = rest_time(rules.booking_rule_for(row.schedule, day=clock.today(moment))) if row.self_service else None
    _let_go(row, note="dropped", rest=rest, now=moment)
    _publish("appointment.dropped", row, by=by, request_key=None, body=None, now=moment, channel=row.channel)
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


def repeated(*, by: User | None, request_key: str | None, body: str) -> Fact | None:
    """The fact that this very request wrote before. The caller holds what it is about. Raises KeyReused."""
    if not request_key:
        return None
    fact = Fact.objects.filter(account=account_of(by), request_key=request_key).first()
    if fact and fact.body != body:
        raise KeyReused()
    return fact


def _publish(
    topic: str, row: Appointment, *, by: User | None, request_key: str | None, body: str | None, now, **payload
) -> None:
    _remember(
        topic=topic,
        key=f"appointment:{row.pk}",
        payload={"appointment": row.pk, "schedule": row.schedule_id, "slot": row.slot_id, **payload},
        by=by,
        request_key=request_key,
        body=body,
        now=now,
    )


def _remember(*, by: User | None, request_key: str | None, body: str | None, **fact) -> None:
    """Publish with the key. Another request with the same key that came first, about something else: KeyReused."""
    account = account_of(by) if request_key else None
    try:
        outbox.publish(actor=by, account=account, request_key=request_key or None, body=body, **fact)
    except IntegrityError as error:
        if "fact_request_once" in str(error):
            raise KeyReused() from error
        raise
