"""Paying an invoice (M1, M2, M8). `succeed` is the one way in for money: callback, query, terminal, window, kiosk.

Crash safety: what is asked of a gateway is a committed row before the call; what it answers is written in another
transaction; what was received is committed before any booking is touched (services.delivering), so a worker that dies
in between leaves a paid line that the next round confirms. Call these outside a transaction of your own.
Locks: invoice, payment.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from secrets import token_hex

from django.db import IntegrityError, transaction

from billing.errors import (
    AmountWrong,
    GatewayAway,
    GatewayRefused,
    NeedsReference,
    NothingToPay,
    ShiftNotOpen,
    SlipUsed,
)
from billing.gateways import ports
from billing.models import CashierShift, GatewayMessage, Invoice, Means, MoneyCase, Payment, Way
from billing.policies import accounts, shifts
from billing.policies import paying as policy
from billing.policies.paying import Said
from billing.selectors import rules, sums
from hospital import clock
from hospital.models import User

from . import cases, delivering, holding, invoicing, ledger, locks, refunding, standing, trail

Status = Payment.Status
Verdict = GatewayMessage.Verdict
FIRST_QUERY = timedelta(seconds=30)
"""After a payment was begun. Then twice as long each time, up to two minutes: a lost callback is found within two."""
LONGEST_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True)
class Outcome:
    """What became of news about an order."""

    verdict: Verdict
    payment: Payment | None = None
    delivered: delivering.Delivered | None = None


# ---- begin ----


def begin(
    *,
    invoice: Invoice,
    means: str,
    way: str,
    by: User | None,
    now: datetime,
    amount: Decimal | None = None,
    request_key: str | None = None,
    shift: CashierShift | None = None,
    payer_ip: str = "",
    reference: str = "",
) -> Payment:
    """A payment on its way: the row first, then the gateway is asked how it is paid (`asked`). `amount`: a part of what
    is owed (mixed means); none: all of it. With one request_key the same payment. `payer_ip`: of the phone that will
    open the gateway's page; passed on, not kept. `reference`: of a slip or cheque, kept with the row from the start.

    Raises NothingToPay, InvoiceOver, AmountWrong, SlipUsed, ShiftNotOpen, NoGateway, GatewayAway (the row stays, and
    is asked about), GatewayRefused.
    """
    if policy.asks_a_gateway(means):
        ports.payment(means, organization=invoice.organization_id)
    try:
        payment = _begin(
            invoice=invoice, means=means, way=way, by=by, now=now, amount=amount, request_key=request_key, shift=shift,
            reference=reference,
        )  # fmt: skip
    except IntegrityError as error:
        if "payment_one_slip_a_day" not in str(error):
            raise
        raise SlipUsed(reference=reference) from error
    if payment.gateway and payment.status == Status.PENDING and not payment.asked:
        holding.while_paying(payment=payment, now=now)
        payment.organization = invoice.organization  # which the caller's page has read already
        ask(payment=payment, payer_ip=payer_ip, now=now)
    return payment


@transaction.atomic
def _begin(*, invoice, means, way, by, now, amount, request_key, shift, reference) -> Payment:
    invoice = locks.invoice(invoice.pk)
    if request_key and (there := invoice.payments.filter(request_key=request_key).first()):
        return there
    owed = sums.of(invoice).owed
    amount = owed if amount is None else amount
    if refusal := policy.refusal_to_begin(invoice.status, owed=owed, amount=amount, means=means):
        raise refusal
    gateway = means if policy.asks_a_gateway(means) else ""
    if reference and _slip_used(invoice, means=means, reference=reference, now=now):
        raise SlipUsed(reference=reference)
    rule = rules.payment_rule(invoice.organization_id, day=clock.today(now))
    return Payment.objects.create(
        invoice=invoice,
        organization_id=invoice.organization_id,
        means=means,
        way=way,
        amount=amount,
        gateway=gateway,
        order=f"P{token_hex(12)}",
        reference=reference,
        request_key=request_key,
        shift=_open_shift(shift, way=way, means=means),
        by=by,
        asked_at=now,
        expires_at=now + timedelta(minutes=rule.order_minutes) if gateway else None,
        next_query_at=now + FIRST_QUERY if gateway else None,
    )


def _slip_used(invoice: Invoice, *, means: str, reference: str, now: datetime) -> bool:
    """Two clerks with one number at the same moment meet at the constraint (begin)."""
    day = clock.at(clock.today(now), time(0))
    rows = Payment.objects.filter(organization=invoice.organization_id, means=means, reference=reference)
    return rows.filter(
        status__in=[Status.PENDING, Status.SUCCEEDED], asked_at__gte=day, asked_at__lt=day + timedelta(days=1)
    ).exists()


def _open_shift(shift: CashierShift | None, *, way: str, means: str) -> CashierShift | None:
    """The window's money, and cash anywhere but in a kiosk, lies in somebody's drawer."""
    if shift is None:
        if way == Way.WINDOW or (means in (Means.CASH, Means.CHEQUE) and way != Way.KIOSK):
            raise ShiftNotOpen()
        return None
    shift = CashierShift.objects.select_for_update(no_key=True).get(pk=shift.pk)
    if refusal := shifts.refusal_to_take(shift.status):
        raise refusal
    return shift


def ask(*, payment: Payment, now: datetime, payer_ip: str = "") -> None:
    """Ask the gateway how this is paid, outside of any lock; again is the same order there. `payment` is then as it
    stands, whatever became of it meanwhile."""
    gateway = ports.payment(payment.gateway, organization=payment.organization_id)
    order = ports.Order(
        order=payment.order,
        amount=payment.amount,
        subject=payment.organization.name,
        way=payment.way,
        expires_at=payment.expires_at,
        payer_ip=payer_ip,
    )
    try:
        created = gateway.create(order)
    except ports.Away:
        holding.while_away(payment=payment, now=now)
        raise GatewayAway() from None
    except ports.Refuses:
        close(payment=payment, status=Status.FAILED, now=now)
        raise GatewayRefused() from None
    asked = {name: value for name, value in (("qr", created.qr), ("url", created.url)) if value}
    if Payment.objects.filter(pk=payment.pk, status=Status.PENDING).update(asked=asked or {"qr": ""}):
        payment.asked = asked or {"qr": ""}
    else:
        payment.refresh_from_db()


# ---- what came of it ----


def succeed(
    *, order: str, said: Said, now: datetime, by: User | None = None, message: GatewayMessage | None = None
) -> Outcome:
    """Money came in for an order. Once with effect, whoever says it first and however often: the payment is written,
    too much goes back by itself, and what is paid for is confirmed, or given back where it can't be.

    What does not fit (unknown order, another amount or currency) changes nothing and is kept for the office.
    """
    outcome = _receive(order=order, said=said, now=now, by=by, message=message)
    if outcome.verdict not in (Verdict.TAKEN, Verdict.AGAIN):
        return outcome
    delivered = delivering.deliver(invoice=outcome.payment.invoice_id, by=by, now=now)
    return Outcome(outcome.verdict, outcome.payment, delivered)


@transaction.atomic
def _receive(*, order: str, said: Said, now: datetime, by: User | None, message: GatewayMessage | None) -> Outcome:
    of_the_teller = {}  # one merchant's gateway says nothing about another's orders
    if message:
        of_the_teller = {"gateway": message.gateway, "organization": message.organization_id}
    found = Payment.objects.filter(order=order, **of_the_teller).only("pk", "invoice_id").first()
    if found is None:
        return _kept(Verdict.UNKNOWN, said, None, order=order, message=message, now=now)
    invoice = locks.invoice(found.invoice_id)
    payment = locks.payment(found.pk)
    verdict = policy.verdict(payment, said)
    if verdict == Verdict.TAKEN and _is_of_another(payment, said):
        verdict = Verdict.UNKNOWN
    if verdict in GatewayMessage.KEPT:
        return _kept(verdict, said, payment, order=order, message=message, now=now)
    if verdict == Verdict.TAKEN:
        _take(invoice, payment, said, by=by, now=now)
    _judged(message, verdict)
    return Outcome(verdict, payment)


def _is_of_another(payment: Payment, said: Said) -> bool:
    """The gateway's number stands on another payment already: whose money it is, a person must find out."""
    others = Payment.objects.filter(gateway=payment.gateway, reference=said.reference[:64]).exclude(pk=payment.pk)
    return bool(payment.gateway and said.reference) and others.exists()


_RECEIVED = ("applied", "status", "succeeded_at", "ended_at", "reference", "next_query_at")
"""Not its shift: that may be counted by now, and the money is with the gateway."""


def _take(invoice: Invoice, payment: Payment, said: Said, *, by: User | None, now: datetime) -> None:
    payment.applied = policy.applied(payment.amount, owed=sums.of(invoice).owed)
    payment.status, payment.succeeded_at, payment.ended_at = Status.SUCCEEDED, now, None
    payment.reference, payment.next_query_at = said.reference[:64], None
    payment.save(update_fields=_RECEIVED)
    ledger.write(
        key=f"payment:{payment.pk}:received",
        kind="received",
        organization_id=invoice.organization_id,
        postings=accounts.received(payment.means, payment.amount),
        invoice=invoice,
        payment=payment,
        shift=payment.shift,
        now=now,
        by=by,
    )
    stands = standing.follow(invoice, by=by, now=now)
    refunding.give_back_too_much(invoice, stands, reason="surplus", of=payment, by=by, now=now)
    if invoice.status == Invoice.Status.PAID:  # other codes of it: closed by the next round, before somebody scans them
        invoice.payments.filter(status=Status.PENDING).exclude(gateway="").update(expires_at=now, next_query_at=now)
    trail.publish(
        "payment.succeeded", invoice, by=by, now=now, payment=payment.pk, means=payment.means, way=payment.way
    )


def _kept(verdict: Verdict, said: Said, payment: Payment | None, *, order: str, message, now: datetime) -> Outcome:
    """Nothing is touched. The money is somewhere: on the books without an owner until the office has found one."""
    _judged(message, verdict)
    key = f"order:{order[:32]}:{said.reference}"[:80] if said.reference or not message else f"message:{message.pk}"
    about = {"payment": payment, "message": message, "amount": said.amount}
    if payment:
        about |= {"organization_id": payment.organization_id, "invoice_id": payment.invoice_id}
    elif message:
        about |= {"organization_id": message.organization_id}
    kinds = {Verdict.UNKNOWN: MoneyCase.Kind.UNKNOWN, Verdict.AMOUNT: MoneyCase.Kind.AMOUNT}
    cases.keep(kind=kinds.get(verdict, MoneyCase.Kind.CURRENCY), key=key, now=now, **about)
    if payment and verdict == Verdict.AMOUNT and said.amount > 0:
        ledger.write(
            key=f"unowned:{payment.gateway or payment.means}:{said.reference or key}"[:60],
            kind="unowned",
            organization_id=payment.organization_id,
            postings=accounts.received_unowned(payment.means, said.amount),
            payment=payment,
            now=now,
        )
    return Outcome(verdict, payment)


def _judged(message: GatewayMessage | None, verdict: Verdict) -> None:
    if message:
        GatewayMessage.objects.filter(pk=message.pk).update(verdict=verdict)


@transaction.atomic
def close(*, payment: Payment, now: datetime, status: str = Status.CLOSED) -> Payment:
    """Nobody will pay it any more; what waited for it on the invoice and is gone leaves. One that succeeded meanwhile
    stays."""
    invoice = locks.invoice(payment.invoice_id)
    row = locks.payment(payment.pk)
    if row.status == Status.PENDING:
        row.status, row.ended_at, row.next_query_at = status, now, None
        row.save(update_fields=["status", "ended_at", "next_query_at"])
        invoicing.tidy(invoice, by=None, now=now)
    return row


# ---- by hand, for nothing, and finding out ----


def take(
    *,
    invoice: Invoice,
    means: str,
    way: str,
    by: User,
    now: datetime,
    amount: Decimal | None = None,
    reference: str = "",
    request_key: str | None = None,
    shift: CashierShift | None = None,
) -> Outcome:
    """Cash, a cheque or a card at the terminal: begun and received in one act. `reference`: of the terminal's slip or
    the cheque. Raises NeedsReference and as `begin`."""
    if policy.asks_a_gateway(means):
        raise AmountWrong(owed=sums.of(invoice).owed)
    reference = reference.strip()[:64]
    if means != Means.CASH and not reference:
        raise NeedsReference()
    payment = begin(
        invoice=invoice, means=means, way=way, by=by, now=now, amount=amount, request_key=request_key, shift=shift,
        reference=reference,
    )  # fmt: skip
    return succeed(order=payment.order, said=Said(payment.amount, reference), by=by, now=now)


def settle_free(*, invoice: Invoice, by: User | None, now: datetime) -> delivering.Delivered:
    """An invoice that costs nothing (or that the insurance bears whole): confirmed without a payment. Raises
    NothingToPay where it is over, or something is owed after all."""
    with transaction.atomic():
        row = locks.invoice(invoice.pk)
        if row.status not in (*Invoice.DUE, Invoice.Status.PAID) or sums.of(row).owed > 0:
            raise NothingToPay()
        if row.status in Invoice.DUE:
            standing.settle_free(row, by=by, now=now)
    return delivering.deliver(invoice=invoice.pk, by=by, now=now)


def find_out(*, payment: Payment, now: datetime) -> Outcome | None:
    """Ask the gateway what became of it: the way back after a lost callback, a crash, a gateway that was down. None: it
    did not answer, or nobody has paid yet. Raises NoGateway."""
    _ask_later(payment, now=now)  # whatever comes of it: a payment that can't be asked about holds no other up
    gateway = ports.payment(payment.gateway, organization=payment.organization_id)
    try:
        news = gateway.query(payment.order)
        over = payment.expires_at is not None and payment.expires_at <= now
        if news.state in (ports.State.WAITING, ports.State.UNKNOWN) and over:
            news = _close_there(gateway, payment, news)
    except ports.Away:
        holding.while_away(payment=payment, now=now)
        return None
    if news.state == ports.State.DONE:
        return succeed(order=payment.order, said=Said(news.amount, news.reference, news.currency), now=now)
    if news.state == ports.State.CLOSED:
        close(payment=payment, now=now)
    return None


def _close_there(gateway, payment: Payment, news):
    """Close it at the gateway before we call it closed: nobody can pay it afterwards. Paid at that very moment, it
    refuses, and is asked once more."""
    try:
        if news.state == ports.State.WAITING:
            gateway.close(payment.order)
        return ports.News(payment.order, ports.State.CLOSED)
    except ports.Refuses:
        return gateway.query(payment.order)


def _ask_later(payment: Payment, *, now: datetime) -> None:
    pause = min(FIRST_QUERY * 2 ** min(payment.queries, 6), LONGEST_PAUSE)
    rows = Payment.objects.filter(pk=payment.pk, status=Status.PENDING)
    rows.update(next_query_at=now + pause, queries=min(payment.queries + 1, 30_000))


def to_find_out(*, now: datetime, limit: int = 200) -> list[Payment]:
    """What the query job asks about, the longest waiting first."""
    rows = Payment.objects.filter(status=Status.PENDING, next_query_at__lte=now)
    return list(rows.select_related("organization").order_by("next_query_at")[:limit])
