"""What other systems are told of the money (O1): ids, codes and yuan, never who the patient is.

What an event says of a payment or a refund is what can't change any more; the invoice's figures are as they stand when
it is sent, so the last event of an invoice is true.
"""

from billing.models import ChargeItem, Invoice, Payment, Refund
from billing.selectors import sums
from hospital.models import Fact

TOPICS = (
    "invoice.opened",
    "invoice.paid",
    "invoice.owed",
    "payment.succeeded",
    "line.confirmed",
    "line.returned",
    "refund.asked",
    "refund.done",
    "refund.refused",
)


def organization_of(fact: Fact) -> int | None:
    return fact.payload.get("organization")


def data_of(fact: Fact) -> dict | None:
    """The `data` of an event; None when there is nothing to tell."""
    said = fact.payload
    row = Invoice.objects.select_related("organization").filter(pk=said["invoice"]).first()
    if row is None:
        return None
    stands = sums.of(row)
    return {
        "invoice": row.pk,
        "status": row.status,
        "total": str(row.total),
        "fund_paid": str(row.fund_paid),
        "account_paid": str(row.account_paid),
        "cash_paid": str(row.cash_paid),
        "held": str(stands.held),
        "line": _line(said.get("line")),
        "payment": _payment(said.get("payment")),
        "refund": _refund(said.get("refund")),
    }


def _line(pk: int | None) -> dict | None:
    row = pk and ChargeItem.objects.filter(pk=pk).first()
    if not row:
        return None
    return {
        "line": row.pk, "kind": row.kind, "appointment": row.appointment_id, "exam": row.exam_id, "code": row.code,
        "amount": str(row.amount), "status": row.status,
    }  # fmt: skip


def _payment(pk: int | None) -> dict | None:
    row = pk and Payment.objects.filter(pk=pk).first()
    if not row:
        return None
    return {"payment": row.pk, "means": row.means, "way": row.way, "amount": str(row.amount), "order": row.order,
            "reference": row.reference}  # fmt: skip


def _refund(pk: int | None) -> dict | None:
    row = pk and Refund.objects.filter(pk=pk).first()
    if not row:
        return None
    return {"refund": row.pk, "payment": row.payment_id, "line": row.line_id, "amount": str(row.amount),
            "reason": row.reason, "status": row.status, "order": row.order}  # fmt: skip
