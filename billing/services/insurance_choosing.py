"""What the person decides about the insurance: to be asked about, to be settled as shown, or to pay without (M5).

And what is settled anew by itself after a line went back: that they had agreed to.
"""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from billing.errors import AlreadyPaid, InsuranceChanged, InvoiceOver, NoGateway, NoInsuranceDocument, NoInsuranceLink
from billing.gateways import ports
from billing.models import InsuranceSettlement, Invoice, MoneyCase
from billing.policies.insurance import RUNS, Step
from billing.selectors import sums
from hospital.models import User

from . import holding, insurance_calls, insurance_steps, insuring, locks, reversing, trail
from .insurance_undoing import abandon, never_sent, start_like, undo

Status = InsuranceSettlement.Status


def begin(*, invoice: Invoice, way: str, use_account: bool = True, by: User | None, now: datetime) -> None:
    """Ask the insurance what it would bear: from the person check to the pre-settlement. Twice is once.

    Raises NoInsuranceLink, NoInsuranceDocument, AlreadyPaid, InvoiceOver, NothingToPay.
    """
    try:
        ports.insurance(organization=invoice.organization_id)
    except NoGateway:
        raise NoInsuranceLink() from None
    if not insurance_calls.is_known(invoice.patient):
        raise NoInsuranceDocument()
    _begin(invoice=invoice, way=way, use_account=use_account, by=by, now=now)
    insurance_steps.drive(invoice=invoice.pk, by=by, now=now)


@transaction.atomic
def _begin(*, invoice: Invoice, way: str, use_account: bool, by: User | None, now: datetime) -> None:
    held = locks.invoice(invoice.pk)
    if held.status == Invoice.Status.PAID:
        raise AlreadyPaid()
    row = insuring.start(invoice=held, by=by, now=now)
    if row.steps.exists():
        return
    row.by, row.way, row.use_account = by, way, use_account
    row.save(update_fields=["by", "way", "use_account"])
    reversing.open_step(row, Step.PERSON, now=now)
    trail.record("insurance.begun", held, by=by, now=now, way=way)


def agree(*, invoice: Invoice, seen: Decimal, by: User | None, now: datetime) -> None:
    """Settle as it was shown; `seen`: the cash part on the page. Raises InsuranceChanged where it is another by now."""
    first = not invoice.settlements.exclude(agreed_at=None).exists()
    if not _agree(invoice=invoice, seen=seen, by=by, now=now):
        insurance_steps.drive(invoice=invoice.pk, by=by, now=now)
        raise InsuranceChanged()
    if first:
        holding.while_settling(invoice=invoice, now=now)
    insurance_steps.drive(invoice=invoice.pk, by=by, now=now)


@transaction.atomic
def _agree(*, invoice: Invoice, seen: Decimal, by: User | None, now: datetime) -> bool:
    held = locks.invoice(invoice.pk)
    row = held.settlements.select_for_update(no_key=True).order_by("attempt").last()
    if row is not None and (row.status == Status.SETTLED or (row.agreed_at and row.status in RUNS)):
        return True
    if row is None or row.status != Status.PRESETTLED:
        return False
    if row.total != held.total:
        abandon(settlement=row, now=now, anew=True)
        return False
    if row.cash_paid != seen:
        return False
    row.agreed_at = now
    row.save(update_fields=["agreed_at"])
    reversing.open_step(row, Step.SETTLE, now=now)
    trail.record("insurance.agreed", held, by=by, now=now, amount=row.cash_paid)
    return True


def decline(*, invoice: Invoice, by: User | None, now: datetime) -> None:
    """Pay without the insurance. What was asked of it is taken back; also a settlement, as long as nothing was paid.
    Raises AlreadyPaid, InvoiceOver."""
    _decline(invoice=invoice, by=by, now=now)
    insurance_steps.drive(invoice=invoice.pk, by=by, now=now)


@transaction.atomic
def _decline(*, invoice: Invoice, by: User | None, now: datetime) -> None:
    held = locks.invoice(invoice.pk)
    if held.status in Invoice.OVER:
        raise InvoiceOver()
    if held.status == Invoice.Status.PAID or sums.of(held).held:
        raise AlreadyPaid()
    row = held.settlements.select_for_update(no_key=True).order_by("attempt").last()
    if row is not None and row.declined_at and row.status not in RUNS:
        return
    trail.record("insurance.declined", held, by=by, now=now)
    if row is None or row.status in (Status.FAILED, Status.REVERSED):
        _never_asked(held, by=by, now=now)
        return
    row.declined_at, row.agreed_at = now, None
    row.save(update_fields=["declined_at", "agreed_at"])
    if row.status == Status.SETTLED:
        reversing.ask_to_reverse(invoice=held, now=now)
    elif row.status in RUNS:
        _let_go(row, now=now)


def _never_asked(invoice: Invoice, *, by: User | None, now: datetime) -> None:
    """The choice itself, kept."""
    last = invoice.settlements.aggregate(last=Max("attempt"))["last"] or 0
    InsuranceSettlement.objects.create(
        organization_id=invoice.organization_id,
        invoice=invoice,
        attempt=last + 1,
        insurance=invoice.insurance,
        status=Status.FAILED,
        total=invoice.total,
        cash_paid=invoice.total,
        started_at=now,
        declined_at=now,
        by=by,
    )


def _let_go(row: InsuranceSettlement, *, now: datetime) -> None:
    """Whether it was settled is not known while that call has no answer: then it is found out and reversed there."""
    unknown = not never_sent(row, now=now) and row.steps.filter(step=Step.SETTLE, outcome="asked").exists()
    if unknown:
        reversing.as_if_never(row)
        row.save()
        return
    insuring.failed(settlement=row, reversal=False, now=now)
    row.refresh_from_db()
    undo(row, now=now)


@transaction.atomic
def settle_anew(*, settlement: int, now: datetime) -> InsuranceSettlement | None:
    """A settlement was reversed because lines came or went: what stays is settled again, as the person had agreed. The
    job asks. None: they pay without by now, nothing is left, it is under way already, or what the insurance answered
    did not add up: asked by itself it would answer so for ever."""
    old = InsuranceSettlement.objects.get(pk=settlement)
    held = locks.invoice(old.invoice_id)
    last = held.settlements.order_by("attempt").last()
    if last != old or old.agreed_at is None or old.status != Status.REVERSED:
        return None
    if held.status in Invoice.OVER or not held.total or held.insurance == "none":
        return None
    if old.settled_at is None and MoneyCase.objects.filter(key=f"settlement:{old.pk}").exists():
        return None
    return start_like(old, held, agreed=True, now=now)


@transaction.atomic
def ask_again(*, settlement: InsuranceSettlement, by: User, now: datetime) -> None:
    """The office has the insurance asked once more: to take back what it refused to, or to settle anew what it refused
    after a line went back. Raises InsuranceChanged where neither is waiting."""
    held = locks.invoice(settlement.invoice_id)
    row = held.settlements.select_for_update(no_key=True).get(pk=settlement.pk)
    if row.status == Status.SETTLED:
        reversing.ask_to_reverse(invoice=held, now=now)
    elif row.status == Status.REVERSING:
        reversing.open_step(row, Step.UNSETTLE, now=now)
    elif row.status == Status.FAILED and row.agreed_at and held.status not in Invoice.OVER and held.total:
        start_like(row, held, agreed=True, now=now)
    else:
        raise InsuranceChanged()
    trail.record("insurance.again", held, by=by, now=now, settlement=row.pk)
