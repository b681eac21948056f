"""Bookings that are paid, owed and given back, as many as a test needs; and the worker's rounds."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from appointments import invariants
from appointments.services import booking
from billing.models import Invoice, Payment
from billing.services import crediting, invoicing, jobs, paying
from hospital import messages, outbox
from hospital.models import Message
from tests.factories import NOW, TODAY, open_schedule
from tests.factories.billing import credit_for

SOON = NOW + timedelta(minutes=1)


def hold(patient, *, schedule=None, number=1, channel="web", days=20, now=NOW):
    schedule = schedule or open_schedule(day=TODAY + timedelta(days=days))
    return booking.book(
        schedule=schedule, patient=patient, channel=channel, by=None, request_key=None, number=number, basket=uuid4(),
        now=now,
    )  # fmt: skip


def invoice_of(row) -> Invoice:
    return invoicing.open_for_booking(booking=row, by=None, now=NOW)


def paid(row, gateway, *, amount=None, way="phone", shift=None, by=None) -> Payment:
    """By the gateway's phone, at once."""
    payment = paying.begin(
        invoice=invoice_of(row), means=gateway.code, way=way, by=by, amount=amount, shift=shift, now=NOW
    )
    paying.succeed(order=payment.order, said=gateway.pay(payment.order), now=NOW)
    return payment


def in_cash(row, shift, *, amount=None) -> None:
    amount = None if amount is None else Decimal(amount)
    paying.take(
        invoice=invoice_of(row), means="cash", way="window", by=shift.cashier, shift=shift, amount=amount, now=NOW
    )


def owed(patient, *, days, limit="1000.00", now=NOW) -> Invoice:
    """A number of a day, confirmed on credit."""
    if not patient.credit.exists():
        credit_for(patient, limit=limit)
    invoice = invoicing.open_for_booking(booking=hold(patient, days=days, now=now), by=None, now=now)
    crediting.put_on_credit(invoice=invoice, by=None, now=now)
    invoice.refresh_from_db()
    return invoice


def work(now=SOON) -> None:
    """Facts to their handlers, gateways asked, facts of that, messages out."""
    for _round in range(2):
        outbox.fan_out(now=now)
        while outbox.deliver(now=now):
            pass
        jobs.catch_up(now=now)
    messages.send_waiting(now=now)


def told(patient) -> list[tuple[str, dict]]:
    """(template, parameters) of what the person was told of money, in order."""
    return list(_sent(patient).values_list("template", "params"))


def texts(patient) -> list[str]:
    return [f"{said.title}|{said.body}" for said in map(messages.wording_of, _sent(patient))]


def _sent(patient):
    rows = Message.objects.filter(patient=patient, channel="inapp", status="sent")
    return rows.filter(template__regex=r"^(money|credit)\.").order_by("pk")


def sound() -> None:
    found = invariants.violations(now=NOW)
    assert found == [], found
