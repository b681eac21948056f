"""What the pages of finance ask: entries of an account and day, days of reconciliation, what is kept for the office."""

from datetime import date

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.models import (
    BillRow,
    ChargeItem,
    Difference,
    Invoice,
    LedgerEntry,
    LedgerLine,
    MoneyCase,
    Payment,
    Reconciliation,
    Refund,
)
from billing.policies.splitting import NOTHING

ABOUT = ("invoice", "payment", "refund", "settlement", "shift", "reconciliation", "by")
_LINES = Prefetch("lines", LedgerLine.objects.order_by("-debit", "account"))


def entries(*, organization_id: int, first: date, last: date, account: str = "", kind: str = "") -> QuerySet:
    """As they were written, with both sides."""
    rows = LedgerEntry.objects.filter(organization=organization_id, day__range=(first, last))
    if account:
        rows = rows.filter(Exists(LedgerLine.objects.filter(entry=OuterRef("pk"), account=account)))
    if kind:
        rows = rows.filter(kind=kind)
    return rows.select_related(*ABOUT).prefetch_related(_LINES).order_by("at", "pk")


def entry(pk: int, *, houses: frozenset[int]) -> QuerySet:
    return LedgerEntry.objects.filter(pk=pk, organization__in=houses).select_related(*ABOUT).prefetch_related(_LINES)


def sides(*, organization_id: int, first: date, last: date, account: str) -> tuple:
    """(debit, credit) of an account in those days."""
    lines = LedgerLine.objects.filter(
        account=account, entry__organization=organization_id, entry__day__range=(first, last)
    )
    said = lines.aggregate(d=Coalesce(Sum("debit"), NOTHING), c=Coalesce(Sum("credit"), NOTHING))
    return said["d"], said["c"]


def invoices(houses: frozenset[int]) -> QuerySet:
    """With everything that hangs on one."""
    refunds = Refund.objects.select_related("line").order_by("pk")
    return (
        Invoice.objects.filter(organization__in=houses)
        .select_related("patient", "organization")
        .prefetch_related(
            Prefetch("lines", ChargeItem.objects.order_by("pk")),
            Prefetch("payments", Payment.objects.order_by("pk").prefetch_related(Prefetch("refunds", refunds))),
            "settlements",
            "receipts",
            Prefetch("entries", LedgerEntry.objects.prefetch_related(_LINES).order_by("at", "pk")),
        )
    )


def days(houses: frozenset[int], *, only_open: bool) -> QuerySet:
    rows = Reconciliation.objects.filter(organization__in=houses)
    if only_open:
        rows = rows.exclude(status=Reconciliation.Status.CLOSED)
    rows = rows.annotate(found=Count("differences"), open=Count("differences", filter=Q(differences__settled_at=None)))
    return rows.select_related("organization", "closed_by").order_by("-day", "gateway", "organization")


def differences(day: Reconciliation) -> QuerySet:
    """What is open first."""
    rows = Difference.objects.filter(reconciliation=day)
    rows = rows.select_related("row", "payment", "refund__payment", "settled_by", "sent_back", "reconciliation")
    return rows.order_by(F("settled_at").asc(nulls_first=True), "pk")


def bill_rows(day: Reconciliation, *, text: str) -> QuerySet:
    """Of the bill as it came, by a number or its beginning."""
    rows = BillRow.objects.filter(reconciliation=day)
    if text:
        rows = rows.filter(Q(order__startswith=text) | Q(reference__startswith=text))
    return rows.order_by("pk")


def cases(houses: frozenset[int], *, settled: bool, kind: str = "") -> QuerySet:
    """Of these houses, and of none (an order that nobody knows)."""
    rows = MoneyCase.objects.filter(Q(organization__in=houses) | Q(organization=None))
    rows = rows.filter(settled_at__isnull=not settled)
    if kind:
        rows = rows.filter(kind=kind)
    rows = rows.select_related("organization", "invoice", "payment", "refund", "message", "settled_by", "sent_back")
    return rows.order_by("-settled_at", "-pk") if settled else rows.order_by("opened_at", "pk")


def open_cases(houses: frozenset[int]) -> dict[str, int]:
    """How many of each kind wait."""
    rows = cases(houses, settled=False).order_by().values_list("kind").annotate(n=Count("pk"))
    return dict(rows)
