"""What an invoice is after something changed on it: its total, who bears it, its state, what is owed and what is too
much. Every service that touches lines, payments or the insurance's part ends here, holding the invoice."""

from datetime import datetime

from billing.models import ChargeItem, InsuranceSettlement, Invoice
from billing.policies import accounts, credit, paying
from billing.policies.splitting import NOTHING
from billing.selectors import rules, sums
from billing.selectors.ledger import balance
from billing.selectors.sums import Sums
from hospital import clock
from hospital.models import Patient, User

from . import ledger, trail

Status = Invoice.Status


def live(invoice: Invoice) -> list[ChargeItem]:
    return list(invoice.lines.exclude(status__in=ChargeItem.GONE).order_by("pk"))


def live_with_bookings(invoice: Invoice) -> list[ChargeItem]:
    rows = invoice.lines.exclude(status__in=ChargeItem.GONE).select_related("appointment__slot", "exam")
    return list(rows.order_by("pk"))


def settlement(invoice: Invoice) -> InsuranceSettlement | None:
    """The one that stands (settled, or being reversed)."""
    return _standing(settlements(invoice))


def settlements(invoice: Invoice) -> list[InsuranceSettlement]:
    """All there were. Who has no insurance has none: an invoice keeps the kind that it was opened with."""
    return [] if invoice.insurance == Patient.Insurance.NONE else list(invoice.settlements.order_by("pk"))


def _standing(rows: list[InsuranceSettlement]) -> InsuranceSettlement | None:
    return next((row for row in rows if row.status in InsuranceSettlement.STANDS), None)


def add_up(invoice: Invoice, lines: list[ChargeItem], there: InsuranceSettlement | None) -> None:
    """Total and who bears it. While a settlement stands, lines neither come nor go: it is reversed first."""
    invoice.total = sums.total(line.amount for line in lines)
    invoice.fund_paid = there.fund_paid if there else NOTHING
    invoice.account_paid = there.account_paid if there else NOTHING
    invoice.cash_paid = invoice.total - invoice.fund_paid - invoice.account_paid


def refresh(invoice: Invoice, lines: list[ChargeItem], *, now: datetime) -> None:
    """After lines came or went before anything was paid, these are left: its total, and void when there are none.
    Confirms nothing."""
    add_up(invoice, lines, settlement(invoice))
    if not lines:
        invoice.status = Status.VOID
        _times(invoice, now=now)
    invoice.save()


def follow(invoice: Invoice, *, by: User | None, now: datetime) -> Sums:
    """Write what the invoice is now; what is covered becomes paid. Publishes invoice.paid when it was not before. What
    costs nothing is not paid by that alone: somebody must say yes (settle_free)."""
    lines, insured = live(invoice), settlements(invoice)
    add_up(invoice, lines, _standing(insured))
    stands = sums.of(invoice)
    on_credit = invoice.status in (Status.OWED, Status.PAID)
    received = bool(stands.payments) or any(row.settled_at for row in insured)
    found = paying.standing(live=len(lines), owed=stands.owed, received=received, on_credit=on_credit)
    asked_nothing_yet = found == Status.PAID and invoice.status == Status.OPEN and not received
    _become(invoice, lines, Status.OPEN if asked_nothing_yet else found, by=by, now=now)
    _owe(invoice, insured, by=by, now=now)
    return stands


def owe_what_nobody_bears(invoice: Invoice, *, by: User | None, now: datetime) -> None:
    """After the insurance took its part back: what is earned and neither paid nor borne is owed by the person, in the
    journal too, until it is settled anew or paid. The caller holds the invoice."""
    _owe(invoice, settlements(invoice), by=by, now=now)


def _owe(invoice: Invoice, insured: list[InsuranceSettlement], *, by: User | None, now: datetime) -> None:
    if not any(row.status == InsuranceSettlement.Status.REVERSED for row in insured):
        return
    lines = live(invoice)
    earned = sums.total(line.amount for line in lines if line.earned_at and line.status != ChargeItem.Status.OPEN)
    on_credit = sums.total(line.amount for line in lines if line.earned_at and line.status == ChargeItem.Status.OPEN)
    there = _standing(insured)
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
    add_up(invoice, lines, settlement(invoice))
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
    ChargeItem.objects.filter(pk__in=[line.pk for line in lines]).update(status=ChargeItem.Status.PAID, paid_at=now)
    for line in lines:
        line.status, line.paid_at = ChargeItem.Status.PAID, now
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


def earn(
    invoice: Invoice,
    line: ChargeItem,
    *,
    on_credit: bool = False,
    also: tuple[str, ...] = (),
    by: User | None,
    now: datetime,
) -> None:
    """Its booking stands: what it costs is income, once. `also`: what else changed on the line, written along."""
    if line.earned_at:
        if also:
            line.save(update_fields=also)
        return
    post = accounts.earned_on_credit if on_credit else accounts.earned
    line.earned_at = now
    line.save(update_fields=["earned_at", *also])
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
