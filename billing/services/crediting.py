"""先诊疗后付费 (M4): confirmed now, paid once before leaving or within the agreement's days. Locks: invoice."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from billing.errors import InvoiceOver, NothingToPay
from billing.models import ChargeItem, Invoice
from billing.policies import credit as policy
from billing.selectors import rules, sums
from hospital.models import Patient, User

from . import delivering, locks, standing, trail


def put_on_credit(*, invoice: Invoice, by: User | None, now: datetime) -> delivering.Delivered:
    """Everything on the invoice is confirmed without paying; what can't be is off the invoice. Twice is once.

    Raises NoCredit, CreditOverdue, CreditUsedUp, InvoiceOver, NothingToPay. Call it outside a transaction.
    """
    _owe(invoice=invoice, by=by, now=now)
    return confirm(invoice=invoice.pk, by=by, now=now)


def confirm(*, invoice: int, by: User | None, now: datetime) -> delivering.Delivered:
    """What is owed is confirmed; what can't be leaves the invoice, and the person is told (line.returned)."""
    return delivering.confirm_on_credit(invoice=invoice, by=by, now=now)


def to_confirm(*, limit: int = 200) -> list[int]:
    """Invoices on credit with a booking that nobody confirmed: what a crash left, or somebody was busy."""
    lines = ChargeItem.objects.filter(status=ChargeItem.Status.OPEN, earned_at__isnull=False)
    lines = lines.filter(Q(appointment__status="pending") | Q(exam__status="pending"))
    lines = lines.filter(invoice__status=Invoice.Status.OWED).order_by("earned_at")
    return list(dict.fromkeys(lines.values_list("invoice", flat=True)[:limit]))


@transaction.atomic
def _owe(*, invoice: Invoice, by: User | None, now: datetime) -> None:
    """The person's lock comes first: two baskets at once must not use the same limit."""
    Patient.objects.select_for_update(no_key=True).get(pk=invoice.patient_id)
    row = locks.invoice(invoice.pk)
    if row.status == Invoice.Status.OWED:
        return
    if row.status != Invoice.Status.OPEN:
        raise InvoiceOver()
    wanted = sums.of(row).owed
    if wanted <= 0:
        raise NothingToPay()
    agreed = rules.credit_of(row.patient_id, organization_id=row.organization_id, now=now)
    owed, overdue = sums.owed_on_credit(row.patient_id, organization_id=row.organization_id, now=now)
    if refusal := policy.refusal(agreed, owed=owed, more=wanted, overdue=overdue):
        raise refusal
    owe(row, days=agreed.days, by=by, now=now)
    trail.record("invoice.on_credit", row, by=by, now=now, amount=row.total)


def owe(row: Invoice, *, days: int, by: User | None, now: datetime) -> None:
    """All of an open invoice. The caller holds it."""
    row.status, row.due_at = Invoice.Status.OWED, policy.due(days, now=now)
    row.save()
    for line in row.lines.filter(status=ChargeItem.Status.OPEN).order_by("pk"):
        standing.earn(row, line, on_credit=True, by=by, now=now)
    trail.publish("invoice.owed", row, by=by, now=now)
