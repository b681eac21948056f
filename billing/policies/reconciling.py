"""对账: what a difference between a gateway's bill and our books may come from, and what it is worth. Pure."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from billing.errors.finance import DayClosed, DayNotExplained, DifferenceSettled, NotToBeSentBack
from billing.models import Difference, MoneyCase, Reconciliation
from hospital import clock
from hospital.errors import Refused

MIDNIGHT = timedelta(minutes=30)
"""So near to the day's end the other side may count it to its next day: clocks differ by minutes, news are late."""

DAYS = 10
"""So far back the job looks for days that nobody has reconciled."""

LATE = timedelta(days=2)
"""After the end of a day without a bill, the office hears of it."""

Kind, Cure = Difference.Kind, Difference.Cure


def of_day(day: date) -> tuple[datetime, datetime]:
    """The hospital's day, half-open."""
    return clock.at(day, time(0)), clock.at(day + timedelta(days=1), time(0))


def days_to_reconcile(*, first: date, now: datetime) -> list[date]:
    """Up to yesterday, the oldest first: a day is compared with what came before it."""
    today = clock.today(now)
    first = max(first, today - timedelta(days=DAYS))
    return [first + timedelta(days=n) for n in range((today - first).days)]


def extra(row: Difference) -> Decimal:
    """What the gateway has more than our books (below zero: less), with this difference's amounts. A refund takes away;
    of a payment that we never took, or a refund that this gateway never made for us, our books have nothing."""
    ours, theirs = row.ours or Decimal(0), row.theirs or Decimal(0)
    if row.payment is not None and row.payment.status != "succeeded":
        ours = Decimal(0)
    if row.refund is not None and (row.refund.status != "done" or row.refund.means != row.reconciliation.gateway):
        ours = Decimal(0)
    more = theirs - ours
    return -more if is_refund(row) else more


def is_refund(row: Difference) -> bool:
    return row.refund_id is not None or (row.row is not None and row.row.kind == "refund")


def refusal_to_settle(row: Difference, status: str, *, wanted: str | None = None) -> Refused | None:
    """`wanted`: the cure that somebody pressed; only the one that is proposed, or by hand."""
    if status == Reconciliation.Status.CLOSED:
        return DayClosed()
    if row.settled_at is not None:
        return DifferenceSettled()
    return DifferenceSettled() if wanted and wanted not in (row.cure, Cure.BY_HAND) else None


def refusal_to_close(status: str, *, open_differences: int) -> Refused | None:
    if status == Reconciliation.Status.CLOSED:
        return DayClosed()
    if status == Reconciliation.Status.FETCHING or open_differences:
        return DayNotExplained(count=open_differences)
    return None


# ---- what is kept for the office ----

BY_ITSELF = frozenset({MoneyCase.Kind.REFUSED, MoneyCase.Kind.CASH_BACK, MoneyCase.Kind.STUCK})
"""Settled when the refund has reached the patient: never by a note alone."""


def refusal_to_note(case: MoneyCase) -> Refused | None:
    """May a person settle it by saying how."""
    if case.settled_at is not None:
        return DifferenceSettled()
    return NotToBeSentBack() if case.kind in BY_ITSELF and case.refund_id else None
