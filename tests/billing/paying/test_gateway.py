"""M1: what the gateway says, or does not say, of an order."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from billing.errors import GatewayAway, GatewayRefused
from billing.gateways import ports
from billing.models import GatewayMessage, MoneyCase, Payment, Refund
from billing.policies.paying import Said
from billing.selectors.ledger import balance
from billing.services import asking, hearing, jobs, paying, refunding
from tests.factories import NOW, TODAY, OrganizationFactory, PatientFactory, open_schedule

from .scenes import LATE, SOON, hold, invoice_of, killed, notice, scan, sound

pytestmark = pytest.mark.django_db
Verdict = GatewayMessage.Verdict


@pytest.mark.parametrize(
    ("said", "verdict", "kind"),
    [
        (Said(Decimal("19.99"), "T1"), Verdict.AMOUNT, "amount"),
        (Said(Decimal("20.01"), "T1"), Verdict.AMOUNT, "amount"),
        (Said(Decimal("20.00"), "T1", currency="USD"), Verdict.CURRENCY, "currency"),
    ],
)
def test_what_does_not_fit_changes_nothing_and_is_kept_for_the_office(schedule, patient, wechat, said, verdict, kind):
    payment = scan(invoice_of(hold(schedule, patient)))
    outcome = paying.succeed(order=payment.order, said=said, now=SOON)
    paying.succeed(order=payment.order, said=said, now=SOON)
    payment.refresh_from_db()
    assert (outcome.verdict, payment.status, MoneyCase.objects.get().kind) == (verdict, "pending", kind)
    assert balance("unowned") == (-said.amount if kind == "amount" else 0)


@pytest.mark.parametrize(("amount", "house", "verdict"), [("5.00", "H1", "amount"), ("20.00", "H2", "unknown")])
def test_a_refund_of_another_amount_or_told_by_another_house_is_not_taken_for_done(
    schedule, patient, wechat, amount, house, verdict
):
    """M6: it is owed to the patient, and the office finds out."""
    invoice = invoice_of(hold(schedule, patient))
    payment = scan(invoice)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=SOON)
    refunding.return_line(line=invoice.lines.get().pk, reason="staff", by=None, now=SOON)
    refund = Refund.objects.get()
    news = ports.News(refund.order, ports.State.DONE, Decimal(amount), "RT1")
    heard = hearing.hear(
        gateway="wechat", organization=OrganizationFactory(code=house).pk, digest="d" * 64, now=SOON,
        notice=ports.Notice("m9", "refund", news),
    )  # fmt: skip
    refund.refresh_from_db()
    assert (heard.verdict, refund.status, MoneyCase.objects.get().kind) == (verdict, "asked", verdict)
    assert balance("refunds_due", refund=refund) == Decimal("-20.00")


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


def test_a_gateway_that_refuses_an_order_says_so_and_another_way_is_open(schedule, patient, wechat):
    invoice = invoice_of(hold(schedule, patient))
    wechat.refuses = {"create"}
    with pytest.raises(GatewayRefused):
        scan(invoice)
    assert Payment.objects.get().status == "failed"
    wechat.refuses = set()
    again = scan(invoice)
    assert (again.status, again.amount) == ("pending", invoice.total)


def test_an_order_nobody_paid_is_closed_at_the_gateway_first(schedule, patient, wechat):
    payment = scan(invoice_of(hold(schedule, patient)))
    jobs.catch_up(now=LATE)
    payment.refresh_from_db()
    assert (payment.status, wechat.orders[payment.order]["state"]) == ("closed", "closed")


def test_a_code_for_another_sum_is_closed_before_the_new_one_is_shown(schedule, patient, wechat):
    basket, by_phone = uuid4(), {"means": "wechat", "way": "phone", "by": None}
    invoice = invoice_of(hold(schedule, patient, basket=basket))
    first = asking.start(invoice=invoice, **by_phone, request_key="1", now=NOW)
    invoice = invoice_of(hold(open_schedule(day=TODAY + timedelta(days=9)), patient, basket=basket))
    second = asking.start(invoice=invoice, **by_phone, request_key="2", now=SOON)
    first.refresh_from_db()
    assert (second.invoice, first.status, second.amount - first.amount) == (first.invoice, "closed", Decimal("20.00"))


def test_an_order_that_is_paid_at_the_moment_of_closing_is_taken(schedule, patient, wechat):
    """Nobody had paid when it was asked about, and then the gateway refuses to close it."""
    payment, close = scan(invoice_of(hold(schedule, patient))), wechat.close

    def just_paid(order):
        wechat.pay(order)
        close(order)

    wechat.close = just_paid
    jobs.catch_up(now=LATE)
    payment.refresh_from_db()
    assert payment.status == "succeeded"


def test_one_answer_that_makes_no_sense_holds_up_no_other_payment(schedule, wechat):
    one, other = (scan(invoice_of(hold(schedule, PatientFactory(), number=n))) for n in (1, 2))
    wechat.pay(other.order)
    wechat.orders[one.order] = {}
    jobs.catch_up(now=SOON)
    one.refresh_from_db(), other.refresh_from_db()
    assert (one.status, other.status) == ("pending", "succeeded")


def test_the_other_codes_of_a_paid_invoice_are_closed_at_once(schedule, patient, wechat):
    invoice = invoice_of(hold(schedule, patient))
    first, second = scan(invoice), scan(invoice)
    paying.succeed(order=first.order, said=wechat.pay(first.order), now=SOON)
    jobs.catch_up(now=SOON)
    assert wechat.orders[second.order]["state"] == "closed"


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
        patch.setattr(paying, "succeed", killed)
        with pytest.raises(KeyboardInterrupt):
            hearing.hear(**told, now=NOW)
    jobs.catch_up(now=NOW)
    assert (GatewayMessage.objects.get().verdict, Payment.objects.get().status) == (Verdict.TAKEN, "succeeded")
