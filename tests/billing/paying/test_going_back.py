"""M1, M2, M6: what can't be had any more goes back, and what is given back is owed until it is."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from appointments.models import Appointment
from appointments.services import booking, changes, supply
from billing.models import MoneyCase, Refund
from billing.selectors.ledger import balance
from billing.services import delivering, invoicing, jobs, paying, refunding
from exams.services import booking as exam_booking
from exams.services import holds
from tests.factories import NOW, PatientFactory
from tests.factories.billing import ShiftFactory

from .scenes import LATE, SOON, facts, hold, hold_exam, invoice_of, scan, sound

pytestmark = pytest.mark.django_db


def test_paid_after_the_hold_lapsed_the_number_is_still_the_payers_if_nobody_took_it(schedule, patient, wechat):
    row = hold(schedule, patient)
    payment = scan(invoice_of(row))
    outcome = paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=LATE)
    row.refresh_from_db()
    assert (row.status, len(outcome.delivered.confirmed)) == ("booked", 1)


def test_paid_after_somebody_else_took_the_number_it_goes_back_by_itself(schedule, patient, wechat):
    row = hold(schedule, patient)
    invoice = invoice_of(row)
    payment = scan(invoice)
    hold_later = {"channel": "counter", "by": None, "request_key": None, "number": 1, "now": LATE}
    booking.book(schedule=schedule, patient=PatientFactory(), **hold_later)
    facts(LATE)
    outcome = paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=LATE)

    assert len(outcome.delivered.returned) == 1
    invoice.refresh_from_db()
    [refund] = Refund.objects.all()
    assert (invoice.status, refund.amount, refund.reason, refund.line_id) == (
        "refunded", Decimal("20.00"), "lapsed", invoice.lines.get().pk
    )  # fmt: skip
    assert Appointment.objects.filter(patient=patient).exclude(status="cancelled").count() == 0
    sound()


def test_a_lapsed_hold_whose_number_is_free_again_is_booked_anew(schedule, patient, wechat):
    row = hold(schedule, patient, channel="consult")
    invoice = invoice_of(row)
    payment = scan(invoice)
    other = {"channel": "counter", "by": None, "request_key": None, "number": 1, "now": LATE}
    changes.drop(appointment=booking.book(schedule=schedule, patient=PatientFactory(), **other), by=None, now=LATE)
    outcome = paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=LATE)

    line = invoice.lines.get()
    assert (outcome.delivered.confirmed, line.status, line.appointment.status) == ([line.pk], "confirmed", "booked")
    assert line.appointment != row


def test_an_exam_whose_hold_lapsed_is_held_anew_for_the_payer(schedule, patient, wechat):
    basket = uuid4()
    exam = hold_exam(patient, basket=basket)
    [invoice] = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    payment = scan(invoice)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=LATE)
    line = invoice.lines.get()
    assert (line.status, line.exam.status, line.exam.during) == ("confirmed", "booked", exam.during)
    sound()


def test_an_exam_planned_anew_while_its_code_stood_stays_where_it_was_planned(schedule, patient, wechat):
    """The doctor told the patient of the new time; the late money for the old one goes back."""
    basket = uuid4()
    exam = hold_exam(patient, basket=basket)
    [invoice] = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    payment = scan(invoice)
    holds.lapse(now=LATE)
    again = {"device": exam.device, "channel": "consult", "by": None, "basket": basket, "now": LATE}
    chosen = exam_booking.hold_one(request=exam.request, start=exam.during.lower + timedelta(minutes=30), **again)
    outcome = paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=LATE)

    chosen.refresh_from_db(), exam.refresh_from_db()
    assert (chosen.status, exam.status, len(outcome.delivered.returned)) == ("pending", "cancelled", 1)
    assert Refund.objects.get().amount == payment.amount
    sound()


def test_a_callback_for_a_number_that_was_cancelled_gives_the_money_back(schedule, patient, wechat):
    row = hold(schedule, patient)
    payment = scan(invoice_of(row))
    changes.drop(appointment=row, by=None, now=NOW)
    facts()
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    assert Refund.objects.get().amount == payment.amount
    sound()


def test_cancelling_in_time_refunds_to_origin(schedule, patient, wechat):
    """M6: by the fact, once."""
    row = hold(schedule, patient)
    payment = scan(invoice_of(row))
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    changes.cancel(appointment=row, by=None, channel="web", now=SOON)
    facts(), facts()
    jobs.catch_up(now=SOON)
    refund = Refund.objects.get()
    assert (refund.status, refund.amount, refund.reason) == ("done", Decimal("20.00"), "cancelled")
    assert balance("income_visit") == balance("deposits") == balance("wechat") == 0
    sound()


def test_a_line_given_back_while_it_is_being_confirmed_takes_the_confirmation_with_it(
    schedule, patient, wechat, monkeypatch
):
    """No number stands unpaid because two were at it."""
    row = hold(schedule, patient)
    invoice = invoice_of(row)
    payment = scan(invoice)
    real = delivering.changes.confirm

    def confirm(**asked):
        found = real(**asked)
        refunding.return_line(line=invoice.lines.get().pk, reason="staff", by=None, now=SOON)
        return found

    monkeypatch.setattr(delivering.changes, "confirm", confirm)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    row.refresh_from_db()
    invoice.refresh_from_db()
    assert (row.status, invoice.status, Refund.objects.count()) == ("pending", "refunded", 1)
    sound()


def test_a_line_that_ran_out_leaves_when_nobody_pays_for_it_any_more(schedule, patient, wechat):
    row = hold(schedule, patient)
    invoice = invoice_of(row)
    scan(invoice)
    supply.lapse_holds(now=LATE)
    facts(LATE)
    assert invoice.lines.get().status == "open"
    jobs.catch_up(now=LATE)
    invoice.refresh_from_db()
    assert (invoice.lines.get().status, invoice.status) == ("withdrawn", "void")


def test_what_a_gateway_refuses_to_give_back_is_owed_and_paid_out_at_the_window(schedule, patient, wechat):
    row = hold(schedule, patient)
    payment = scan(invoice_of(row))
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    wechat.refuses = {"refund"}
    changes.cancel(appointment=row, by=None, channel="web", now=SOON)
    facts()
    jobs.catch_up(now=SOON)
    refund = Refund.objects.get()
    assert (refund.status, refund.refusal, MoneyCase.objects.get().kind) == ("refused", "NOTENOUGH", "refused")
    assert balance("refunds_due", refund=refund) == Decimal("-20.00")
    shift = ShiftFactory()
    refunding.pay_out(refund=refund, means="cash", by=shift.cashier, shift=shift, now=SOON)
    assert balance("cash") == Decimal("-20.00")
    sound()
