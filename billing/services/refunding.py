"""Giving back (M6): a line, or what was paid too much; to origin, in a fixed order, the insurance's part first.

A refund is asked here (a committed row with our own number), sent by `send` outside of any lock, and done or refused in
another transaction. Locks: invoice, then payments and lines by the trigger that lets no refund exceed what was paid.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from secrets import token_hex

from django.db import transaction

from billing.errors import NoGateway, RefundSettled, RefundUnderWay, ShiftNotOpen
from billing.gateways import ports
from billing.models import CashierShift, ChargeItem, Invoice, Means, MoneyCase, Payment, Refund
from billing.policies import accounts, returning, shifts
from billing.policies import paying as paying_policy
from billing.policies.unwinding import over_lines, unwind
from billing.selectors import rules
from billing.selectors.sums import Sums
from hospital import clock
from hospital.models import User

from . import cases, ledger, locks, reversing, standing, trail

Line = ChargeItem.Status
Status = Refund.Status
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
STUCK_AFTER = 8
"""Tries without an answer before the office hears of it; it is tried on."""


# ---- ask ----


@transaction.atomic
def return_line(*, line: int, reason: str, by: User | None, now: datetime) -> ChargeItem:
    """Give a line back: unpaid it leaves the invoice; paid, its money goes back the way it came. Twice is once.

    Where the insurance bore a part, that is reversed first and the line waits as `returning` (insuring).
    """
    invoice = locks.invoice(ChargeItem.objects.values_list("invoice", flat=True).get(pk=line))
    row = ChargeItem.objects.get(pk=line)
    if row.status in (*ChargeItem.GONE, Line.RETURNING):
        return row
    if standing.settlement(invoice) is not None:
        _wait_for_the_insurance(invoice, row, reason=reason, by=by, now=now)
        return row
    take_off(invoice, row, reason=reason, by=by, now=now)
    stands = standing.follow(invoice, by=by, now=now)
    give_back_too_much(invoice, stands, reason=reason, lines=[row], by=by, now=now)
    trail.publish("line.returned", invoice, by=by, now=now, line=row.pk, reason=reason)
    return row


def take_off(invoice: Invoice, row: ChargeItem, *, reason: str, by: User | None, now: datetime) -> None:
    """The line is no more. The caller holds the invoice, and lets it follow."""
    if row.status == Line.OPEN:
        _withdraw(row, invoice, by=by, now=now)
    else:
        _give_back(row, invoice, reason=reason, by=by, now=now)


def _withdraw(row: ChargeItem, invoice: Invoice, *, by: User | None, now: datetime) -> None:
    row.status, row.ended_at = Line.WITHDRAWN, now
    row.save(update_fields=["status", "ended_at"])
    if row.earned_at:
        standing.unearn_on_credit(invoice, row, by=by, now=now)


def _give_back(row: ChargeItem, invoice: Invoice, *, reason: str, by: User | None, now: datetime) -> None:
    row.status, row.ended_at, row.why = Line.REFUNDED, now, reason
    row.save(update_fields=["status", "ended_at", "why"])
    if row.earned_at:
        ledger.write(
            key=f"line:{row.pk}:unearned",
            kind="unearned",
            organization_id=invoice.organization_id,
            postings=accounts.unearned(row.kind, row.amount),
            invoice=invoice,
            now=now,
            by=by,
        )


def _wait_for_the_insurance(invoice: Invoice, row: ChargeItem, *, reason: str, by: User | None, now: datetime) -> None:
    """The insurance's part is reversed before any money moves (insuring.reversed calls give_back_returning)."""
    if row.status == Line.OPEN:  # the insurance has settled, the person has not paid yet
        if row.earned_at:
            standing.unearn_on_credit(invoice, row, by=by, now=now)
        row.status, row.paid_at, row.earned_at = Line.PAID, now, None
        row.save(update_fields=["status", "paid_at", "earned_at"])
    row.status, row.why = Line.RETURNING, reason
    row.save(update_fields=["status", "why"])
    reversing.ask_to_reverse(invoice=invoice, now=now)
    trail.publish("line.returning", invoice, by=by, now=now, line=row.pk, reason=reason)


def give_back_returning(invoice: Invoice, *, by: User | None, now: datetime) -> None:
    """The insurance has reversed: what waited for it goes back now. The caller holds the invoice. What stays is settled
    anew by whoever settles (insuring.settled gives back what is too much then)."""
    rows = list(invoice.lines.filter(status=Line.RETURNING).order_by("pk"))
    for row in rows:
        _give_back(row, invoice, reason=row.why, by=by, now=now)
    stands = standing.follow(invoice, by=by, now=now)
    give_back_too_much(invoice, stands, reason=rows[0].why if rows else "resettled", lines=rows, by=by, now=now)
    for row in rows:
        trail.publish("line.returned", invoice, by=by, now=now, line=row.pk, reason=row.why)


def give_back_too_much(
    invoice: Invoice,
    stands: Sums,
    *,
    reason: str,
    by: User | None,
    now: datetime,
    lines: list[ChargeItem] = (),
    of: Payment | None = None,
) -> list[Refund]:
    """What is held above what is due goes back, payment by payment in their order; `of`: of this payment alone, which
    was too much by itself. `stands`: as the invoice follows. The caller holds it."""
    held = [each for each in stands.payments if of is None or each.payment == of.pk]
    open_ = [(line.pk, line.amount) for line in lines]
    made = []
    for part in unwind(stands.too_much, held):
        for line, amount in over_lines(part, open_):
            made.append(_ask(invoice, part.payment, part.means, amount, line, reason=reason, by=by, now=now))
    return made


def _ask(
    invoice: Invoice, payment: int, means: str, amount: Decimal, line: int | None, *, reason: str, by, now: datetime
) -> Refund:
    by_gateway = paying_policy.asks_a_gateway(means)
    row = Refund.objects.create(
        payment_id=payment,
        line_id=line,
        amount=amount,
        reason=reason,
        means=means,
        order=f"R{token_hex(12)}",
        by=by,
        asked_at=now,
        next_try_at=now if by_gateway else None,
    )
    _post(invoice, row, "promised", accounts.promised_back(amount), by=by, now=now)
    if not by_gateway:
        about = {"organization_id": invoice.organization_id, "invoice": invoice, "refund": row, "amount": amount}
        cases.keep(kind=MoneyCase.Kind.CASH_BACK, key=f"refund:{row.pk}:by_hand", now=now, **about)
    trail.publish("refund.asked", invoice, by=by, now=now, refund=row.pk)
    return row


def _post(invoice: Invoice, row: Refund, what: str, postings, *, by: User | None, now: datetime) -> None:
    ledger.write(
        key=f"refund:{row.pk}:{what}",
        kind=what,
        organization_id=invoice.organization_id,
        postings=postings,
        invoice=invoice,
        refund=row,
        shift=row.shift,
        now=now,
        by=by,
    )


# ---- send, and what came of it ----


def send(*, refund: Refund, now: datetime) -> None:
    """Ask the gateway, by our own number: again is the same refund there. Without locks. What somebody has paid out
    meanwhile, or pays out by hand, is not sent."""
    refund = Refund.objects.select_related("payment").get(pk=refund.pk)
    payment = refund.payment
    if refund.status != Status.ASKED or not paying_policy.asks_a_gateway(refund.means):
        return
    try:
        gateway = ports.payment(payment.gateway, organization=payment.organization_id)
        if refund.tries:
            news = gateway.query_refund(payment.order, refund=refund.order)
        if not refund.tries or news.state == ports.State.UNKNOWN:
            news = gateway.refund(payment.order, refund=refund.order, amount=refund.amount, total=payment.amount)
    except (ports.Away, NoGateway):  # the house has no such gateway any more: the office hears when it goes on
        _later(refund, now=now)
    except ports.Refuses as error:
        refused(refund=refund, code=error.code, now=now)
    else:
        hear(refund=refund, news=news, now=now)


def hear(*, refund: Refund, news: ports.News, now: datetime) -> None:
    """What a gateway says of a refund, by answer, query or callback."""
    if news.state == ports.State.DONE:
        done(refund=refund, reference=news.reference, now=now)
    elif news.state == ports.State.CLOSED:
        refused(refund=refund, code=news.code, now=now)
    else:
        _later(refund, now=now)


def _later(refund: Refund, *, now: datetime) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(refund.tries, 10), LONGEST_PAUSE)
    rows = Refund.objects.filter(pk=refund.pk, status=Status.ASKED)
    if rows.update(next_try_at=now + pause, tries=min(refund.tries + 1, 30_000)) and refund.tries + 1 >= STUCK_AFTER:
        payment = refund.payment
        about = {"organization_id": payment.organization_id, "refund": refund, "amount": refund.amount}
        cases.keep(kind=MoneyCase.Kind.STUCK, key=f"refund:{refund.pk}:stuck", now=now, **about)


@transaction.atomic
def done(*, refund: Refund, now: datetime, reference: str = "", by: User | None = None) -> Refund:
    """It reached the payer. Twice is once."""
    invoice, row = _locked(refund)
    if row.status == Status.DONE:
        return row
    return _done(invoice, row, reference=reference, by=by, now=now)


def _done(invoice: Invoice, row: Refund, *, reference: str, by: User | None, now: datetime) -> Refund:
    row.status, row.done_at, row.reference, row.next_try_at = Status.DONE, now, reference[:64], None
    row.save(update_fields=["status", "done_at", "reference", "next_try_at", "means", "shift"])
    _post(invoice, row, "given_back", accounts.given_back(row.means, row.amount), by=by, now=now)
    for what in ("refused", "stuck", "by_hand"):
        cases.settle(key=f"refund:{row.pk}:{what}", now=now)
    trail.publish("refund.done", invoice, by=by, now=now, refund=row.pk)
    return row


@transaction.atomic
def refused(*, refund: Refund, code: str, now: datetime) -> Refund:
    """The gateway said no for good: still owed to the patient, on the office's list."""
    invoice, row = _locked(refund)
    if row.status != Status.ASKED:
        return row
    row.status, row.refusal, row.next_try_at = Status.REFUSED, code[:40], None
    row.save(update_fields=["status", "refusal", "next_try_at"])
    about = {"organization_id": invoice.organization_id, "invoice": invoice, "refund": row, "amount": row.amount}
    cases.keep(kind=MoneyCase.Kind.REFUSED, key=f"refund:{row.pk}:refused", now=now, **about)
    trail.publish("refund.refused", invoice, by=None, now=now, refund=row.pk)
    return row


@transaction.atomic
def again(*, refund: Refund, by: User, now: datetime) -> Refund:
    """The office has the gateway asked once more, by the same number. Raises RefundSettled."""
    invoice, row = _locked(refund)
    if row.status != Status.REFUSED:
        raise RefundSettled()
    row.status, row.next_try_at, row.tries = Status.ASKED, now, 1
    row.save(update_fields=["status", "next_try_at", "tries"])
    trail.record("refund.again", invoice, by=by, now=now, refund=row.pk)
    return row


@transaction.atomic
def pay_out(
    *, refund: Refund, means: str, by: User, now: datetime, shift: CashierShift | None = None, reference: str = ""
) -> Refund:
    """By hand, at the window: cash that was paid as cash, or by another way what a gateway refused. While a gateway may
    still pay it, nobody else does. Raises RefundSettled, RefundUnderWay, ShiftNotOpen."""
    invoice, row = _locked(refund)
    if row.status == Status.DONE or paying_policy.asks_a_gateway(means):
        raise RefundSettled()
    if row.status == Status.ASKED and paying_policy.asks_a_gateway(row.means):
        raise RefundUnderWay()
    if shift is not None:
        shift = CashierShift.objects.select_for_update(no_key=True).get(pk=shift.pk)
        if refusal := shifts.refusal_to_take(shift.status):
            raise refusal
    elif means in (Means.CASH, Means.CHEQUE):
        raise ShiftNotOpen()
    row.means, row.shift = means, shift
    trail.record("refund.paid_out", invoice, by=by, now=now, refund=row.pk, means=means, amount=row.amount)
    return _done(invoice, row, reference=reference, by=by, now=now)


def _locked(refund: Refund) -> tuple[Invoice, Refund]:
    invoice = locks.invoice(Payment.objects.values_list("invoice", flat=True).get(pk=refund.payment_id))
    return invoice, locks.refund(refund.pk)


def to_send(*, now: datetime, limit: int = 200) -> list[Refund]:
    """What the refund job asks gateways about, the longest waiting first."""
    rows = Refund.objects.filter(status=Status.ASKED, next_try_at__lte=now).select_related("payment")
    return list(rows.order_by("next_try_at")[:limit])


# ---- bookings that end ----


def of_booking(*, kind: str, booking: int, reason: str, by: User | None, now: datetime) -> ChargeItem | None:
    """What was charged for a booking that is no more; None where nothing is on an invoice."""
    lines = ChargeItem.objects.filter(**{kind: booking}).exclude(status__in=ChargeItem.GONE)
    pk = lines.values_list("pk", flat=True).first()
    return return_line(line=pk, reason=reason, by=by, now=now) if pk else None


def by_staff(*, line: ChargeItem, by: User, now: datetime) -> ChargeItem:
    """At the window, of a service or of a booking that is over already; what is owed on credit for it is not owed any
    more. Raises NotRefundable, NoShowKeepsFee."""
    row = ChargeItem.objects.select_related("appointment", "exam", "invoice").get(pk=line.pk)
    rule = rules.payment_rule(row.invoice.organization_id, day=clock.today(now))
    keeps = not rule.noshow_refund
    if refusal := returning.refusal_by_staff(row, keeps=keeps, excused=_excused(row)):
        raise refusal
    return return_line(line=row.pk, reason="staff", by=by, now=now)


def _excused(line: ChargeItem) -> bool:
    missed = getattr(line.exam, "no_show", None) if line.exam_id else getattr(line.appointment, "noshow", None)
    return missed is not None and missed.excused_at is not None
