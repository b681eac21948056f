"""A gateway's bill of a day, read as it comes into a file of our own and then copied into the database at once: no
transaction is open while anybody outside is asked, and half a bill is none. Money and references; no personal data.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TextIO

from django.db import connection
from django.db.models import Exists, OuterRef

from billing.errors import NoGateway
from billing.errors.finance import BillAway, BillUnfit
from billing.gateways import ports
from billing.models import BillRow, Payment, Reconciliation
from hospital.models import Organization

MOST = Decimal("99999999.99")
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a bill before it goes to the disk: some forty thousand rows."""

COPY = """COPY billing_billrow (reconciliation_id, kind, "order", reference, amount, fee, at) FROM STDIN"""


@contextmanager
def fetched(*, gateway: str, organization: int, day: date, reconciliation: int) -> Iterator[TextIO]:
    """The bill's rows in PostgreSQL's own text form. Raises BillAway, BillUnfit, NoGateway."""
    adapter = ports.payment(gateway, organization=organization)
    with tempfile.SpooledTemporaryFile(IN_MEMORY, mode="w+", encoding="utf-8", newline="\n") as file:
        seen: set[tuple[str, str]] = set()
        try:
            for number, line in enumerate(adapter.bill(day), start=1):
                file.write(_text(line, reconciliation, seen, number))
        except ports.Away:
            raise BillAway() from None
        except ports.Refuses:
            raise BillAway() from None
        file.seek(0)
        yield file


def _text(line: ports.BillLine, reconciliation: int, seen: set[tuple[str, str]], number: int) -> str:
    key = (line.kind, line.order or line.reference)
    fits = (
        line.kind in BillRow.Kind.values
        and key[1]
        and key not in seen
        and len(line.order) <= 32
        and len(line.reference) <= 64
        and 0 < line.amount <= MOST
        and abs(line.fee) <= line.amount
        and line.amount.as_tuple().exponent >= -2
        and line.fee.as_tuple().exponent >= -2
    )
    if not fits:
        raise BillUnfit(row=number)
    seen.add(key)
    at = line.at.isoformat() if line.at else r"\N"
    order, reference = (_escaped(each) for each in (line.order or line.reference[:32], line.reference))
    return f"{reconciliation}\t{line.kind}\t{order}\t{reference}\t{line.amount}\t{line.fee}\t{at}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\0", "")


def load(reconciliation: Reconciliation, file: TextIO) -> None:
    """In place of what was fetched before. The caller holds the day, which has no differences."""
    BillRow.objects.filter(reconciliation=reconciliation.pk).delete()
    with connection.cursor() as cursor:
        cursor.copy_expert(COPY, file)
    _leave_to_the_others(reconciliation)


def _leave_to_the_others(reconciliation: Reconciliation) -> None:
    """Houses that share a merchant's account get one bill: each keeps its own rows, and the first of them what nobody
    knows, so that it is booked and paid out once."""
    said = {"reconciliation": reconciliation.pk, "house": reconciliation.organization_id}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_billrow")  # the planner knows nothing of what was just copied
        for statement in (_PAYMENTS_OF_OTHERS, _REFUNDS_OF_OTHERS):
            cursor.execute(statement, said)
        if not _is_first_of_its_account(reconciliation):
            cursor.execute(_NOBODYS, said)


def _is_first_of_its_account(reconciliation: Reconciliation) -> bool:
    gateway, house = reconciliation.gateway, reconciliation.organization_id
    account = _account(gateway, house)
    used = Payment.objects.filter(organization=OuterRef("pk"), gateway=gateway)
    before = Organization.objects.filter(Exists(used), active=True, pk__lt=house).values_list("pk", flat=True)
    return not any(_account(gateway, each) == account for each in before)


def _account(gateway: str, house: int) -> object:
    """Whose account the house uses there; None: none any more."""
    try:
        adapter = ports.payment(gateway, organization=house)
    except NoGateway:
        return None
    return getattr(adapter, "account", adapter)


_PAYMENTS_OF_OTHERS = """
DELETE FROM billing_billrow r USING billing_payment p
 WHERE r.reconciliation_id = %(reconciliation)s AND r.kind = 'payment'
   AND p."order" = r."order" AND p.organization_id <> %(house)s
"""
_NOBODYS = """
DELETE FROM billing_billrow r
 WHERE r.reconciliation_id = %(reconciliation)s
   AND NOT EXISTS (SELECT 1 FROM billing_payment p WHERE r.kind = 'payment' AND p."order" = r."order")
   AND NOT EXISTS (SELECT 1 FROM billing_refund f WHERE r.kind = 'refund' AND f."order" = r."order")
   AND NOT EXISTS (SELECT 1 FROM billing_unownedreturn u WHERE r.kind = 'refund' AND u.number = r."order"
                    AND u.organization_id = %(house)s)
"""
_REFUNDS_OF_OTHERS = """
DELETE FROM billing_billrow r USING billing_refund f, billing_payment p
 WHERE r.reconciliation_id = %(reconciliation)s AND r.kind = 'refund'
   AND f."order" = r."order" AND p.id = f.payment_id AND p.organization_id <> %(house)s
"""
