"""Locks of the money, after all those of bookings: invoice, its lines, payments, refunds. All no_key."""

from billing.models import Invoice, Payment, Refund


def invoice(pk: int) -> Invoice:
    """The row for this transaction. Who holds it may write its lines, payments and refunds."""
    rows = Invoice.objects.select_for_update(no_key=True, of=("self",)).select_related("organization", "patient")
    return rows.get(pk=pk)


def payment(pk: int) -> Payment:
    """The caller holds its invoice."""
    return Payment.objects.select_for_update(no_key=True).get(pk=pk)


def refund(pk: int) -> Refund:
    """The caller holds its invoice."""
    return Refund.objects.select_for_update(no_key=True, of=("self",)).select_related("payment").get(pk=pk)
