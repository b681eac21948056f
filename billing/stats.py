"""Figures of the money, counted from its rows when they are asked for (M1, M4, M6). Definitions:
docs/decisions/0034-money-figures.md, and beside each figure on the page. Days are the hospital's, both included.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection

from appointments.stats import Rate
from hospital import clock

NOTHING = Decimal("0.00")
SMART_TARGET = Decimal("77.99")
"""Percent that a public hospital reached (capabilities.md K); for comparison, not a rule."""


@dataclass(frozen=True)
class Settled:
    """So many, of one way or means."""

    code: str
    count: int
    amount: Decimal = NOTHING


@dataclass(frozen=True)
class Department:
    """`smart` of `all` settlements with a line of this department."""

    pk: int
    name: str
    smart: int
    all: int

    @property
    def share(self) -> Rate:
        return Rate(self.smart, self.all)


@dataclass(frozen=True)
class Reason:
    """退费 of one reason. `hours`: the median from asking to done, of those that are done."""

    code: str
    count: int
    amount: Decimal
    done: int
    waiting: int
    refused: int
    hours: float | None


@dataclass(frozen=True)
class Credit:
    """先诊疗后付费 of the days; `owed` and `overdue` as it stands at their end."""

    agreements: int = 0
    signed: int = 0
    invoices: int = 0
    amount: Decimal = NOTHING
    paid: Decimal = NOTHING
    due: int = 0
    in_time: int = 0
    owed: Decimal = NOTHING
    overdue: Decimal = NOTHING
    overdue_count: int = 0
    told: int = 0

    @property
    def in_time_share(self) -> Rate:
        """按期付清: of what fell due in these days."""
        return Rate(self.in_time, self.due)


@dataclass(frozen=True)
class Figures:
    first: date
    last: date
    smart: Rate
    ways: list[Settled] = field(default_factory=list)
    means: list[Settled] = field(default_factory=list)
    departments: list[Department] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    credit: Credit = field(default_factory=Credit)
    months: list[tuple[date, Rate]] = field(default_factory=list)

    @property
    def refunds(self) -> Settled:
        """All reasons together."""
        amount = sum((row.amount for row in self.reasons), NOTHING)
        return Settled("", sum(row.count for row in self.reasons), amount)

    @property
    def empty(self) -> bool:
        return not (self.smart.denominator or self.reasons or self.credit.invoices or self.credit.owed)


SETTLED = """
    SELECT i.id, i.paid_at, i.cash_paid,
           (array_agg(p.way ORDER BY p.succeeded_at DESC, p.id DESC))[1] AS way,
           bool_or(p.way = 'window') AS at_window
      FROM billing_invoice i
      JOIN billing_payment p ON p.invoice_id = i.id AND p.status = 'succeeded' AND p.applied > 0
     WHERE i.organization_id = %(house)s AND i.paid_at >= %(from)s AND i.paid_at < %(until)s
     GROUP BY i.id
"""
"""A settlement: an invoice that was paid up on these days, and not by the insurance alone. Any money at the window
makes it one of the window; its way is that of the payment that came last."""

WAYS = f"SELECT CASE WHEN at_window THEN 'window' ELSE way END AS code, count(*) FROM ({SETTLED}) s GROUP BY 1"
OF_WAY = f"SELECT id FROM ({SETTLED}) s WHERE %(way)s IN ('', CASE WHEN at_window THEN 'window' ELSE way END)"
"""The invoices behind a figure: of one way, or all."""

DEPARTMENTS = f"""
WITH settled AS ({SETTLED}),
seen AS (
    SELECT DISTINCT s.id, s.at_window, coalesce(a.department_id, m.department_id) AS department_id
      FROM settled s JOIN billing_chargeitem c ON c.invoice_id = s.id AND c.status <> 'withdrawn'
      LEFT JOIN appointments_appointment a ON a.id = c.appointment_id
      LEFT JOIN exams_exambooking b ON b.id = c.exam_id
      LEFT JOIN exams_device v ON v.id = b.device_id
      LEFT JOIN hospital_room m ON m.id = v.room_id)
SELECT d.id AS pk, d.name, count(*) FILTER (WHERE NOT n.at_window) AS smart, count(*) AS all
  FROM seen n JOIN hospital_department d ON d.id = n.department_id
 GROUP BY d.id, d.name ORDER BY 4 DESC, d.id
"""

MEANS = """
SELECT p.means AS code, count(*), sum(p.amount) AS amount
  FROM billing_payment p
 WHERE p.organization_id = %(house)s AND p.status = 'succeeded'
   AND p.succeeded_at >= %(from)s AND p.succeeded_at < %(until)s
 GROUP BY 1 ORDER BY 3 DESC
"""

REASONS = """
SELECT r.reason AS code, count(*), sum(r.amount) AS amount,
       count(*) FILTER (WHERE r.status = 'done') AS done,
       count(*) FILTER (WHERE r.status = 'asked') AS waiting,
       count(*) FILTER (WHERE r.status = 'refused') AS refused,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.done_at - r.asked_at) / 3600) AS hours
  FROM billing_refund r JOIN billing_payment p ON p.id = r.payment_id
 WHERE p.organization_id = %(house)s AND r.asked_at >= %(from)s AND r.asked_at < %(until)s
 GROUP BY 1 ORDER BY 3 DESC
"""

CREDIT_BOOKS = """
SELECT count(DISTINCT e.invoice_id) FILTER (WHERE l.debit > 0 AND e.day >= %(first)s) AS invoices,
       coalesce(sum(CASE WHEN e.kind IN ('earned', 'unearned') THEN l.debit - l.credit END)
                FILTER (WHERE e.day >= %(first)s), 0) AS amount,
       coalesce(sum(l.credit) FILTER (WHERE e.kind = 'credit_paid' AND e.day >= %(first)s), 0) AS paid
  FROM billing_ledgerline l JOIN billing_ledgerentry e ON e.id = l.entry_id
 WHERE e.organization_id = %(house)s AND l.account_id = 'patient_due' AND e.day <= %(last)s
"""
"""As the journal says it: what went on credit less what left it unpaid, and what was paid of it."""

OWED = """
SELECT coalesce(sum(due - held), 0) AS owed FROM (
    SELECT sum(l.debit - l.credit) FILTER (WHERE l.account_id = 'patient_due') AS due,
           coalesce(sum(l.credit - l.debit) FILTER (WHERE l.account_id = 'deposits'), 0) AS held
      FROM billing_ledgerline l JOIN billing_ledgerentry e ON e.id = l.entry_id
     WHERE l.account_id IN ('patient_due', 'deposits') AND e.day <= %(last)s
       AND e.invoice_id IN (
           SELECT o.invoice_id FROM billing_ledgerline d JOIN billing_ledgerentry o ON o.id = d.entry_id
            WHERE o.organization_id = %(house)s AND d.account_id = 'patient_due' AND o.day <= %(last)s)
     GROUP BY e.invoice_id) each WHERE due > 0
"""
"""Of each invoice what stands on `patient_due`, less what the insurance or a part payment holds for it already."""

CREDIT_ROWS = """
SELECT (SELECT count(*) FROM billing_creditagreement a WHERE a.organization_id = %(house)s
          AND a.effective_from <= %(last)s AND (a.effective_to IS NULL OR a.effective_to >= %(last)s)) AS agreements,
       (SELECT count(*) FROM billing_creditagreement a WHERE a.organization_id = %(house)s
          AND a.signed_at >= %(from)s AND a.signed_at < %(until)s) AS signed,
       (SELECT count(*) FROM billing_dunning d JOIN billing_invoice i ON i.id = d.invoice_id
         WHERE i.organization_id = %(house)s AND d.sent_at >= %(from)s AND d.sent_at < %(until)s) AS told,
       count(*) FILTER (WHERE i.due_at >= %(from)s) AS due,
       count(*) FILTER (WHERE i.due_at >= %(from)s AND i.paid_at <= i.due_at) AS in_time,
       count(*) FILTER (WHERE i.status = 'owed') AS overdue_count
  FROM billing_invoice i
 WHERE i.organization_id = %(house)s AND i.status IN ('owed', 'paid', 'refunded')
   AND i.due_at < least(%(until)s, %(now)s)
"""

OVERDUE = """
SELECT coalesce(sum(i.cash_paid - held.left), 0) AS overdue
  FROM billing_invoice i
  CROSS JOIN LATERAL (
        SELECT coalesce((SELECT sum(p.amount) FROM billing_payment p
                          WHERE p.invoice_id = i.id AND p.status = 'succeeded'), 0)
             - coalesce((SELECT sum(r.amount) FROM billing_refund r JOIN billing_payment p ON p.id = r.payment_id
                          WHERE p.invoice_id = i.id), 0) AS left) held
 WHERE i.organization_id = %(house)s AND i.status = 'owed' AND i.due_at < least(%(until)s, %(now)s)
"""

MONTHS = f"""
SELECT date_trunc('month', paid_at AT TIME ZONE %(zone)s)::date AS month,
       count(*) FILTER (WHERE NOT at_window) AS smart, count(*) AS all
  FROM ({SETTLED}) s GROUP BY 1 ORDER BY 1
"""
LOOK_BACK = 6
"""Months on the page, that of the last day included."""


def figures(*, organization: int, first: date, last: date, now: datetime) -> Figures:
    """Of a house and some days. Nine queries."""
    said = _asked(organization, first, last, now=now)
    ways = [Settled(**row) for row in _rows(WAYS, said)]
    all_ = sum(row.count for row in ways)
    [books], [rows] = _rows(CREDIT_BOOKS, said), _rows(CREDIT_ROWS, said)
    [owed], [late] = _rows(OWED, said), _rows(OVERDUE, said)
    return Figures(
        first=first,
        last=last,
        smart=Rate(all_ - sum(row.count for row in ways if row.code == "window"), all_),
        ways=sorted(ways, key=lambda row: -row.count),
        means=[Settled(**row) for row in _rows(MEANS, said)],
        departments=[Department(**row) for row in _rows(DEPARTMENTS, said)],
        reasons=[Reason(**row) for row in _rows(REASONS, said)],
        credit=Credit(**books, **owed, **rows, **late),
        months=_months(organization, last, now=now),
    )


def settled(*, organization: int, first: date, last: date, way: str, now: datetime) -> list[int]:
    """Invoice ids behind 结算, of one way or (empty) all."""
    return [row["id"] for row in _rows(OF_WAY, _asked(organization, first, last, now=now) | {"way": way})]


def _months(organization: int, last: date, *, now: datetime) -> list[tuple[date, Rate]]:
    month = last.replace(day=1)
    wanted = [month]
    for _each in range(LOOK_BACK - 1):
        month = (month - timedelta(days=1)).replace(day=1)
        wanted.insert(0, month)
    said = _asked(organization, wanted[0], last, now=now)
    found = {row["month"]: Rate(row["smart"], row["all"]) for row in _rows(MONTHS, said)}
    return [(month, found.get(month, Rate(0, 0))) for month in wanted]


def _asked(organization: int, first: date, last: date, *, now: datetime) -> dict:
    return {
        "house": organization,
        "first": first,
        "last": last,
        "from": clock.at(first, time.min),
        "until": clock.at(last + timedelta(days=1), time.min),
        "now": now,
        "zone": str(clock.ZONE),
    }


def _rows(statement: str, said: dict) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(statement, said)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
