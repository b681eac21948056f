"""What the money does when a booking ends or moves: called by the handlers of facts, in the order of the booking."""

from datetime import datetime

from django.db import transaction

from appointments.models import Appointment
from billing.models import ChargeItem, Invoice, Payment
from billing.policies import returning
from billing.selectors import rules
from exams.models import ExamBooking
from hospital import clock
from hospital.models import ExternalRecord, User

from . import crediting, invoicing, locks, refunding, standing, trail

Line = ChargeItem.Status
SEEN = (Appointment.Status.ARRIVED, Appointment.Status.FULFILLED)


def ended(*, kind: str, topic: str, key: str, payload: dict, by: User | None, now: datetime) -> None:
    """A booking is no more. A hold that merely ran out while somebody pays is left to the payment: it books anew
    or gives back (delivering)."""
    booking = int(key.partition(":")[2])
    done: set[int] = set()
    while (line := _live_line(kind, booking)) is not None and line.pk not in done:
        if topic.endswith(".lapsed") and _somebody_pays(line):
            return
        rule = rules.payment_rule(line.invoice.organization_id, day=clock.today(now))
        reason = returning.reason_of(topic, payload, late_refund=rule.late_refund)
        if reason is None and line.status == Line.CONFIRMED:
            return
        refunding.return_line(line=line.pk, reason=reason or "cancelled", by=by, now=now)
        done.add(line.pk)


def _live_line(kind: str, booking: int) -> ChargeItem | None:
    """Asked again after each: it may have gone onto another invoice under our feet (gathering)."""
    return ChargeItem.objects.filter(**{kind: booking}).exclude(status__in=ChargeItem.GONE).first()


def missed(*, kind: str, booking: int, by: User | None, now: datetime) -> None:
    """爽约. An unpaid line leaves the invoice: nobody was seen. On credit it stays owed, paid it stays paid; by_staff
    gives it back at the window where the house's rule does."""
    lines = ChargeItem.objects.filter(**{kind: booking}, status=Line.OPEN, earned_at=None)
    line = lines.values_list("pk", flat=True).first()
    if line and not _is_being_paid(line):
        refunding.return_line(line=line, reason="cancelled", by=by, now=now)


def _is_being_paid(line: int) -> bool:
    return Payment.objects.filter(invoice__lines=line, status=Payment.Status.PENDING).exists()


def _somebody_pays(line: ChargeItem) -> bool:
    waits = line.status == Line.PAID
    return waits or line.invoice.payments.filter(status=Payment.Status.PENDING).exists()


@transaction.atomic
def came_after_all(*, booking: int, by: User | None, now: datetime) -> None:
    """Marked as not come, given its money back, and here the same day: owed from now on. Where the fee is taken at the
    visit, the window finds it as ever."""
    lines = set(ChargeItem.objects.filter(appointment=booking).values_list("status", flat=True))
    if not lines or not lines <= set(ChargeItem.GONE):
        return
    row = Appointment.objects.select_related("schedule__service", "schedule__organization").get(pk=booking)
    if row.status in SEEN:
        _owe_unpaid(row, by=by, now=now)


@transaction.atomic
def moved(*, booking: int, by: User | None, now: datetime) -> None:
    """The line of the old price goes, one of the new price comes, on the same invoice. Cheaper: the difference goes
    back by itself; dearer: it is owed until the visit."""
    row = Appointment.objects.select_related("schedule__service", "schedule__organization").get(pk=booking)
    if not row.charges.exists():
        if row.status == Appointment.Status.BOOKED:
            _owe_unpaid(row, by=by, now=now)
        return
    old = row.charges.exclude(status__in=ChargeItem.GONE).first()
    if old is None or old.amount == row.fee or old.status == Line.RETURNING:
        return
    invoice = locks.invoice(old.invoice_id)
    if row.schedule.organization_id != invoice.organization_id or standing.settlement(invoice):
        refunding.return_line(line=old.pk, reason="moved", by=by, now=now)  # charged anew at the visit
        return
    _exchange(invoice, old, row, by=by, now=now)


def _owe_unpaid(row: Appointment, *, by: User | None, now: datetime) -> None:
    """Of a channel that pays first, and on no bill (any more): owed from now on, as what was moved to a dearer number
    is. What was booked in another system was paid, or not, there."""
    if row.confirmed_at is None or row.fee == 0:
        return
    rule = rules.payment_rule(row.schedule.organization_id, day=clock.today(row.confirmed_at))
    if row.channel not in rule.prepaid or ExternalRecord.objects.filter(subject=f"appointment:{row.pk}").exists():
        return
    if invoice := invoicing.open_apart(booking=row, by=by, now=now):
        crediting.owe(locks.invoice(invoice.pk), days=rule.credit_days, by=by, now=now)


def _exchange(invoice: Invoice, old: ChargeItem, row: Appointment | ExamBooking, *, by: User | None, now: datetime):
    was = old.status
    refunding.take_off(invoice, old, reason="moved", by=by, now=now)
    new = invoicing.line_of(invoice, row, now=now)
    new.save()
    if invoice.status == Invoice.Status.OWED:
        standing.earn(invoice, new, on_credit=True, by=by, now=now)
    stands = standing.follow(invoice, by=by, now=now)
    refunding.give_back_too_much(invoice, stands, reason="moved", lines=[old], by=by, now=now)
    if was == Line.CONFIRMED and invoice.status == Invoice.Status.OWED:
        standing.earn(invoice, new, on_credit=True, by=by, now=now)
    trail.publish("line.exchanged", invoice, by=by, now=now, line=new.pk, instead_of=old.pk)
