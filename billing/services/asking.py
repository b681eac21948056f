"""支付码: what a person who wants to pay presses. One code at a time for one amount: who presses twice, or comes back
from the gateway's page, finds the same one. Call these outside a transaction of your own.
"""

from contextlib import suppress
from datetime import datetime

from django.db import transaction

from billing.errors import GatewayAway
from billing.models import Invoice, Payment
from billing.selectors import sums
from hospital.models import User

from . import invoicing, locks, paying


def start(
    *, invoice: Invoice, means: str, way: str, by: User | None, request_key: str, now: datetime, payer_ip: str = ""
) -> Payment:
    """The code that can still be paid by these means for all that is owed, or a new one. Raises as paying.begin; after
    GatewayAway the payment stands all the same, and asking again asks the gateway again."""
    there = standing(invoice, now=now, means=means, way=way)
    if there is None:
        _leave_stale(invoice, now=now)
        return paying.begin(
            invoice=invoice, means=means, way=way, by=by, request_key=request_key, now=now, payer_ip=payer_ip
        )
    if not there.asked:
        paying.ask(payment=there, payer_ip=payer_ip, now=now)
        there.refresh_from_db()
    return there


def _leave_stale(invoice: Invoice, *, now: datetime) -> None:
    """Codes for another sum, from before a line came or went: closed, as far as their gateway answers."""
    owed = sums.of(invoice).owed
    rows = invoice.payments.filter(status=Payment.Status.PENDING).exclude(gateway="").exclude(amount=owed)
    for payment in rows.select_related("organization", "invoice").order_by("pk"):
        with suppress(GatewayAway):
            leave(payment=payment, now=now)


def standing(invoice: Invoice, *, now: datetime, **of) -> Payment | None:
    """The newest payment that waits, is not over, and is for what is owed now."""
    rows = invoice.payments.filter(status=Payment.Status.PENDING, expires_at__gt=now, **of).exclude(gateway="")
    return rows.filter(amount=sums.of(invoice).owed).select_related("organization", "invoice").order_by("-pk").first()


def look(*, payment: Payment, now: datetime) -> Payment:
    """The payer says they have paid: the gateway is asked at once."""
    paying.find_out(payment=payment, now=now)
    payment.refresh_from_db()
    return payment


def leave(*, payment: Payment, now: datetime) -> Payment:
    """Another way is wanted: the code is closed at the gateway first, so that nobody can pay both. Raises GatewayAway:
    it may be paid yet, and the query job closes it as soon as the gateway answers."""
    Payment.objects.filter(pk=payment.pk, status=Payment.Status.PENDING).update(expires_at=now, next_query_at=now)
    payment.refresh_from_db()
    paying.find_out(payment=payment, now=now)
    payment.refresh_from_db()
    if payment.status == Payment.Status.PENDING:
        raise GatewayAway()
    return payment


@transaction.atomic
def tidy(*, invoice: Invoice, now: datetime) -> Invoice:
    """What ran out while nobody paid leaves the invoice."""
    row = locks.invoice(invoice.pk)
    invoicing.tidy(row, by=None, now=now)
    return row
