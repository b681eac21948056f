"""M1, M2, M6, M8: a basket is paid and confirmed; what can't be had goes back; nothing twice."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from appointments import invariants
from appointments.models import Appointment
from appointments.services import booking, changes, supply
from billing.errors import GatewayAway, MustPay, NothingToPay, NotRefundable, RefundSettled, ShiftNotOpen
from billing.gateways import ports
from billing.models import ChargeItem, GatewayMessage, Invoice, MoneyCase, Payment, Refund
from billing.policies.paying import Said
from billing.selectors import sums
from billing.selectors.ledger import balance, trial_balance
from billing.services import delivering, hearing, invoicing, jobs, paying, refunding
from exams.services import booking as exam_booking
from hospital import outbox
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    exam_variant,
    open_device,
    open_schedule,
)
from tests.factories.billing import ShiftFactory, pays_first

pytestmark = pytest.mark.django_db
Verdict = GatewayMessage.Verdict
SOON = NOW + timedelta(minutes=1)
LATE = NOW + timedelta(minutes=30)


@pytest.fixture
def patient():
    return PatientFactory()


@pytest.fixture
def schedule():
    pays_first()
    return open_schedule()


def hold(schedule, patient, *, basket=None, number=1, channel="web"):
    return booking.book(
        schedule=schedule, patient=patient, channel=channel, by=None, request_key=None, number=number,
        basket=basket or uuid4(), now=NOW,
    )  # fmt: skip


def hold_exam(patient, *, basket):
    variant = exam_variant()
    request = ExamRequestFactory(patient=patient, variant=variant)
    device = open_device(variant, days=(2,))
    start = device.sessions.get().during.lower
    return exam_booking.hold_one(
        request=request, device=device, start=start, channel="consult", by=None, basket=basket, now=NOW
    )


def invoice_of(row) -> Invoice:
    return invoicing.open_for_booking(booking=row, by=None, now=NOW)


def test_paying_asks_the_database_a_bounded_number_of_times(schedule, patient, wechat, django_assert_max_num_queries):
    """Each of them is waited for by somebody with a phone in their hand, and the first ones hold the invoice."""
    row = hold(schedule, patient)
    with django_assert_max_num_queries(12):
        invoice = invoice_of(row)
    with django_assert_max_num_queries(10):
        payment = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW)
    with django_assert_max_num_queries(41):
        paying.succeed(order=payment.order, said=Said(payment.amount, "4200"), now=SOON)


def scan(invoice, *, now=NOW, **more) -> Payment:
    return paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=now, **more)


def facts(now=SOON):
    outbox.fan_out(now=now)
    while outbox.deliver(now=now):
        pass


def sound():
    assert invariants.violations(now=NOW) == []
    rows = trial_balance(organization_id=OrganizationFactory().pk, first=TODAY)
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows)


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


@pytest.mark.parametrize(
    ("said", "verdict", "kind"),
    [
        (Said(Decimal("19.99"), "T1"), Verdict.AMOUNT, "amount"),
        (Said(Decimal("20.00"), "T1", currency="USD"), Verdict.CURRENCY, "currency"),
    ],
)
def test_what_does_not_fit_changes_nothing_and_is_kept_for_the_office(schedule, patient, wechat, said, verdict, kind):
    payment = scan(invoice_of(hold(schedule, patient)))
    outcome = paying.succeed(order=payment.order, said=said, now=SOON)
    paying.succeed(order=payment.order, said=said, now=SOON)
    payment.refresh_from_db()
    assert (outcome.verdict, payment.status, MoneyCase.objects.get().kind) == (verdict, "pending", kind)
    assert balance("unowned") == (Decimal("-19.99") if kind == "amount" else 0)


def test_a_number_of_the_gateway_pays_one_order_only(schedule, patient, wechat):
    one, other = (scan(invoice_of(hold(schedule, PatientFactory(), number=n))) for n in (1, 2))
    said = wechat.pay(one.order)
    paying.succeed(order=one.order, said=said, now=SOON)
    assert paying.succeed(order=other.order, said=said, now=SOON).verdict == Verdict.UNKNOWN
    assert (MoneyCase.objects.get().payment, Payment.objects.get(pk=other.pk).status) == (other, "pending")


def test_an_unknown_order_is_kept_for_the_office(db):
    outcome = paying.succeed(order="P404", said=Said(Decimal("1.00"), "T1"), now=NOW)
    assert (outcome.verdict, MoneyCase.objects.get().kind) == (Verdict.UNKNOWN, "unknown")


def test_a_gateway_that_is_away_says_so_and_is_asked_again(schedule, patient, wechat):
    """The order arrived, its answer and the callback were lost: found by the query job."""
    invoice = invoice_of(hold(schedule, patient))
    wechat.away = ["after"]
    with pytest.raises(GatewayAway):
        scan(invoice)
    payment = Payment.objects.get()
    wechat.pay(payment.order)
    wechat.away = ["before"]
    jobs.catch_up(now=SOON)
    assert Payment.objects.get().status == "pending"
    jobs.catch_up(now=SOON + timedelta(minutes=2))
    invoice.refresh_from_db()
    assert (invoice.status, Payment.objects.get().status) == ("paid", "succeeded")


def test_an_order_nobody_paid_is_closed_at_the_gateway_first(schedule, patient, wechat):
    payment = scan(invoice_of(hold(schedule, patient)))
    jobs.catch_up(now=LATE)
    payment.refresh_from_db()
    assert (payment.status, wechat.orders[payment.order]["state"]) == ("closed", "closed")


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


def test_the_other_codes_of_a_paid_invoice_are_closed_at_once(schedule, patient, wechat):
    invoice = invoice_of(hold(schedule, patient))
    first, second = scan(invoice), scan(invoice)
    paying.succeed(order=first.order, said=wechat.pay(first.order), now=SOON)
    jobs.catch_up(now=SOON)
    assert wechat.orders[second.order]["state"] == "closed"


def test_a_crash_between_the_money_and_the_confirmation_is_made_good(schedule, patient, wechat, monkeypatch):
    row = hold(schedule, patient)
    payment = scan(invoice_of(row))
    said = wechat.pay(payment.order)
    with monkeypatch.context() as patch:
        patch.setattr(paying.delivering, "deliver", _killed)
        with pytest.raises(KeyboardInterrupt):
            paying.succeed(order=payment.order, said=said, now=SOON)
    assert ChargeItem.objects.get().status == "paid"
    jobs.catch_up(now=SOON)
    row.refresh_from_db()
    assert row.status == "booked"
    sound()


def _killed(**_kwargs):
    raise KeyboardInterrupt


def test_mixed_means_at_the_window_and_back_in_order(schedule, patient, wechat):
    """M2, M6: cash and a phone together; given back, the phone's part first goes to the phone."""
    row, shift = hold(schedule, patient, channel="counter"), ShiftFactory()
    invoice, cashier = invoice_of(row), shift.cashier
    with pytest.raises(ShiftNotOpen):
        paying.take(invoice=invoice, means="cash", way="window", by=cashier, amount=Decimal("12.50"), now=NOW)
    paying.take(invoice=invoice, means="cash", way="window", by=cashier, amount=Decimal("12.50"), shift=shift, now=NOW)
    assert sums.of(Invoice.objects.get(pk=invoice.pk)).owed == Decimal("7.50")
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


def test_a_repeated_request_is_one_payment(schedule, patient, wechat):
    invoice = invoice_of(hold(schedule, patient))
    assert scan(invoice, request_key="k1").pk == scan(invoice, request_key="k1").pk
    assert len(wechat.orders) == 1


def notice(payment, said, *, message="m1", kind="payment"):
    news = ports.News(payment.order, ports.State.DONE, said.amount, said.reference)
    house = payment.organization_id
    return {"gateway": "wechat", "organization": house, "notice": ports.Notice(message, kind, news), "digest": "d" * 64}


def test_a_callback_is_kept_once_and_acted_on_once(schedule, patient, wechat):
    """M8: also when the worker died before it was acted on."""
    payment = scan(invoice_of(hold(schedule, patient)))
    told = notice(payment, wechat.pay(payment.order))
    assert hearing.hear(**told, now=SOON).verdict == Verdict.TAKEN
    again = hearing.hear(**told, now=SOON)
    assert (again.verdict, again.times, Payment.objects.get().status) == (Verdict.TAKEN, 2, "succeeded")
    other = hearing.hear(**notice(payment, Said(payment.amount, "T9"), message="m2"), now=SOON)
    unknown = hearing.hear(**notice(payment, Said(payment.amount, "T9"), message="m3", kind="refund"), now=SOON)
    assert (other.verdict, unknown.verdict) == (Verdict.AGAIN, Verdict.UNKNOWN)
    hearing.forged(gateway="wechat", organization=payment.organization_id, digest="f" * 64, now=SOON)
    hearing.forged(gateway="wechat", organization=payment.organization_id, digest="f" * 64, now=SOON)
    assert GatewayMessage.objects.get(verdict="forged").times == 2
    sound()


def test_a_callback_that_a_dead_worker_left_is_acted_on_by_the_job(schedule, patient, wechat, monkeypatch):
    payment = scan(invoice_of(hold(schedule, patient)))
    told = notice(payment, wechat.pay(payment.order))
    with monkeypatch.context() as patch:
        patch.setattr(paying, "succeed", _killed)
        with pytest.raises(KeyboardInterrupt):
            hearing.hear(**told, now=NOW)
    jobs.catch_up(now=NOW)
    assert (GatewayMessage.objects.get().verdict, Payment.objects.get().status) == (Verdict.TAKEN, "succeeded")


def test_facts_of_money_name_nobody(schedule, patient, wechat):
    from hospital.models import Fact

    payment = scan(invoice_of(hold(schedule, patient)))
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), by=StaffFactory(), now=SOON)
    said = str(list(Fact.objects.filter(key__startswith="invoice:").values_list("payload", flat=True)))
    assert patient.name not in said
    assert "payment" in said
