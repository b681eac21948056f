"""The rows behind a figure of billing.stats: the same days, the same meaning, row by row."""

from datetime import date, datetime, time, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice, Refund
from hospital import clock

WORDS = {
    "settled": _("结算"),
    "refunds": _("退费"),
    "owed": _("先诊疗后付费欠费"),
    "overdue": _("逾期未付"),
    "due": _("这些天到期的先诊疗后付费"),
}
"""What can be opened."""


def refunds(*, organization: int, first: date, last: date, reason: str = "") -> QuerySet[Refund]:
    start, end = _moments(first, last)
    rows = Refund.objects.filter(payment__organization=organization, asked_at__gte=start, asked_at__lt=end)
    rows = rows.filter(reason=reason) if reason else rows
    return rows.select_related("payment__invoice__patient", "line").order_by("-asked_at", "-pk")


def settled(invoices: list[int]) -> QuerySet[Invoice]:
    """Those that billing.stats counted."""
    return _with_their_rows(Invoice.objects.filter(pk__in=invoices).order_by("-paid_at", "-pk"))


def on_credit(*, organization: int, first: date, last: date, what: str, now: datetime) -> QuerySet[Invoice]:
    """`owed`: as it stands now; `overdue` and `due`: by the day until which it was to be paid."""
    start, end = _moments(first, last)
    rows = Invoice.objects.filter(organization=organization).order_by("due_at", "pk")
    if what == "due":
        rows = rows.filter(status__in=["owed", "paid", "refunded"], due_at__gte=start, due_at__lt=min(end, now))
    else:
        rows = rows.filter(status=Invoice.Status.OWED)
        rows = rows.filter(due_at__lt=min(end, now)) if what == "overdue" else rows
    return _with_their_rows(rows)


def _with_their_rows(rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
    return rows.select_related("patient").prefetch_related("payments", "lines")


def _moments(first: date, last: date) -> tuple[datetime, datetime]:
    return clock.at(first, time.min), clock.at(last + timedelta(days=1), time.min)
