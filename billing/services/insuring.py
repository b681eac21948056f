"""The insurance's part of an invoice (M5): what its answers do to the books. Who calls the port asks a committed step
(reversing.open_step) outside of any lock, and tells the answer here. Locks: invoice, settlement.
"""

from datetime import datetime

from django.db import transaction

from billing.errors import InvoiceOver, NothingToPay
from billing.models import InsuranceSettlement, InsuranceStep, Invoice, MoneyCase
from billing.policies import accounts
from billing.policies.splitting import Split
from hospital.models import User

from . import cases, ledger, locks, refunding, standing, trail
from .reversing import ask_to_reverse, open_step

Status = InsuranceSettlement.Status
Outcome = InsuranceStep.Outcome
Step = InsuranceStep.Step

__all__ = ["answered", "ask_to_reverse", "failed", "open_step", "presettled", "reversed_", "settled", "start", "to_ask"]


@transaction.atomic
def start(*, invoice: Invoice, by: User | None, now: datetime) -> InsuranceSettlement:
    """A settlement of all that is on the invoice now; the one under way, if there is one. Raises InvoiceOver (nothing
    stands), NothingToPay (it is settled, or the person has no insurance)."""
    invoice = locks.invoice(invoice.pk)
    if invoice.status in Invoice.OVER:
        raise InvoiceOver()
    there = standing.settlements(invoice)
    for row in there:
        if row.status in (Status.RUNNING, Status.PRESETTLED):
            return row
    if (
        any(row.status in InsuranceSettlement.STANDS for row in there)
        or invoice.insurance == "none"
        or not invoice.total
    ):
        raise NothingToPay()
    return InsuranceSettlement.objects.create(
        organization_id=invoice.organization_id,
        invoice=invoice,
        attempt=max((row.attempt for row in there), default=0) + 1,
        insurance=invoice.insurance,
        total=invoice.total,
        cash_paid=invoice.total,
        started_at=now,
    )


@transaction.atomic
def answered(*, step: InsuranceStep, outcome: str, now: datetime, numbers: dict | None = None, code: str = "") -> bool:
    """Write what a step came to; False: it was written before. `numbers` are references, without personal data."""
    rows = InsuranceStep.objects.filter(pk=step.pk, outcome=Outcome.ASKED)
    said = {"outcome": outcome, "answered_at": now, "next_try_at": None, "refusal": code[:40]}
    return bool(rows.update(**said, numbers=numbers or {}))


@transaction.atomic
def presettled(*, settlement: InsuranceSettlement, split: Split, now: datetime) -> InsuranceSettlement:
    """What it would be: shown before anybody agrees. Nothing is posted."""
    _invoice, row = _locked(settlement)
    if row.status in (Status.RUNNING, Status.PRESETTLED):
        row.status, row.fund_paid, row.account_paid, row.cash_paid = (
            Status.PRESETTLED,
            split.fund,
            split.account,
            split.cash,
        )
        row.save()
    return row


@transaction.atomic
def settled(
    *, settlement: InsuranceSettlement, split: Split, number: str, by: User | None, now: datetime
) -> InsuranceSettlement:
    """The insurance has settled: it owes us its part, the person the rest. Twice is once. What the person paid too much
    by now (a line was given back before) goes back. Where lines changed meanwhile, it is reversed at once."""
    invoice, row = _locked(settlement)
    if row.settled_at:
        return row
    row.status, row.number, row.settled_at = Status.SETTLED, number, now
    row.total, row.fund_paid, row.account_paid, row.cash_paid = split.total, split.fund, split.account, split.cash
    row.save()
    _post(invoice, row, "settled", accounts.settled(split.fund, split.account), by=by, now=now)
    if invoice.total != split.total:  # its lines', while somebody holds it
        ask_to_reverse(invoice=invoice, now=now)
        standing.owe_what_nobody_bears(invoice, by=by, now=now)
        return row
    stands = standing.follow(invoice, by=by, now=now)
    refunding.give_back_too_much(invoice, stands, reason="resettled", by=by, now=now)
    trail.publish("insurance.settled", invoice, by=by, now=now, settlement=row.pk)
    return row


@transaction.atomic
def reversed_(*, settlement: InsuranceSettlement, by: User | None, now: datetime) -> InsuranceSettlement:
    """It is taken back: lines that waited for it go back now; what stays is the person's own until it is settled anew
    (`start`), which is told by invoice.unsettled. Twice is once."""
    invoice, row = _locked(settlement)
    if row.status == Status.REVERSED:
        return row
    row.status, row.reversed_at = Status.REVERSED, now
    row.save(update_fields=["status", "reversed_at"])
    if row.settled_at:
        _post(invoice, row, "reversed", accounts.settlement_reversed(row.fund_paid, row.account_paid), by=by, now=now)
    refunding.give_back_returning(invoice, by=by, now=now)
    if invoice.status not in Invoice.OVER:
        trail.publish("invoice.unsettled", invoice, by=by, now=now, settlement=row.pk)
    return row


@transaction.atomic
def failed(*, settlement: InsuranceSettlement, now: datetime, reversal: bool) -> InsuranceSettlement:
    """The insurance refused. `reversal`: the settlement still stands, and the office hears of it; else it never was,
    and the person pays all or is settled anew."""
    invoice, row = _locked(settlement)
    row.status = Status.SETTLED if reversal else Status.FAILED
    row.save(update_fields=["status"])
    if reversal:
        about = {"organization_id": invoice.organization_id, "invoice": invoice, "amount": row.fund_paid}
        cases.keep(kind=MoneyCase.Kind.UNSETTLED, key=f"settlement:{row.pk}", now=now, **about)
    return row


def _locked(settlement: InsuranceSettlement) -> tuple[Invoice, InsuranceSettlement]:
    invoice = locks.invoice(settlement.invoice_id)
    return invoice, InsuranceSettlement.objects.select_for_update(no_key=True).get(pk=settlement.pk)


def _post(invoice: Invoice, row: InsuranceSettlement, what: str, postings, *, by: User | None, now: datetime) -> None:
    ledger.write(
        key=f"settlement:{row.pk}:{what}",
        kind=what,
        organization_id=invoice.organization_id,
        postings=postings,
        invoice=invoice,
        settlement=row,
        now=now,
        by=by,
    )


def to_ask(*, now: datetime, limit: int = 100) -> list[InsuranceStep]:
    """Steps that were never answered: asked (again, by the same message number) by the step job."""
    rows = InsuranceStep.objects.filter(outcome=Outcome.ASKED, next_try_at__lte=now).select_related("settlement")
    return list(rows.order_by("next_try_at")[:limit])
