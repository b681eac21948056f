"""A gateway's day of 100,000 rows beside ours: read, copied, matched in SQL, its differences listed, the day closed."""

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as wall
from decimal import Decimal

from django.db import connection

from bench import table
from bench.seed import Ground
from bench.sizes import Sizes
from billing.gateways import ports
from billing.models import Difference, Invoice, Payment, Reconciliation, Refund
from billing.services import reconciling
from hospital import clock

TARGET, CLOSED_TARGET = 10, 10  # s: "seconds"
ODD = 20
"""So many each of: only ours, only theirs, another amount, a refund whose answer was lost."""

PAYMENTS = """
INSERT INTO billing_payment (invoice_id, organization_id, means, way, amount, applied, status, gateway, "order",
       reference, asked, asked_at, queries, succeeded_at)
SELECT %(invoice)s, %(house)s, 'wechat', 'phone', 20, 20, 'succeeded', 'wechat', 'PB' || %(tag)s || n,
       'T' || %(tag)s || n, '{}', at, 0, at
  FROM generate_series(1, %(many)s) n, LATERAL (SELECT %(first)s + n * interval '0.8 seconds' AS at) moment
"""
REFUNDS = """
INSERT INTO billing_refund (payment_id, amount, reason, status, means, "order", reference, refusal, asked_at, tries,
       done_at)
SELECT id, 20, 'cancelled', CASE WHEN n <= %(odd)s THEN 'asked' ELSE 'done' END, 'wechat', 'RB' || %(tag)s || n,
       'RT' || %(tag)s || n, '', succeeded_at, 0, CASE WHEN n > %(odd)s THEN succeeded_at END
  FROM (SELECT *, row_number() OVER (ORDER BY id DESC) AS n FROM billing_payment WHERE invoice_id = %(invoice)s) p
 WHERE n <= %(many)s
"""


class Bill:
    """A gateway that has nothing but its bill."""

    code = "wechat"

    def __init__(self, payments: int, refunds: int, tag: str, at: datetime, *, odd: int):
        self.payments, self.refunds, self.tag, self.at, self.odd = payments, refunds, tag, at, odd

    def bill(self, _day: date) -> Iterator[ports.BillLine]:
        price, fee, none = Decimal(20), Decimal("0.04"), Decimal(0)
        for n in range(1 + self.odd, self.payments + 1):  # the first are only ours
            amount = price + 1 if n <= 2 * self.odd else price
            yield ports.BillLine("payment", f"PB{self.tag}{n}", f"T{self.tag}{n}", amount, fee, self.at)
        for n in range(self.odd):
            yield ports.BillLine("payment", f"X{self.tag}{n}", f"TX{self.tag}{n}", price, fee, self.at)
        for n in range(1, self.refunds + 1):
            yield ports.BillLine("refund", f"RB{self.tag}{n}", f"RT{self.tag}{n}", price, none, self.at)


def measure(sizes: Sizes, ground: Ground) -> list[table.Row]:
    """One day that has differences, one that fits and is closed."""
    day = clock.today(clock.now()) - timedelta(days=1)
    return [
        _measured(sizes, ground, day - timedelta(days=2), odd=min(ODD, sizes.bill_rows // 100)),
        _measured(sizes, ground, day, odd=0),
    ]


def _measured(sizes: Sizes, ground: Ground, day: date, *, odd: int) -> table.Row:
    refunds = sizes.bill_rows // 20
    payments = sizes.bill_rows - refunds
    tag = f"{day:%d}-"
    _seed(ground, day, payments=payments, refunds=refunds, tag=tag, odd=odd)
    gateway = Bill(payments, refunds, tag, clock.at(day, wall(12)), odd=odd)
    ports.register("payment", gateway, organization=ground.organization)
    try:
        began = time.perf_counter()
        row = reconciling.reconcile(
            organization_id=ground.organization,
            gateway="wechat",
            day=day,
            now=clock.at(day + timedelta(days=1), wall(10)),
        )
        took = time.perf_counter() - began
    finally:
        ports.forget("payment", "wechat", organization=ground.organization)
    found = Difference.objects.filter(reconciliation=row).count()
    assert found == 4 * odd, found
    assert row.status == (Reconciliation.Status.COMPARED if odd else Reconciliation.Status.CLOSED)
    what = f"with {found} differences listed" if odd else "all of it fits: closed"
    return table.measured(
        f"reconciliation of {row.theirs:,} bill rows, {what}", [took], target=TARGET, unit="s",
        note="a bill read in this process; one transaction, four statements",
    )  # fmt: skip


def _seed(ground: Ground, day: date, *, payments: int, refunds: int, tag: str, odd: int) -> None:
    first = clock.at(day, wall(0, 1))
    invoice = Invoice.objects.create(
        organization_id=ground.organization, patient_id=ground.patients[0], insurance="none", opened_at=first
    )
    said = {"invoice": invoice.pk, "house": ground.organization, "tag": tag, "first": first, "odd": odd}
    with connection.cursor() as cursor:
        cursor.execute(PAYMENTS, said | {"many": payments})
        cursor.execute(REFUNDS, said | {"many": refunds})
        cursor.execute(f"ANALYZE {Payment._meta.db_table}, {Refund._meta.db_table}")
