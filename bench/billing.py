"""Callbacks of WeChat Pay as they come over HTTP: each is verified, unsealed and kept, the money written down and the
number confirmed before the gateway has its answer. And the same callbacks once more."""

import tempfile
from itertools import cycle
from pathlib import Path
from time import time

from django.db import connections

from appointments.models import Schedule
from appointments.services import booking
from bench import load, server, table
from bench.processor import Processor
from bench.seed import SINCE, Ground
from bench.sizes import Sizes
from billing.gateways import ports
from billing.gateways.fake import keys
from billing.gateways.fake.script import Script
from billing.gateways.fake.till import Till
from billing.gateways.fake.wechat import WechatSide
from billing.models import ChargeItem, Payment, PaymentRule
from billing.services import invoicing, paying
from hospital import clock
from hospital.errors import Refused
from hospital.models import Organization, Patient

CONNECTIONS = 8
ALONE = 3
"""One in so many comes when nothing else is under way: how long one takes. The others come as fast as they can."""

RATE, REPEATS, P50, P99 = 20, 60, 100, 300  # a second, a second, ms, ms


class _Paper:
    """Where orders are made while nothing is measured: the code is never scanned."""

    code = "wechat"

    def create(self, order):
        return ports.Created(qr=order.order)


def measure(sizes: Sizes, ground: Ground) -> list[table.Row]:
    house = Organization.objects.get(pk=ground.organization)
    PaymentRule.objects.create(organization=house, effective_from=SINCE, prepaid=["app"])
    payments = _held(sizes, ground)
    with tempfile.TemporaryDirectory() as folder:
        side = WechatSide(keys.of(Path(folder)), Till(":memory:", Script()))
        file = keys.hand_out(side.keys, address="http://127.0.0.1:9", callback="http://127.0.0.1:9")
        with server.running(PAYMENT_MERCHANTS=str(file)) as (port, pid):
            processor = Processor(pid)
            callbacks = [_callback(side, house.code, payment) for payment in payments]
            alone, crowd = callbacks[::ALONE], [each for n, each in enumerate(callbacks) if n % ALONE]
            connections.close_all()
            slow = load.drive(port, lambda _n: iter(alone), connections=1)
            before = processor.spent()
            fast = load.drive(port, lambda _n: iter(crowd), connections=CONNECTIONS)
            cost = [(now - then) * 1000 / len(crowd) for now, then in zip(processor.spent(), before, strict=True)]
            again = load.drive(port, lambda _n: iter(callbacks), connections=CONNECTIONS)
    note = f"processor time of one: web {cost[0]:.0f} ms, database {cost[1]:.0f} ms; {CONNECTIONS} connections"
    return _rows(payments, slow, fast, again, note)


def _rows(payments: list[Payment], slow: load.Tally, fast: load.Tally, again: load.Tally, cost: str) -> list[table.Row]:
    ours = [payment.pk for payment in payments]
    taken = Payment.objects.filter(pk__in=ours, status="succeeded").count()
    confirmed = ChargeItem.objects.filter(invoice__payments__in=ours, status="confirmed").count()
    heard = slow.answers + fast.answers + again.answers
    one = "paid callback → number confirmed"
    return [
        table.measured("payment callbacks heard", [fast.rate("200")], target=RATE, better="higher", unit="/s",
                       note=f"{fast.total}, p99 {fast.percentile(99) * 1000:.0f} ms; {cost}"),
        table.measured(f"{one}, p50", [slow.percentile(50) * 1000], target=P50, unit="ms",
                       note=f"{slow.total}, one after the other"),
        table.measured(f"{one}, p99", [slow.percentile(99) * 1000], target=P99, unit="ms"),
        table.measured("payment callbacks heard again", [again.rate("200")], target=REPEATS, better="higher",
                       unit="/s"),
        table.exactly("callbacks: paid and not confirmed, or not taken", 2 * len(payments) - taken - confirmed, 0,
                      better="lower", note=f"heard in all: {dict(heard)}"),
    ]  # fmt: skip


def _held(sizes: Sizes, ground: Ground) -> list[Payment]:
    """Numbers of as many people, each waiting to be paid."""
    ports.register("payment", _Paper())
    try:
        people = Patient.objects.filter(pk__gte=ground.others[0]).order_by("pk")[: sizes.payments]
        places = cycle(Schedule.objects.filter(pk__range=ground.schedules, status="open").order_by("-day", "pk")[:2000])
        return [_one(patient, places) for patient in people]
    finally:
        ports.forget("payment", "wechat")


def _one(patient: Patient, places) -> Payment:
    now = clock.now()
    for schedule in places:
        try:
            row = booking.book(schedule=schedule, patient=patient, channel="app", by=None, request_key=None, now=now)
        except Refused:  # full by now: the next one
            continue
        invoice = invoicing.open_for_booking(booking=row, by=None, now=now)
        return paying.begin(invoice=invoice, means="wechat", way="consult", by=None, now=now)
    raise AssertionError("no number is free")


def _callback(side: WechatSide, house: str, payment: Payment) -> bytes:
    fen = int(payment.amount * 100)
    said = {
        "appid": keys.APPID, "mchid": keys.MCHID, "out_trade_no": payment.order, "trade_state": "SUCCESS",
        "transaction_id": f"42{payment.pk:026d}", "trade_type": "NATIVE", "success_time": clock.now().isoformat(),
        "amount": {"total": fen, "payer_total": fen, "currency": "CNY"}, "payer": {"openid": "o"},
    }  # fmt: skip
    headers, body = side.sealed(f"bench-{payment.pk}", "TRANSACTION.SUCCESS", "transaction", said, made=time())
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    path = f"/callbacks/wechat/{house}/"
    return f"POST {path} HTTP/1.1\r\nHost: {load.HOST}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
