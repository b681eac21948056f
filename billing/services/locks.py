"""Locks of the money, after all those of bookings: invoice, its lines, payments, refunds. All no_key."""

from django.db import connection

from billing.models import Invoice, Payment, Refund

_DELIVERY = 7_313_005  # with the line's id


def invoice(pk: int) -> Invoice:
    """The row for this transaction. Who holds it may write its lines, payments and refunds."""
    return Invoice.objects.select_for_update(no_key=True).get(pk=pk)


def payment(pk: int) -> Payment:
    """The caller holds its invoice."""
    return Payment.objects.select_for_update(no_key=True).get(pk=pk)


def refund(pk: int) -> Refund:
    """The caller holds its invoice."""
    return Refund.objects.select_for_update(no_key=True, of=("self",)).select_related("payment").get(pk=pk)


def delivery(line: int) -> None:
    """One at a time confirms this line, until the end of the transaction; asked for before any row is locked. A number
    booked anew is the patient's first and the slot's after, the other way round than everywhere else: two who hear of
    the same money would wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [_DELIVERY, line])
