"""What was received for an invoice and what is still owed: counted from its payments and refunds, never kept twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import Coalesce

from billing.models import Invoice, Payment
from billing.policies.splitting import NOTHING
from billing.policies.unwinding import Held


@dataclass(frozen=True)
class Sums:
    """`held`: received less all that was or will be given back. `owed` below zero: held too much."""

    due: Decimal
    held: Decimal
    payments: list[Held]

    @property
    def owed(self) -> Decimal:
        return self.due - self.held

    @property
    def too_much(self) -> Decimal:
        return max(-self.owed, NOTHING)


def held(invoice_id: int) -> list[Held]:
    """Of each payment that succeeded. A refund counts from when it is asked for, whatever the gateway says."""
    rows = Payment.objects.filter(invoice=invoice_id, status=Payment.Status.SUCCEEDED)
    rows = rows.order_by("pk").values_list("pk", "means", "amount", "succeeded_at")
    rows = rows.annotate(back=Coalesce(Sum("refunds__amount"), NOTHING))
    return [Held(pk, means, amount - back, at) for pk, means, amount, at, back in rows]


def of(invoice: Invoice) -> Sums:
    """The caller holds the invoice where the answer must last. One query."""
    payments = held(invoice.pk)
    return Sums(due=invoice.cash_paid, held=sum((each.left for each in payments), NOTHING), payments=payments)


def owed_on_credit(patient_id: int, *, organization_id: int, now: datetime) -> tuple[Decimal, bool]:
    """All that the person owes this house, and whether some of it is overdue."""
    rows = Invoice.objects.filter(patient=patient_id, organization=organization_id, status=Invoice.Status.OWED)
    rows = list(rows)
    return sum((of(row).owed for row in rows), NOTHING), any(row.due_at < now for row in rows)


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, NOTHING)
