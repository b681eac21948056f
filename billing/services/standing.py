"""What an invoice is after something changed on it: its total, who bears it, its state, what is owed and what is too
much. Every service that touches lines, payments or the insurance's part ends here, holding the invoice."""

from datetime import datetime

from billing.models import ChargeItem, InsuranceSettlement, Invoice
from billing.policies import accounts, credit, paying
from billing.policies.splitting import NOTHING
from billing.selectors import rules, sums
from billing.selectors.ledger import balance
from hospital import clock
from hospital.models import User

from . import ledger, trail

Status = Invoice.Status


def live(invoice: Invoice) -> list[ChargeItem]:
    rows = invoice.lines.exclude(status__in=ChargeItem.GONE).select_related("appointment__slot", "exam")
    return list(rows.order_by("pk"))


def settlement(invoice: Invoice) -> InsuranceSettlement | None:
    """The one that stands (settled, or being reversed)."""
    return invoice.settlements.filter(status__in=InsuranceSettlement.STANDS).first()


def add_up(invoice: Invoice, lines: list[ChargeItem]) -> None:
    """Total and who bears it. While a settlement stands, lines neither come nor go: it is reversed first."""
    invoice.total = sums.total(line.amount for line in lines)
    there = settlement(invoice)
    invoice.fund_paid = there.fund_paid if there else NOTHING
    invoice.account_paid = there.account_paid if there else NOTHING
    invoice.cash_paid = invoice.total - invoice.fund_paid - invoice.account_paid


def refresh(invoice: Invoice, *, now: datetime) -> None:
    """After lines came or went before anything was paid: its total, and void when nothing is left. Confirms nothing."""
    lines = live(invoice)
    add_up(invoice, lines)
    if not lines:
        invoice.status = Status.VOID
        _times(invoice, now=now)
    invoice.save()


def follow(invoice: Invoice, *, by: User | None, now: datetime) -> None:
    """Write what the invoice is now; what is covered becomes paid. Publishes invoice.paid when it was not before. What
    costs nothing is not paid by that alone: somebody must say yes (settle_free)."""
    lines = live(invoice)
    add_up(invoice, lines)
    stands = sums.of(invoice)
    on_credit = invoice.status in (Status.OWED, Status.PAID)
    received = bool(stands.payments) or invoice.settlements.exclude(settled_at=None).exists()
    found = paying.standing(live=len(lines), owed=stands.owed, received=received, on_credit=on_credit)
    asked_nothing_yet = found == Status.PAID and invoice.status == Status.OPEN and not received
    _become(invoice, lines, Status.OPEN if asked_nothing_yet else found, by=by, now=now)
    owe_what_nobody_bears(invoice, by=by, now=now)


def owe_what_nobody_bears(invoice: Invoice, *, by: User | None, now: datetime) -> None:
    """After the insurance took its part back: what is earned and neither paid nor borne is owed by the person, in the
    journal too, until it is settled anew or paid. The caller holds the invoice."""
    if not invoice.settlements.filter(status=InsuranceSettlement.Status.REVERSED).exists():
        return
    lines = live(invoice)
    earned = sums.total(line.amount for line in lines if line.earned_at and line.status != ChargeItem.Status.OPEN)
    on_credit = sums.total(line.amount for line in lines if line.earned_at and line.status == ChargeItem.Status.OPEN)
    there = settlement(invoice)
    borne = there.fund_paid + there.account_paid if there else NOTHING
    short = max(earned - borne - sums.of(invoice).held, NOTHING)
    more = short - (balance(accounts.PATIENT_DUE, invoice=invoice) - on_credit)
    if more:
        ledger.write(
            key=f"invoice:{invoice.pk}:owed_anew:{invoice.entries.filter(kind='owed_anew').count() + 1}",
            kind="owed_anew",
            organization_id=invoice.organization_id,
            postings=accounts.owed_anew(more),
            invoice=invoice,
            now=now,
            by=by,
        )


def settle_free(invoice: Invoice, *, by: User | None, now: datetime) -> None:
    """Nothing is owed, and the person said yes."""
    lines = live(invoice)
    add_up(invoice, lines)
    _become(invoice, lines, Status.PAID if lines else Status.VOID, by=by, now=now)


def _become(invoice: Invoice, lines: list[ChargeItem], status: str, *, by: User | None, now: datetime) -> None:
    was, invoice.status = invoice.status, status
    _times(invoice, now=now)
    invoice.save()
    if invoice.status == Status.PAID:
        _cover(invoice, [line for line in lines if line.status == ChargeItem.Status.OPEN], by=by, now=now)
        if was != Status.PAID:
            trail.publish("invoice.paid", invoice, by=by, now=now)


def _times(invoice: Invoice, *, now: datetime) -> None:
    if invoice.status == Status.PAID:
        invoice.paid_at = invoice.paid_at or now
    if invoice.status == Status.OWED and invoice.due_at is None:
        rule = rules.payment_rule(invoice.organization_id, day=clock.today(now))
        invoice.due_at = credit.due(rule.credit_days, now=now)
    invoice.ended_at = now if invoice.status in Invoice.OVER else None


def _cover(invoice: Invoice, lines: list[ChargeItem], *, by: User | None, now: datetime) -> None:
    for line in lines:
        line.status, line.paid_at = ChargeItem.Status.PAID, now
        line.save(update_fields=["status", "paid_at"])
        if line.earned_at:
            ledger.write(
                key=f"line:{line.pk}:credit_paid",
                kind="credit_paid",
                organization_id=invoice.organization_id,
                postings=accounts.credit_paid(line.amount),
                invoice=invoice,
                now=now,
                by=by,
            )


def earn(invoice: Invoice, line: ChargeItem, *, on_credit: bool = False, by: User | None, now: datetime) -> None:
    """Its booking stands: what it costs is income, once."""
    if line.earned_at:
        return
    post = accounts.earned_on_credit if on_credit else accounts.earned
    line.earned_at = now
    line.save(update_fields=["earned_at"])
    ledger.write(
        key=f"line:{line.pk}:earned",
        kind="earned",
        organization_id=invoice.organization_id,
        postings=post(line.kind, line.amount),
        invoice=invoice,
        now=now,
        by=by,
    )
    if not on_credit:
        owe_what_nobody_bears(invoice, by=by, now=now)


def unearn_on_credit(invoice: Invoice, line: ChargeItem, *, by: User | None, now: datetime) -> None:
    """Confirmed on credit and given back before it was paid: nobody owes it any more."""
    ledger.write(
        key=f"line:{line.pk}:unearned",
        kind="unearned",
        organization_id=invoice.organization_id,
        postings=accounts.unearned_on_credit(line.kind, line.amount),
        invoice=invoice,
        now=now,
        by=by,
    )
