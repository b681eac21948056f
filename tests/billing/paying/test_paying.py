"""M1, M2, M8: a basket is paid and confirmed; nothing twice."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from appointments.models import Appointment
from appointments.services import booking, changes
from billing.errors import MustPay, NothingToPay, NotRefundable, RefundSettled, ShiftNotOpen
from billing.models import ChargeItem, GatewayMessage, Invoice, MoneyCase, Refund
from billing.policies.paying import Said
from billing.selectors import sums
from billing.selectors.ledger import balance
from billing.services import invoicing, jobs, paying, refunding
from exams.services import booking as exam_booking
from tests.factories import NOW, TODAY, OrganizationFactory, PatientFactory, StaffFactory, open_schedule
from tests.factories.billing import ShiftFactory, pays_first

from .scenes import SOON, facts, hold, hold_exam, invoice_of, killed, scan, sound

pytestmark = pytest.mark.django_db
Verdict = GatewayMessage.Verdict


def test_paying_asks_the_database_a_bounded_number_of_times(schedule, patient, wechat, django_assert_max_num_queries):
    """Each of them is waited for by somebody with a phone in their hand, and the first ones hold the invoice."""
    row = hold(schedule, patient)
    with django_assert_max_num_queries(12):
        invoice = invoice_of(row)
    with django_assert_max_num_queries(10):
        payment = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW)
    with django_assert_max_num_queries(41):
        paying.succeed(order=payment.order, said=Said(payment.amount, "4200"), now=SOON)


def test_a_basket_of_a_number_and_an_exam_is_one_invoice_paid_by_one_scan(schedule, patient, wechat):
    """M1, M2: in the consult room, both are confirmed when the phone has paid."""
    basket = uuid4()
    row, exam = hold(schedule, patient, basket=basket, channel="consult"), hold_exam(patient, basket=basket)
    [invoice] = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    assert [again.pk for again in invoicing.open_for_basket(basket=basket, by=None, now=NOW)] == [invoice.pk]
    assert (invoice.total, invoice.cash_paid, invoice.lines.count()) == (Decimal("200.00"), Decimal("200.00"), 2)

    with pytest.raises(MustPay):
        changes.confirm(appointment=row, by=None, now=NOW)
    with pytest.raises(MustPay):
        exam_booking.confirm(basket=basket, by=None, now=NOW)
    payment = scan(invoice)
    said = wechat.pay(payment.order)
    outcome = paying.succeed(order=payment.order, said=said, now=SOON)
    again = paying.succeed(order=payment.order, said=said, now=SOON)

    assert (outcome.verdict, len(outcome.delivered.confirmed), again.verdict) == (Verdict.TAKEN, 2, Verdict.AGAIN)
    row.refresh_from_db(), exam.refresh_from_db(), invoice.refresh_from_db()
    assert (row.status, exam.status, invoice.status) == ("booked", "booked", "paid")
    assert balance("wechat", invoice=invoice) == Decimal("200.00")
    assert balance("income_exam", invoice=invoice) == Decimal("-180.00")
    assert balance("deposits", invoice=invoice) == 0
    assert Refund.objects.count() == 0
    sound()


def test_a_basket_for_two_of_a_family_is_a_bill_for_each(schedule, patient):
    basket, child = uuid4(), PatientFactory()
    hold(schedule, patient, basket=basket), hold(schedule, child, basket=basket, number=2)
    invoices = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    assert {(one.patient_id, one.lines.get().appointment.patient_id) for one in invoices} == {
        (patient.pk, patient.pk), (child.pk, child.pk)
    }  # fmt: skip


def test_what_was_booked_before_the_house_took_money_is_not_asked_for(patient):
    hold(open_schedule(), patient, channel="counter")
    pays_first(since=TODAY + timedelta(days=1))
    about = {"patient": patient, "organization": OrganizationFactory(), "by": None, "now": SOON}
    assert invoicing.open_for_patient(**about) == []


def test_without_a_rule_nothing_is_paid_first(patient):
    """A free clinic confirms as ever."""
    row = hold(open_schedule(), patient)
    assert changes.confirm(appointment=row, by=None, now=NOW).status == "booked"


def test_a_prepaid_channel_holds_what_others_would_book_at_once(schedule, patient):
    row = booking.book(
        schedule=schedule, patient=patient, channel="web", by=None, request_key=None, confirmed=True, now=NOW
    )
    assert row.status == "pending"


def test_who_scans_twice_gets_one_payment_back(schedule, patient, wechat):
    """M8: two codes for one invoice, both paid."""
    invoice = invoice_of(hold(schedule, patient))
    first, second = scan(invoice), scan(invoice)
    for payment in (second, first):
        paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)

    [refund] = Refund.objects.all()
    assert (refund.payment, refund.amount, refund.reason, refund.line) == (first, Decimal("20.00"), "surplus", None)
    jobs.catch_up(now=SOON)
    refund.refresh_from_db()
    assert (refund.status, len(wechat.refunds)) == ("done", 1)
    assert balance("refunds_due", refund=refund) == 0
    sound()


def test_a_crash_between_the_money_and_the_confirmation_is_made_good(schedule, patient, wechat, monkeypatch):
    row = hold(schedule, patient)
    payment = scan(invoice_of(row))
    said = wechat.pay(payment.order)
    with monkeypatch.context() as patch:
        patch.setattr(paying.delivering, "deliver", killed)
        with pytest.raises(KeyboardInterrupt):
            paying.succeed(order=payment.order, said=said, now=SOON)
    assert ChargeItem.objects.get().status == "paid"
    jobs.catch_up(now=SOON)
    row.refresh_from_db()
    assert row.status == "booked"
    sound()


def test_mixed_means_at_the_window_and_back_in_order(schedule, patient, wechat):
    """M2, M6: cash and a phone together; given back, the phone's part first goes to the phone."""
    row, shift = hold(schedule, patient, channel="counter"), ShiftFactory()
    invoice, cashier = invoice_of(row), shift.cashier
    with pytest.raises(ShiftNotOpen):
        paying.take(invoice=invoice, means="cash", way="window", by=cashier, amount=Decimal("12.50"), now=NOW)
    paying.take(invoice=invoice, means="cash", way="window", by=cashier, amount=Decimal("12.50"), shift=shift, now=NOW)
    assert sums.of(Invoice.objects.get(pk=invoice.pk)).owed == Decimal("7.50")
    with pytest.raises(ShiftNotOpen):
        paying.begin(invoice=invoice, means="wechat", way="window", by=cashier, now=NOW)
    rest = paying.begin(invoice=invoice, means="wechat", way="window", by=cashier, shift=shift, now=NOW)
    paying.succeed(order=rest.order, said=wechat.pay(rest.order), now=SOON)
    row.refresh_from_db()
    assert row.status == "booked"
    with pytest.raises(NothingToPay):
        scan(invoice)
    with pytest.raises(NotRefundable):
        refunding.by_staff(line=invoice.lines.get(), by=cashier, now=SOON)

    changes.cancel(appointment=row, by=cashier, channel="counter", now=SOON)
    facts()
    jobs.catch_up(now=SOON)
    assert [(one.means, one.amount, one.status) for one in Refund.objects.order_by("pk")] == [
        ("wechat", Decimal("7.50"), "done"), ("cash", Decimal("12.50"), "asked")
    ]  # fmt: skip
    assert MoneyCase.objects.get(settled_at=None).kind == "cash_back"
    cash = Refund.objects.get(means="cash")
    refunding.pay_out(refund=cash, means="cash", by=cashier, shift=shift, now=SOON)
    with pytest.raises(RefundSettled):
        refunding.pay_out(refund=cash, means="cash", by=cashier, shift=shift, now=SOON)
    assert not MoneyCase.objects.filter(settled_at=None).exists()
    assert balance("cash", shift=shift) == 0
    sound()


def test_an_invoice_of_nothing_is_confirmed_by_saying_yes(schedule, patient):
    row = hold(schedule, patient)
    Appointment.objects.filter(pk=row.pk).update(fee=0)
    row.refresh_from_db()
    invoice = invoice_of(row)
    assert invoice.status == "open"
    done = paying.settle_free(invoice=invoice, by=None, now=NOW)
    row.refresh_from_db()
    assert (row.status, len(done.confirmed)) == ("booked", 1)
    sound()


def test_what_is_left_of_a_bill_and_costs_nothing_waits_for_a_yes(schedule, patient):
    basket = uuid4()
    free = hold(open_schedule(day=TODAY + timedelta(days=9)), patient, basket=basket)
    Appointment.objects.filter(pk=free.pk).update(fee=0)
    other = hold(schedule, patient, basket=basket)
    invoice = invoice_of(free)
    changes.drop(appointment=other, by=None, now=SOON)
    facts()
    invoice.refresh_from_db(), free.refresh_from_db()
    assert (invoice.total, invoice.status, free.status) == (0, "open", "pending")


def test_what_costs_something_is_not_confirmed_by_saying_yes(schedule, patient):
    """Whoever posts to the free button of a bill that is not: nothing stands unpaid."""
    row = hold(schedule, patient)
    invoice = invoice_of(row)
    with pytest.raises(NothingToPay):
        paying.settle_free(invoice=invoice, by=None, now=NOW)
    row.refresh_from_db(), invoice.refresh_from_db()
    assert (row.status, invoice.status) == ("pending", "open")


def test_a_repeated_request_is_one_payment(schedule, patient, wechat):
    invoice = invoice_of(hold(schedule, patient))
    assert scan(invoice, request_key="k1").pk == scan(invoice, request_key="k1").pk
    assert len(wechat.orders) == 1


def test_facts_of_money_name_nobody(schedule, patient, wechat):
    from hospital.models import Fact

    payment = scan(invoice_of(hold(schedule, patient)))
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), by=StaffFactory(), now=SOON)
    said = str(list(Fact.objects.filter(key__startswith="invoice:").values_list("payload", flat=True)))
    assert patient.name not in said
    assert "payment" in said
