"""M8, X2: the payment gateway as a real process that calls back too early, twice, backwards, late or never, is gone for
an hour; a worker that dies in the middle of a refund. Nothing lost, nothing twice, every fen explained."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from celery import Celery

from appointments import invariants
from appointments.models import Appointment
from appointments.services import booking, changes, supply
from billing.errors import GatewayAway
from billing.models import GatewayMessage, Invoice, MoneyCase, Payment, Refund
from billing.selectors.ledger import balance
from billing.services import invoicing, paying, refunding
from billing.services import jobs as rounds
from hospital import clock, outbox
from tests.factories import NOW, PatientFactory, open_schedule
from tests.factories.billing import held_number

from .jobs import await_that, kill_family

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
LATE = NOW + timedelta(hours=2)  # longer than any rule holds a number for who pays
FEE = Decimal("20.00")


@pytest.fixture
def gateway(payment_gateway, live_server):
    payment_gateway.calls_back_to(live_server.url)
    payment_gateway.at(NOW)
    with time_machine.travel(NOW, tick=False):
        yield payment_gateway


def scan(row, *, means="wechat", now=NOW) -> Payment:
    invoice = invoicing.open_for_booking(booking=row, by=None, now=now)
    return paying.begin(invoice=invoice, means=means, way="consult", by=None, now=now)


def facts(now):
    outbox.fan_out(now=now)
    while outbox.deliver(now=now):
        pass


def told(gateway):
    """Every notice arrived and was acted on."""
    await_that(lambda: all(row["state"] == "taken" for row in gateway.notices()), seconds=60, because="callbacks")


def status(row: Appointment) -> str:
    return Appointment.objects.get(pk=row.pk).status


def sound(now=NOW):
    assert invariants.violations(now=now) == []


@pytest.mark.parametrize("means", ["wechat", "alipay"])
def test_a_callback_that_comes_before_our_own_request_has_its_answer_is_taken(gateway, means):
    row = held_number()
    gateway.behave(callbacks="first")
    payment = scan(row, means=means)
    assert (payment.status, status(row), GatewayMessage.objects.get().verdict) == ("succeeded", "booked", "taken")
    sound()


def test_callbacks_twice_at_once_backwards_late_and_for_what_was_cancelled(gateway):
    schedule = open_schedule(numbers=6)
    rows = [held_number(schedule=schedule, number=number) for number in (1, 2, 3, 4)]
    orders = [scan(row, means=means).order for row, means in zip(rows, ["wechat", "alipay"] * 2, strict=True)]

    gateway.behave(callbacks="twice")
    gateway("pay", order=orders[0])
    told(gateway)
    assert (status(rows[0]), GatewayMessage.objects.get().times) == ("booked", 2)

    gateway.behave(callbacks="held")
    for order in orders[1:]:
        gateway("pay", order=order)
    changes.drop(appointment=rows[1], by=None, now=NOW)
    facts(NOW)
    with time_machine.travel(LATE, tick=False):
        gateway.at(LATE)
        booking.book(
            schedule=schedule,
            patient=PatientFactory(),
            channel="counter",
            by=None,
            request_key=None,
            number=3,
            now=LATE,
        )
        supply.lapse_holds(now=LATE)
        facts(LATE)
        gateway.behave(callbacks="once")
        gateway("release", backwards=True)
        told(gateway)
        rounds.catch_up(now=LATE)
        told(gateway)  # of the refunds

        assert [status(row) for row in rows] == ["booked", "cancelled", "cancelled", "cancelled"]
        assert Invoice.objects.get(payments__order=orders[3]).lines.get().appointment.status == "booked"
        assert {(row.payment.order, row.reason, row.status) for row in Refund.objects.all()} == {
            (orders[1], "surplus", "done"), (orders[2], "lapsed", "done")
        }  # fmt: skip
        assert sorted((row["of"], row["amount"]) for row in gateway.refunds()) == sorted(
            (order, 2000) for order in orders[1:3]
        )
        assert (balance("wechat"), balance("alipay"), balance("deposits")) == (FEE, FEE, 0)
        sound(LATE)


def test_a_gateway_that_is_gone_for_an_hour_loses_nothing_and_is_found_out_when_it_is_back(gateway):
    """Paid just before, and never told; begun while it was gone; given back while it was gone."""
    schedule = open_schedule(numbers=3)
    rows = [held_number(schedule=schedule, number=number) for number in (1, 2, 3)]
    before, returned = scan(rows[0]), scan(rows[1])
    gateway("pay", order=returned.order)
    told(gateway)
    gateway.behave(callbacks="never")
    gateway("pay", order=before.order)
    gateway.stop()
    with pytest.raises(GatewayAway):
        scan(rows[2])
    refunding.return_line(line=Invoice.objects.get(payments=returned).lines.get().pk, reason="staff", by=None, now=NOW)

    for minutes in range(1, 61):
        rounds.catch_up(now=NOW + timedelta(minutes=minutes))
    assert list(Payment.objects.order_by("pk").values_list("status", flat=True)) == ["pending", "succeeded", "pending"]
    assert (status(rows[0]), Refund.objects.get().status) == ("pending", "asked")

    back = NOW + timedelta(hours=1, minutes=2)
    gateway.start()
    gateway.at(back)
    with time_machine.travel(back, tick=False):
        rounds.catch_up(now=back)
        Refund.objects.update(next_try_at=back)  # it rests longer each time, an hour at most
        rounds.catch_up(now=back)
    assert list(Payment.objects.order_by("pk").values_list("status", flat=True)) == ["succeeded", "succeeded", "closed"]
    assert (status(rows[0]), Refund.objects.get().status) == ("booked", "done")
    assert not MoneyCase.objects.filter(settled_at=None).exists()
    assert balance("wechat") == FEE
    sound(back)


def test_a_worker_killed_in_the_middle_of_a_refund_neither_loses_it_nor_pays_twice(payment_gateway, jobs):
    """The gateway has done it; nobody of ours has heard so."""
    now = clock.now()
    payment_gateway.behave(callbacks="never")
    day = clock.today(now) + timedelta(days=10)
    row = held_number(schedule=open_schedule(day=day, opened=now - timedelta(days=1)), now=now)
    payment = scan(row, now=now)
    payment_gateway("pay", order=payment.order)
    paying.find_out(payment=payment, now=now)
    refunding.return_line(line=Invoice.objects.get().lines.get().pk, reason="staff", by=None, now=now)

    payment_gateway.behave(slow={"refund": 30})
    jobs.environment["PAYMENT_MERCHANTS"] = payment_gateway.merchants
    worker = jobs.worker()
    Celery("beat", broker=jobs.environment["REDIS_URL"], set_as_current=False).send_task("billing.tasks.ask_gateways")
    await_that(payment_gateway.refunds, seconds=60, because="the worker asks for the refund")
    kill_family(worker)
    refund = Refund.objects.get()
    assert (refund.status, refund.tries) == ("asked", 0), "killed too late to prove anything"

    payment_gateway.behave(slow={})
    rounds.catch_up(now=clock.now())
    refund.refresh_from_db()
    assert (refund.status, len(payment_gateway.refunds())) == ("done", 1)
    assert (balance("wechat"), balance("refunds_due"), balance("deposits")) == (0, 0, 0)
    sound(clock.now())
