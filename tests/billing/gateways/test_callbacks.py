"""M8: a callback books exactly once, however often, late or forged it comes; what it does not fit is kept."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from billing.models import GatewayMessage, Invoice, MoneyCase, Payment, Refund
from billing.selectors.ledger import balance
from billing.services import invoicing, paying
from billing.services import jobs as rounds
from billing.views import callbacks
from tests.factories import NOW, OrganizationFactory
from tests.factories.billing import held_number

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("means", ["wechat", "alipay"])
SOON = NOW + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _clock(payment_gateway):
    callbacks._kept.clear()
    payment_gateway.at(NOW)
    payment_gateway.behave(callbacks="held")
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def payment(means, payment_gateway):
    """Scanned and paid; the callback is held back."""
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    made = paying.begin(invoice=invoice, means=means, way="consult", by=None, now=NOW)
    payment_gateway("pay", order=made.order)
    return made


def tell(means, said, *, house="H1"):
    """As the gateway posts it: without a cookie, through all middleware."""
    kind = said["headers"].pop("Content-Type")
    return Client(enforce_csrf_checks=True).post(
        f"/callbacks/{means}/{house}/", said["body"], content_type=kind, headers=said["headers"]
    )


@BOTH
def test_a_callback_confirms_once_and_is_answered_as_the_gateway_expects(means, payment, payment_gateway):
    for times in (1, 2):
        answer = tell(means, payment_gateway("compose", order=payment.order))
        assert (answer.status_code, answer.content) == (
            200, b"success" if means == "alipay" else '{"code":"SUCCESS","message":"成功"}'.encode(),
        )  # fmt: skip
        message = GatewayMessage.objects.get()
        assert (message.verdict, message.times, Invoice.objects.get().status) == ("taken", times, "paid")
    assert Invoice.objects.get().lines.get().status == "confirmed"
    kept = str(message.body)
    for payer in ("openid", "oUpF8uM", "buyer", "5620", "2088101117955611"):
        assert payer not in kept


@BOTH
def test_a_refund_is_told_too_and_may_come_before_our_own_answer(means, payment, payment_gateway):
    """M6: out of order: the refund's notice overtakes the answer of the call that asked for it."""
    tell(means, payment_gateway("compose", order=payment.order))
    invoice = Invoice.objects.get()
    invoicing_line = invoice.lines.get()
    paying.refunding.return_line(line=invoicing_line.pk, reason="staff", by=None, now=NOW)
    payment_gateway.behave(down="after")
    rounds.catch_up(now=NOW)
    refund = Refund.objects.get()
    assert refund.status == "asked"
    for _twice in range(2):
        assert tell(means, payment_gateway("compose", order=payment.order, refund=refund.order)).status_code == 200
    refund.refresh_from_db()
    assert (refund.status, refund.reference != "", balance("refunds_due", refund=refund)) == ("done", True, 0)
    payment_gateway.behave(down="")
    rounds.catch_up(now=SOON)
    assert len(payment_gateway.refunds()) == 1


@BOTH
def test_forged_replayed_and_foreign_callbacks_are_refused_and_kept_without_what_they_say(
    means, payment, payment_gateway
):
    genuine = payment_gateway("compose", order=payment.order)

    def with_body(**more):
        return {**genuine, "headers": dict(genuine["headers"]), **more}

    changed = with_body(body=genuine["body"].replace("A", "B", 1))
    other = {"mchid": "1900000000"} if means == "wechat" else {"seller_id": "2088000000000000"}
    foreign = payment_gateway("compose", order=payment.order, change=other)
    with time_machine.travel(NOW + timedelta(hours=26), tick=False):
        answers = [tell(means, with_body())]
    answers += [tell(means, changed), tell(means, foreign), tell(means, with_body(body=""))]
    assert {answer.status_code for answer in answers} == {401 if means == "wechat" else 200}
    assert not any(b"uccess" in answer.content or b"SUCCESS" in answer.content for answer in answers)
    kept = GatewayMessage.objects.all()
    assert {(row.verdict, row.order, str(row.body)) for row in kept} == {("forged", "", "{}")}
    assert Payment.objects.get().status == "pending"

    tell(means, with_body())  # what was forged never stands in the way of what is genuine
    assert Payment.objects.get().status == "succeeded"


@BOTH
@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_gateway_whose_clock_is_five_minutes_off_is_believed(means, payment, payment_gateway, minutes):
    payment_gateway.at(NOW + timedelta(minutes=minutes))
    tell(means, payment_gateway("compose", order=payment.order))
    assert (Payment.objects.get().status, Payment.objects.get().succeeded_at) == ("succeeded", NOW)


def test_a_notice_of_wechat_that_is_older_than_that_is_not(payment_gateway):
    """The query finds what it would have said."""
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    payment = paying.begin(invoice=invoice, means="wechat", way="consult", by=None, now=NOW)
    payment_gateway("pay", order=payment.order)
    payment_gateway.at(NOW - timedelta(minutes=6))
    assert tell("wechat", payment_gateway("compose", order=payment.order)).status_code == 401
    payment_gateway.at(SOON)
    with time_machine.travel(SOON, tick=False):
        rounds.catch_up(now=SOON)
    assert Payment.objects.get().status == "succeeded"


@BOTH
def test_another_amount_or_currency_changes_nothing_and_the_gateway_hears_that_it_arrived(
    means, payment, payment_gateway
):
    amount = {"total": 1999, "currency": "CNY"}
    change = {"amount": amount} if means == "wechat" else {"total_amount": "19.99"}
    assert tell(means, payment_gateway("compose", order=payment.order, change=change)).status_code == 200
    assert (MoneyCase.objects.get().kind, Payment.objects.get().status) == ("amount", "pending")
    assert balance("unowned") == Decimal("-19.99")


def test_one_gateway_or_house_says_nothing_about_anothers_orders(payment_gateway):
    """M8: a merchant's key opens its own house's till only."""
    invoice = invoicing.open_for_booking(booking=held_number(), by=None, now=NOW)
    ours = paying.begin(invoice=invoice, means="wechat", way="consult", by=None, now=NOW)
    theirs = paying.begin(invoice=invoice, means="alipay", way="consult", by=None, now=NOW)
    payment_gateway("pay", order=theirs.order)
    house = OrganizationFactory(code="H2")
    tell("alipay", payment_gateway("compose", order=theirs.order), house="H2")
    change = {"out_trade_no": ours.order, "notify_id": "another"}
    tell("alipay", payment_gateway("compose", order=theirs.order, change=change))
    assert set(Payment.objects.values_list("status", flat=True)) == {"pending"}
    assert {(row.kind, row.organization) for row in MoneyCase.objects.all()} == {
        ("unknown", house), ("unknown", OrganizationFactory())
    }  # fmt: skip
    tell("alipay", payment_gateway("compose", order=theirs.order))  # to the right house it is news all the same
    assert Payment.objects.get(pk=theirs.pk).status == "succeeded"


def test_what_is_no_callback_is_turned_away(payment_gateway, db):
    held_number()
    post = Client(enforce_csrf_checks=True).post
    assert post("/callbacks/wechat/H404/").status_code == 404
    assert post("/callbacks/paypal/H1/").status_code == 404
    assert Client().get("/callbacks/wechat/H1/").status_code == 405
    assert post("/callbacks/wechat/H1/", b"x" * (2**20 + 1), content_type="application/json").status_code == 413
    for number in range(callbacks.FORGED_KEPT + 5):
        assert post("/callbacks/wechat/H1/", b"%d" % number, content_type="application/json").status_code == 401
    assert GatewayMessage.objects.count() == callbacks.FORGED_KEPT


@BOTH
def test_a_callback_costs_few_queries_and_the_payer_is_led_back(
    means, payment, payment_gateway, django_assert_max_num_queries
):
    said = payment_gateway("compose", order=payment.order)
    with django_assert_max_num_queries(75):
        tell(means, said)
    with django_assert_max_num_queries(4):
        tell(means, payment_gateway("compose", order=payment.order))
    answer = Client().get(f"/callbacks/back/{payment.order}/")
    assert (answer.status_code, answer.url) == (302, f"/pay/{payment.invoice.token}/?back=1")
    assert Client().get("/callbacks/back/P404/").status_code == 404
