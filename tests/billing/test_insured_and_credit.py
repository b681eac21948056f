"""M4, M5, M6: the insurance's part is reversed before money moves; on credit nothing is paid in between."""

from datetime import timedelta
from decimal import Decimal as Yuan
from uuid import uuid4

import pytest

from appointments import invariants
from appointments.services import booking, changes, supply
from billing.errors import CreditUsedUp, NoCredit, NothingToPay
from billing.models import InsuranceStep, Refund
from billing.policies.splitting import Split
from billing.selectors.ledger import balance
from billing.services import crediting, insuring, invoicing, jobs, paying, refunding
from hospital import outbox
from hospital.models import PriceItem
from tests.factories import NOW, TODAY, OrganizationFactory, PatientFactory, ServiceFactory, open_schedule
from tests.factories.billing import credit_for, pays_first

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def patient(db):
    pays_first()
    return PatientFactory(insurance="employee")


def hold(schedule, patient, *, basket=None, number=1):
    return booking.book(
        schedule=schedule, patient=patient, channel="web", by=None, request_key=None, number=number,
        basket=basket or uuid4(), now=NOW,
    )  # fmt: skip


def two_lines(patient):
    basket = uuid4()
    days = (TODAY + timedelta(days=20), TODAY + timedelta(days=28))
    rows = [hold(open_schedule(day=day), patient, basket=basket) for day in days]
    [invoice] = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    return rows, invoice


def settle(invoice, fund, account, cash, *, number="S1"):
    row = insuring.start(invoice=invoice, by=None, now=NOW)
    split = Split(Yuan(fund), Yuan(account), Yuan(cash))
    insuring.presettled(settlement=row, split=split, now=NOW)
    insuring.settled(settlement=row, split=split, number=number, by=None, now=NOW)
    invoice.refresh_from_db()
    return row


def pay(invoice, gateway):
    payment = paying.begin(invoice=invoice, means=gateway.code, way="phone", by=None, now=NOW)
    paying.succeed(order=payment.order, said=gateway.pay(payment.order), now=SOON)
    invoice.refresh_from_db()
    return payment


def facts():
    outbox.fan_out(now=SOON)
    while outbox.deliver(now=SOON):
        pass


def sound():
    assert invariants.violations(now=NOW) == []


def test_the_person_pays_only_the_cash_part(patient, wechat):
    """M5."""
    rows, invoice = two_lines(patient)
    settle(invoice, "24.00", "10.00", "6.00")
    payment = pay(invoice, wechat)
    assert (payment.amount, invoice.status) == (Yuan("6.00"), "paid")
    assert {name: balance(name, invoice=invoice) for name in ("fund_due", "account_due", "wechat", "deposits")} == {
        "fund_due": 24, "account_due": 10, "wechat": 6, "deposits": 0
    }  # fmt: skip
    for row in rows:
        row.refresh_from_db()
        assert row.status == "booked"
    with pytest.raises(NothingToPay):
        insuring.start(invoice=invoice, by=None, now=NOW)
    sound()


def test_what_the_insurance_bears_whole_needs_no_payment(patient):
    _rows, invoice = two_lines(patient)
    settle(invoice, "30.00", "10.00", "0.00")
    assert invoice.status == "paid"
    assert len(paying.settle_free(invoice=invoice, by=None, now=NOW).confirmed) == 2
    sound()


def test_a_line_goes_back_after_the_reversal_and_the_rest_is_settled_anew(patient, wechat):
    """M6: the insurance's part first; the money that is too much then goes back to the phone."""
    rows, invoice = two_lines(patient)
    first = settle(invoice, "24.00", "10.00", "6.00")
    pay(invoice, wechat)
    changes.cancel(appointment=rows[0], by=None, channel="web", now=SOON)
    facts()
    step = InsuranceStep.objects.get()
    line = invoice.lines.get(appointment=rows[0])
    assert (step.step, line.status, Refund.objects.count()) == ("2208", "returning", 0)
    assert [each.pk for each in insuring.to_ask(now=SOON)] == [step.pk]
    sound()

    assert insuring.answered(step=step, outcome="done", now=SOON)
    assert not insuring.answered(step=step, outcome="refused", now=SOON)
    insuring.reversed_(settlement=first, by=None, now=SOON)
    insuring.reversed_(settlement=first, by=None, now=SOON)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.total, invoice.cash_paid, Refund.objects.count()) == ("owed", 20, 20, 0)
    assert (balance("deposits", invoice=invoice), balance("patient_due", invoice=invoice)) == (0, 14)
    sound()
    settle(invoice, "12.00", "5.00", "3.00", number="S2")
    assert (invoice.status, Refund.objects.get().amount) == ("paid", Yuan("3.00"))
    jobs.catch_up(now=SOON)
    assert balance("wechat", invoice=invoice) == Yuan("3.00")
    assert balance("fund_due", invoice=invoice) == 12
    assert balance("patient_due", invoice=invoice) == 0
    sound()


def test_all_of_an_insured_invoice_goes_back(patient, wechat):
    rows, invoice = two_lines(patient)
    first = settle(invoice, "24.00", "10.00", "6.00")
    pay(invoice, wechat)
    for row in rows:
        changes.cancel(appointment=row, by=None, channel="web", now=SOON)
    facts()
    assert InsuranceStep.objects.count() == 1
    insuring.reversed_(settlement=first, by=None, now=SOON)
    invoice.refresh_from_db()
    assert (invoice.status, sum(row.amount for row in Refund.objects.all())) == ("refunded", 6)
    assert balance("fund_due") == balance("account_due") == balance("deposits") == 0
    sound()


def test_what_comes_or_runs_out_after_the_insurance_has_settled_is_settled_anew(patient):
    rows, invoice = two_lines(patient)
    first = settle(invoice, "24.00", "10.00", "6.00")
    hold(open_schedule(day=TODAY + timedelta(days=12)), patient, basket=rows[0].basket)
    invoicing.open_for_basket(basket=rows[0].basket, by=None, now=NOW)
    invoice.refresh_from_db()
    assert (invoice.total, invoice.fund_paid, InsuranceStep.objects.get().step) == (60, 24, "2208")
    insuring.reversed_(settlement=first, by=None, now=NOW)
    settle(invoice, "36.00", "15.00", "9.00", number="S2")
    assert (invoice.status, invoice.cash_paid) == ("open", 9)

    late = NOW + timedelta(hours=1)
    supply.lapse_holds(now=late)
    invoicing.open_for_patient(patient=patient, organization=OrganizationFactory(), by=None, now=late)
    facts()
    assert set(invoice.lines.values_list("status", flat=True)) == {"returning"}
    insuring.reversed_(settlement=invoice.settlements.get(number="S2"), by=None, now=late)
    invoice.refresh_from_db()
    assert (invoice.status, Refund.objects.count(), balance("deposits"), balance("fund_due")) == ("refunded", 0, 0, 0)
    sound()


def test_a_reversal_that_the_insurance_refuses_is_kept_for_the_office(patient, wechat):
    rows, invoice = two_lines(patient)
    row = settle(invoice, "24.00", "10.00", "6.00")
    pay(invoice, wechat)
    refunding.of_booking(kind="appointment", booking=rows[0].pk, reason="staff", by=None, now=SOON)
    insuring.failed(settlement=row, reversal=True, now=SOON)
    row.refresh_from_db()
    assert (row.status, invoice.cases.get().kind) == ("settled", "unsettled")


def test_on_credit_everything_is_confirmed_and_paid_once_at_the_end(patient, wechat):
    """M4."""
    rows, invoice = two_lines(patient)
    with pytest.raises(NoCredit):
        crediting.put_on_credit(invoice=invoice, by=None, now=NOW)
    credit_for(patient, limit="50.00")
    done = crediting.put_on_credit(invoice=invoice, by=None, now=NOW)
    crediting.put_on_credit(invoice=invoice, by=None, now=NOW)
    invoice.refresh_from_db()
    assert (len(done.confirmed), invoice.status, balance("patient_due", invoice=invoice)) == (2, "owed", 40)
    sound()
    third = hold(open_schedule(day=TODAY + timedelta(days=15)), patient)
    with pytest.raises(CreditUsedUp):
        crediting.put_on_credit(invoice=invoicing.open_for_booking(booking=third, by=None, now=NOW), by=None, now=NOW)

    changes.cancel(appointment=rows[0], by=None, channel="web", now=SOON)
    facts()
    invoice.refresh_from_db()
    assert (invoice.total, balance("patient_due", invoice=invoice)) == (20, 20)
    pay(invoice, wechat)
    assert (invoice.status, balance("patient_due", invoice=invoice), balance("income_visit", invoice=invoice)) == (
        "paid", 0, -20
    )  # fmt: skip
    sound()


@pytest.mark.parametrize(("dearer", "owed", "back"), [(True, "30.00", "0"), (False, "0", "15.00")])
def test_a_number_moved_to_another_price_owes_or_gets_back_the_difference(patient, wechat, dearer, owed, back):
    row = hold(open_schedule(), patient)
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    pay(invoice, wechat)
    PriceItem.objects.create(
        organization=OrganizationFactory(), code="X", name="主任号", amount=Yuan(50 if dearer else 5),
        effective_from=TODAY,
    )  # fmt: skip
    other = open_schedule(role__service=ServiceFactory(code="chief", price_code="X"), day=TODAY + timedelta(days=9))
    row.refresh_from_db()
    booking.reschedule(appointment=row, schedule=other, by=None, channel="web", request_key=None, now=SOON)
    facts(), jobs.catch_up(now=SOON)
    invoice.refresh_from_db()
    assert invoice.status == ("owed" if dearer else "paid")
    assert sum(one.amount for one in Refund.objects.all()) == Yuan(back)
    assert balance("wechat", invoice=invoice) == 20 - Yuan(back)
    sound()
    if dearer:
        assert pay(invoice, wechat).amount == Yuan(owed)
        assert invoice.lines.exclude(status="refunded").get().status == "confirmed"
        sound()


def test_a_settlement_of_lines_that_are_no_more_is_taken_back_at_once(patient):
    """The insurance was asked about two, and one was let go before its answer came."""
    rows, invoice = two_lines(patient)
    row = insuring.start(invoice=invoice, by=None, now=NOW)
    changes.drop(appointment=rows[1], by=None, now=NOW)
    facts()
    insuring.settled(settlement=row, split=Split(Yuan(28), Yuan(5), Yuan(7)), number="S1", by=None, now=SOON)
    row.refresh_from_db(), invoice.refresh_from_db()
    assert (invoice.total, row.status, invoice.status) == (20, "reversing", "open")
