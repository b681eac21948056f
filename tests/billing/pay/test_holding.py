"""While somebody pays, what is held is held longer by the house's rule; while a gateway is away for an hour, too."""

from datetime import timedelta
from uuid import uuid4

import pytest

from appointments.services import booking, changes
from billing.errors import GatewayAway, NothingToPay
from billing.models import MoneyCase, Payment
from billing.services import asking, invoicing, jobs, paying, sending
from exams.services import booking as exam_booking
from hospital import outbox
from tests.factories import (
    NOW,
    ExamRequestFactory,
    PatientFactory,
    StaffFactory,
    exam_variant,
    open_device,
    open_schedule,
)
from tests.factories.billing import pays_first

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def hold(*, channel="consult", basket=None, patient=None):
    return booking.book(
        schedule=open_schedule(), patient=patient or PatientFactory(), channel=channel, by=None, request_key=None,
        number=1, basket=basket or uuid4(), now=NOW,
    )  # fmt: skip


def invoice_of(row):
    return invoicing.open_for_booking(booking=row, by=None, now=NOW)


def until(row):
    row.refresh_from_db()
    if hasattr(row, "slot"):
        row.slot.refresh_from_db()
        return row.slot.hold_until
    return row.hold_until


def scan(invoice, *, now=NOW):
    return paying.begin(invoice=invoice, means="wechat", way="consult", by=None, now=now)


def test_the_first_code_of_an_invoice_gives_its_holds_some_minutes_once(wechat):
    pays_first(paying_minutes=40)
    patient, basket = PatientFactory(), uuid4()
    row = hold(basket=basket, patient=patient)
    variant = exam_variant()
    request, device = ExamRequestFactory(patient=patient, variant=variant), open_device(variant, days=(2,))
    exam = exam_booking.hold_one(
        request=request, device=device, start=device.sessions.get().during.lower, channel="consult", by=None,
        basket=basket, now=NOW,
    )  # fmt: skip
    [invoice] = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    longer = NOW + 40 * MINUTE
    scan(invoice)
    assert (until(row), until(exam)) == (longer, longer)
    scan(invoice, now=NOW + 10 * MINUTE)
    assert until(row) == longer


def test_a_hold_is_never_cut_short_and_never_outlasts_the_start_and_what_is_let_go_stays_so(wechat):
    pays_first(paying_minutes=1)
    row = hold()
    before = until(row)
    scan(invoice_of(row))
    assert until(row) == before
    assert changes.hold_longer(appointment=row, until=NOW + timedelta(days=99), now=NOW)
    assert until(row) == row.slot.start
    changes.drop(appointment=row, by=None, now=NOW)
    assert not changes.hold_longer(appointment=row, until=NOW + 90 * MINUTE, now=NOW)


def test_a_gateway_that_is_down_for_an_hour_costs_nobody_the_number(wechat):
    """Said at once, held by rule, asked about until it answers: then paid and confirmed, nothing lost."""
    pays_first(paying_minutes=5, away_minutes=90)
    row = hold()
    invoice = invoice_of(row)
    wechat.away = ["before"] * 1000
    with pytest.raises(GatewayAway):
        asking.start(invoice=invoice, means="wechat", way="consult", by=None, request_key=str(uuid4()), now=NOW)
    for minute in range(2, 61, 2):
        now = NOW + minute * MINUTE
        jobs.catch_up(now=now)
        assert until(row) > now, minute
    wechat.away, later = [], NOW + 63 * MINUTE
    jobs.catch_up(now=NOW + 62 * MINUTE)  # the gateway has never heard of the first code: it is closed
    assert Payment.objects.get().status == "closed"
    payment = asking.start(invoice=invoice, means="wechat", way="consult", by=None, request_key=str(uuid4()), now=later)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=later)
    row.refresh_from_db()
    assert row.status == "booked"
    assert not MoneyCase.objects.exists()


def test_who_presses_in_the_last_seconds_while_the_gateway_is_away_is_held_at_once(wechat):
    """The first look at it would come too late."""
    pays_first(paying_minutes=0, away_minutes=90)
    row = hold()
    invoice = invoice_of(row)
    last = until(row) - timedelta(seconds=10)
    wechat.away = ["before"]
    with pytest.raises(GatewayAway):
        scan(invoice, now=last)
    assert until(row) == last + 5 * MINUTE


def test_after_the_rules_longest_time_the_number_goes_back(wechat):
    pays_first(paying_minutes=0, away_minutes=10)
    row = hold()
    invoice = invoice_of(row)
    wechat.away = ["before"] * 1000
    with pytest.raises(GatewayAway):
        scan(invoice)
    for minute in range(2, 20, 2):
        jobs.catch_up(now=NOW + minute * MINUTE)
    assert until(row) == NOW + 10 * MINUTE


def test_who_is_sent_elsewhere_to_pay_has_the_rules_minutes_from_when_the_line_came(wechat):
    pays_first(link_minutes=30)
    row = hold()
    invoice = invoice_of(row)
    by = StaffFactory(roles="doctor")
    said = {"invoice": invoice, "address": "https://h.example/pay/x/", "by": by}
    assert sending.send_link(**said, now=NOW + MINUTE)
    assert until(row) == NOW + 30 * MINUTE
    assert not sending.send_link(**said, now=NOW + 2 * MINUTE)
    assert until(row) == NOW + 30 * MINUTE
    payment = scan(invoice, now=NOW + 2 * MINUTE)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=NOW + 3 * MINUTE)
    outbox.fan_out(now=NOW)
    invoice.refresh_from_db()
    with pytest.raises(NothingToPay):
        sending.send_link(**said, now=NOW + 4 * MINUTE)
