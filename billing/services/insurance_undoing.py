"""Taking back what was asked of the insurance before anything was settled, and opening the next step. No port in here;
the caller of `open_next` and `undo` holds invoice and settlement."""

from datetime import datetime

from django.db import transaction

from billing.models import InsuranceSettlement, InsuranceStep, Invoice
from billing.policies import insurance as policy
from billing.policies.insurance import RUNS, Step

from . import insuring, locks
from .reversing import open_step

Status = InsuranceSettlement.Status
Outcome = InsuranceStep.Outcome
WITHDRAWN = "withdrawn"
"""Why a step has no answer: it was never sent. Not a refusal of the insurance."""


def locked(settlement: InsuranceSettlement) -> tuple[Invoice, InsuranceSettlement]:
    """In the house's order."""
    invoice = locks.invoice(settlement.invoice_id)
    return invoice, InsuranceSettlement.objects.select_for_update(no_key=True).get(pk=settlement.pk)


def done_of(row: InsuranceSettlement) -> set[str]:
    return set(row.steps.filter(outcome=Outcome.DONE).values_list("step", flat=True))


def open_next(row: InsuranceSettlement, *, now: datetime) -> None:
    """The step that follows, forward or back."""
    if row.status not in RUNS:
        undo(row, now=now)
    elif step := policy.next_forward(done_of(row), agreed=row.agreed_at is not None):
        open_step(row, step, now=now)


def undo(row: InsuranceSettlement, *, now: datetime) -> None:
    """The next step back, unless one is open (its answer opens the next)."""
    if row.status in (Status.FAILED, Status.REVERSED, Status.REVERSING) and not _open(row).exists():
        step = policy.next_backward(done_of(row))
        if step and not row.steps.filter(step=step, outcome=Outcome.REFUSED).exists():
            open_step(row, step, now=now)


def _open(row: InsuranceSettlement):
    return row.steps.filter(outcome=Outcome.ASKED)


def never_sent(row: InsuranceSettlement, *, now: datetime, mine: bool = False) -> bool:
    """Take the open step off the list if nobody has asked it yet (`mine`: but for the caller's own, not yet sent).
    False: it may have arrived."""
    rows = _open(row).filter(tries__lte=1 if mine else 0)
    rows.update(outcome=Outcome.REFUSED, refusal=WITHDRAWN, answered_at=now, next_try_at=None)
    return not _open(row).exists()


@transaction.atomic
def abandon(*, settlement: InsuranceSettlement, now: datetime, anew: bool = False) -> None:
    """It will not be settled: what was registered and uploaded for it is taken back. `anew`: a step that was just to be
    sent found the invoice changed; where it is still due, what is on it now is asked about instead."""
    invoice, row = locked(settlement)
    never_sent(row, now=now, mine=anew)
    wanted = invoice.status in Invoice.DUE or (invoice.status == Invoice.Status.PAID and row.agreed_at)
    again = anew and row.status in RUNS and wanted and invoice.total > 0
    if row.status in RUNS:
        insuring.failed(settlement=row, reversal=False, now=now)
        row.refresh_from_db()
    undo(row, now=now)
    if again:
        settled_before = invoice.settlements.exclude(settled_at=None).exists()
        start_like(row, invoice, agreed=settled_before and row.agreed_at is not None, now=now)


def start_like(row: InsuranceSettlement, invoice: Invoice, *, agreed: bool, now: datetime) -> InsuranceSettlement:
    """A new settlement of what is on the invoice now, by whom and where the one before was. The caller holds both."""
    new = insuring.start(invoice=invoice, by=row.by, now=now)
    new.by, new.way, new.use_account = row.by, row.way, row.use_account
    new.agreed_at = now if agreed else None
    new.save(update_fields=["by", "way", "use_account", "agreed_at"])
    open_step(new, Step.PERSON, now=now)
    return new
