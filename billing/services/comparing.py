"""The bill beside our books, in SQL, whole days at once: a row is ours by our number, else by the gateway's.

Our day and the gateway's need not be the same: a payment that we heard of after midnight stands on yesterday's bill
and is found there; one that stands on tomorrow's is a difference until tomorrow.
"""

from datetime import datetime

from django.db import connection

from billing.models import Reconciliation
from billing.policies.reconciling import MIDNIGHT, of_day


def compare(reconciliation: Reconciliation, *, now: datetime) -> None:
    """List what differs and is not listed yet, and count. The caller holds the day, its rows are loaded."""
    first, end = of_day(reconciliation.day)
    said = {
        "reconciliation": reconciliation.pk,
        "house": reconciliation.organization_id,
        "gateway": reconciliation.gateway,
        "first": first,
        "end": end,
        "midnight": end - MIDNIGHT,
        "day": reconciliation.day,
        "now": now,
    }
    with connection.cursor() as cursor:
        for statement in (_PAYMENTS, _REFUNDS, _PAYMENTS_OF_OURS_ONLY, _REFUNDS_OF_OURS_ONLY):
            cursor.execute(statement, said)
        cursor.execute(_COUNT, said)
        counted = cursor.fetchone()
    names = ("theirs", "ours", "received", "given_back", "fees")
    for name, value in zip(names, counted, strict=True):
        setattr(reconciliation, name, value)


def turned_up(reconciliation: Reconciliation) -> list[int]:
    """Differences of earlier days (ours only) whose row stands on this day's bill: ids, also of those settled."""
    said = {"reconciliation": reconciliation.pk, "house": reconciliation.organization_id,
            "gateway": reconciliation.gateway, "day": reconciliation.day}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TURNED_UP, said)
        return [pk for (pk,) in cursor.fetchall()]


_NEW = """
INSERT INTO billing_difference
       (reconciliation_id, kind, row_id, payment_id, refund_id, ours, theirs, cure, note)
"""
_NOT_LISTED = """NOT EXISTS (SELECT 1 FROM billing_difference d
                    WHERE d.reconciliation_id = r.reconciliation_id AND d.row_id = r.id)"""

_PAYMENTS = (
    _NEW  # noqa: S608  constants
    + f"""
SELECT r.reconciliation_id,
       CASE WHEN p.id IS NULL OR p.amount = r.amount THEN 'theirs_only' ELSE 'amount' END, r.id, p.id, NULL,
       CASE WHEN p.amount <> r.amount THEN p.amount END, r.amount,
       CASE WHEN p.id IS NULL THEN 'refund' WHEN p.status = 'succeeded' THEN 'by_hand'
            WHEN p.amount = r.amount THEN 'take' ELSE 'refund' END, ''
  FROM billing_billrow r
  LEFT JOIN billing_payment a ON a."order" = r."order" AND a.gateway = %(gateway)s AND a.organization_id = %(house)s
  LEFT JOIN billing_payment b ON a.id IS NULL AND b.gateway = %(gateway)s AND b.reference = r.reference
                             AND r.reference <> '' AND b.organization_id = %(house)s AND b.status = 'succeeded'
  LEFT JOIN billing_payment p ON p.id = coalesce(a.id, b.id)
 WHERE r.reconciliation_id = %(reconciliation)s AND r.kind = 'payment'
   AND (p.id IS NULL OR p.status <> 'succeeded' OR p.amount <> r.amount)
   AND NOT EXISTS (SELECT 1 FROM billing_unownedreturn u
                    WHERE u.gateway = %(gateway)s AND u."order" = r."order" AND u.amount = r.amount)
   AND NOT EXISTS (SELECT 1 FROM billing_moneycase c
                     JOIN billing_ledgerentry e ON e.key = 'case:' || c.id || ':transfer'
                    WHERE c.payment_id = p.id AND c.amount = r.amount)
   AND {_NOT_LISTED}
"""
)
"""Money that was sent back whole before the bill came is explained already: by the gateway (UnownedReturn), or by
transfer from the bank."""

_REFUNDS = (
    _NEW  # noqa: S608
    + f"""
SELECT r.reconciliation_id,
       CASE WHEN f.id IS NULL OR f.amount = r.amount THEN 'theirs_only' ELSE 'amount' END, r.id, NULL, f.id,
       CASE WHEN f.amount <> r.amount THEN f.amount END, r.amount,
       CASE WHEN f.id IS NOT NULL AND f.amount = r.amount AND f.status <> 'done' THEN 'take' ELSE 'by_hand' END, ''
  FROM billing_billrow r
  LEFT JOIN (billing_refund f JOIN billing_payment p ON p.id = f.payment_id AND p.gateway = %(gateway)s
                                                    AND p.organization_id = %(house)s) ON f."order" = r."order"
 WHERE r.reconciliation_id = %(reconciliation)s AND r.kind = 'refund'
   AND (f.id IS NULL OR f.status <> 'done' OR f.means <> %(gateway)s OR f.amount <> r.amount)
   AND NOT EXISTS (SELECT 1 FROM billing_unownedreturn u WHERE u.number = r."order" AND u.amount = r.amount)
   AND {_NOT_LISTED}
"""
)

_ON_A_BILL = """
       SELECT 1 FROM billing_billrow r JOIN billing_reconciliation c ON c.id = r.reconciliation_id
        WHERE c.organization_id = %(house)s AND c.gateway = %(gateway)s AND c.day BETWEEN %(day)s - 3 AND %(day)s + 3
"""
_CURE = "CASE WHEN {at} >= %(midnight)s THEN 'next_day' ELSE 'by_hand' END"

_PAYMENTS_OF_OURS_ONLY = (
    _NEW  # noqa: S608
    + f"""
SELECT %(reconciliation)s, 'ours_only', NULL, p.id, NULL, p.amount, NULL, {_CURE.format(at="p.succeeded_at")}, ''
  FROM billing_payment p
 WHERE p.gateway = %(gateway)s AND p.organization_id = %(house)s AND p.status = 'succeeded'
   AND p.succeeded_at >= %(first)s AND p.succeeded_at < %(end)s
   AND NOT EXISTS ({_ON_A_BILL} AND r.kind = 'payment' AND r."order" = p."order")
   AND NOT EXISTS (SELECT 1 FROM billing_billrow r WHERE r.reconciliation_id = %(reconciliation)s
                    AND r.kind = 'payment' AND r.reference = p.reference AND p.reference <> '')
   AND NOT EXISTS (SELECT 1 FROM billing_difference d WHERE d.payment_id = p.id)
"""
)
_REFUNDS_OF_OURS_ONLY = (
    _NEW  # noqa: S608
    + f"""
SELECT %(reconciliation)s, 'ours_only', NULL, NULL, f.id, f.amount, NULL, {_CURE.format(at="f.done_at")}, ''
  FROM billing_refund f JOIN billing_payment p ON p.id = f.payment_id
 WHERE f.means = %(gateway)s AND p.gateway = %(gateway)s AND p.organization_id = %(house)s AND f.status = 'done'
   AND f.done_at >= %(first)s AND f.done_at < %(end)s
   AND NOT EXISTS ({_ON_A_BILL} AND r.kind = 'refund' AND r."order" = f."order")
   AND NOT EXISTS (SELECT 1 FROM billing_difference d WHERE d.refund_id = f.id)
"""
)
"""What stands in a difference of any day already (taken from an older bill, or still open) is not listed twice."""

_COUNT = """
SELECT (SELECT count(*) FROM billing_billrow WHERE reconciliation_id = %(reconciliation)s),
       (SELECT count(*) FROM billing_payment WHERE gateway = %(gateway)s AND organization_id = %(house)s
           AND status = 'succeeded' AND succeeded_at >= %(first)s AND succeeded_at < %(end)s)
     + (SELECT count(*) FROM billing_refund f JOIN billing_payment p ON p.id = f.payment_id
         WHERE f.means = %(gateway)s AND p.gateway = %(gateway)s AND p.organization_id = %(house)s
           AND f.status = 'done' AND f.done_at >= %(first)s AND f.done_at < %(end)s),
       coalesce(sum(amount) FILTER (WHERE kind = 'payment'), 0),
       coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0),
       coalesce(sum(fee), 0)
  FROM billing_billrow WHERE reconciliation_id = %(reconciliation)s
"""

_TURNED_UP = """
SELECT d.id FROM billing_difference d
  JOIN billing_reconciliation c ON c.id = d.reconciliation_id
  LEFT JOIN billing_payment p ON p.id = d.payment_id
  LEFT JOIN billing_refund f ON f.id = d.refund_id
  JOIN billing_billrow r ON r.reconciliation_id = %(reconciliation)s
       AND r."order" = coalesce(p."order", f."order")
       AND r.kind = CASE WHEN p.id IS NULL THEN 'refund' ELSE 'payment' END
 WHERE c.organization_id = %(house)s AND c.gateway = %(gateway)s AND c.day < %(day)s AND d.kind = 'ours_only'
"""
