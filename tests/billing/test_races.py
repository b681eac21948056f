"""M6, M8: at the same moment, with real threads and real locks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from time import sleep

import pytest
from django.db import IntegrityError, connection, transaction

from appointments import invariants
from appointments.models import Appointment
from appointments.services import booking, changes
from billing.errors import SlipUsed
from billing.models import Invoice, Refund
from billing.services import following, invoicing, paying, refunding
from tests.factories import NOW, PatientFactory, open_schedule
from tests.factories.billing import ShiftFactory, held_number, pays_first

pytestmark = pytest.mark.django_db(transaction=True)
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def row():
    pays_first()
    return booking.book(
        schedule=open_schedule(), patient=PatientFactory(), channel="web", by=None, request_key=None, now=NOW
    )


def at_once(*deeds):
    start = Barrier(len(deeds))

    def go(deed):
        try:
            start.wait(10)
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as crowd:
        return list(crowd.map(go, deeds))


def scan(invoice):
    return paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW)


def sound():
    assert invariants.violations(now=NOW) == []


def test_one_callback_four_times_and_another_payment_at_once(row, wechat):
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    one, other = scan(invoice), scan(invoice)
    said = {each.order: wechat.pay(each.order) for each in (one, other)}
    orders = [one.order] * 4 + [other.order] * 2
    found = at_once(*(lambda order=order: paying.succeed(order=order, said=said[order], now=SOON) for order in orders))

    assert sorted(each.verdict for each in found) == ["again"] * 4 + ["taken"] * 2
    assert [refund.amount for refund in Refund.objects.all()] == [one.amount]
    assert (Invoice.objects.get().status, Appointment.objects.get().status) == ("paid", "booked")
    sound()


def test_a_refund_at_the_window_a_cancelled_fact_and_a_callback_at_once(row, wechat):
    """Never two refunds for one line, and no deadlock with the booking's own locks."""
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    payment = scan(invoice)
    said = wechat.pay(payment.order)
    paying.succeed(order=payment.order, said=said, now=SOON)
    line = invoice.lines.get().pk

    def fact():
        key, payload = f"appointment:{row.pk}", {"late": False}
        following.ended(
            kind="appointment", topic="appointment.cancelled", key=key, payload=payload, by=None, now=SOON
        )  # fmt: skip

    at_once(
        lambda: changes.cancel(appointment=row, by=None, channel="counter", now=SOON),
        lambda: refunding.return_line(line=line, reason="staff", by=None, now=SOON),
        lambda: paying.succeed(order=payment.order, said=said, now=SOON),
        lambda: invoicing.open_for_patient(
            patient=row.patient, organization=row.schedule.organization, by=None, now=SOON
        ),
        fact,
        fact,
    )
    assert [(refund.amount, refund.line_id) for refund in Refund.objects.all()] == [(payment.amount, line)]
    assert Invoice.objects.get(pk=invoice.pk).status == "refunded"
    sound()


def test_the_same_refund_sent_by_two_workers_is_one_there_and_here(row, wechat):
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    payment = scan(invoice)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    refunding.return_line(line=invoice.lines.get().pk, reason="staff", by=None, now=SOON)
    refund = Refund.objects.get()
    at_once(*[lambda: refunding.send(refund=refund, now=SOON)] * 2)
    refund.refresh_from_db()
    assert (refund.status, len(wechat.refunds)) == ("done", 1)
    sound()


def test_the_database_itself_lets_only_one_of_two_refunds_through(row, wechat):
    """M6: written past the services, at the same moment."""
    payment = scan(invoicing.open_for_booking(booking=row, by=None, now=NOW))
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)

    def give(order):
        try:
            with transaction.atomic():
                Refund.objects.create(
                    payment=payment, amount=payment.amount, reason="staff", means="wechat", order=order, asked_at=SOON
                )
                sleep(0.1)  # the other one is at it, too
        except IntegrityError as error:
            return error.__cause__.diag.constraint_name
        return ""

    found = at_once(lambda: give("R1"), lambda: give("R2"))
    assert sorted(found) == ["", "refund_never_more_than_was_paid"]


def test_one_slip_at_two_windows_at_the_same_moment_pays_one_bill():
    pays_first()
    bills = [
        invoicing.open_for_booking(booking=held_number(patient=PatientFactory()), by=None, now=NOW) for _bill in "ab"
    ]
    clerks = [ShiftFactory() for _bill in bills]

    def take(invoice, shift):
        about = {"invoice": invoice, "means": "bank", "way": "window", "now": NOW, "reference": "000123"}
        try:
            return paying.take(by=shift.cashier, shift=shift, **about).verdict
        except SlipUsed as refusal:
            return refusal.code

    found = at_once(*(lambda pair=pair: take(*pair) for pair in zip(bills, clerks, strict=True)))
    assert sorted(found) == ["slip_used", "taken"]
    sound()
