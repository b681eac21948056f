"""What lies in a cashier's drawer and what went through it, as the journal says it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.models import BY_HAND, CashierShift, LedgerLine, Means, Payment, Refund, Way
from billing.policies import accounts, shifts
from billing.policies.splitting import NOTHING
from hospital.models import Role, RoleAssignment, User

MOVES = ("received", "given_back")
LONGEST = timedelta(hours=16)


@dataclass(frozen=True)
class Through:
    """One means of a shift: so often and so much taken and given back (yuan)."""

    means: str
    taken: Decimal
    given_back: Decimal
    times: int
    times_back: int

    @property
    def label(self) -> str:
        return Means(self.means).label

    @property
    def left(self) -> Decimal:
        return self.taken - self.given_back


def current(cashier: User) -> CashierShift | None:
    """The one that is not closed: there is at most one."""
    rows = CashierShift.objects.exclude(status=CashierShift.Status.CLOSED).select_related("organization")
    return rows.filter(cashier=cashier.pk).first()


def forgotten(shift: CashierShift, *, now: datetime) -> bool:
    """Nobody sits at a window so long: it was not closed when the cashier went home."""
    return now - shift.opened_at > LONGEST


def left_behind(shift: CashierShift, *, now: datetime) -> bool:
    """Its cashier will not count it: forgotten, or the account may not sit at a window of this house any more."""
    cashier = shift.cashier
    sits_here = RoleAssignment.objects.filter(user=cashier, role=Role.CASHIER, organization=shift.organization_id)
    return forgotten(shift, now=now) or not cashier.is_active or not sits_here.exists()


def last_closed(cashier: User) -> CashierShift | None:
    rows = CashierShift.objects.filter(cashier=cashier.pk, status=CashierShift.Status.CLOSED)
    return rows.order_by("-closed_at", "-pk").first()


def through(shift: CashierShift) -> list[Through]:
    """By means, of the journal's entries of this shift. One query."""
    lines = LedgerLine.objects.filter(entry__shift=shift.pk, entry__kind__in=MOVES, account__in=accounts.MEANS)
    taken, back = Q(entry__kind="received"), Q(entry__kind="given_back")
    rows = lines.values("account").annotate(
        taken=Coalesce(Sum("debit", filter=taken), NOTHING),
        back=Coalesce(Sum("credit", filter=back), NOTHING),
        times=Count("id", filter=taken & Q(debit__gt=0)),
        times_back=Count("id", filter=back & Q(credit__gt=0)),
    )
    found = {row["account"]: row for row in rows}
    return [
        Through(means, row["taken"], row["back"], row["times"], row["times_back"])
        for means in accounts.MEANS
        if (row := found.get(means))
    ]


def expected_cash(shift: CashierShift) -> Decimal:
    cash = next((each for each in through(shift) if each.means == Means.CASH), None)
    taken, back = (cash.taken, cash.given_back) if cash else (NOTHING, NOTHING)
    return shifts.expected(shift.change, taken=taken, given_back=back)


def cheques(shift: CashierShift) -> int:
    """How many cheques should lie in the drawer."""
    rows = shift.payments.filter(means=Means.CHEQUE, status=Payment.Status.SUCCEEDED)
    back = Refund.objects.filter(shift=shift.pk, means=Means.CHEQUE, status=Refund.Status.DONE)
    return rows.count() - back.filter(payment__shift=shift.pk).values("payment").distinct().count()


def uncertain(shift: CashierShift) -> list[Payment]:
    """Begun by hand and never confirmed: whether the money is in the drawer only the cashier knows."""
    rows = shift.payments.filter(status=Payment.Status.PENDING, means__in=BY_HAND)
    return list(rows.select_related("invoice__patient").order_by("pk"))


def payments(shift: CashierShift) -> QuerySet[Payment]:
    rows = shift.payments.filter(status=Payment.Status.SUCCEEDED).select_related("invoice__patient")
    return rows.order_by("-succeeded_at", "-pk")


def refunds(shift: CashierShift) -> QuerySet[Refund]:
    rows = shift.refunds.filter(status=Refund.Status.DONE).select_related("payment__invoice__patient")
    return rows.order_by("-done_at", "-pk")


def recent(*, organizations: frozenset[int], now: datetime, days: int = 14) -> QuerySet[CashierShift]:
    """Shifts of a house: those not closed first, then the closed ones of the last days."""
    rows = CashierShift.objects.filter(organization__in=organizations).select_related(
        "cashier", "checked_by", "counted_by"
    )
    rows = rows.filter(~Q(status=CashierShift.Status.CLOSED) | Q(closed_at__gte=now - timedelta(days=days)))
    return rows.order_by(F("closed_at").desc(nulls_first=True), "-opened_at", "-pk")


def waiting_here(shift: CashierShift) -> list[Payment]:
    """Codes of this window that somebody may be scanning this minute."""
    rows = shift.payments.filter(status=Payment.Status.PENDING, way=Way.WINDOW).exclude(gateway="")
    return list(rows.select_related("invoice").order_by("pk"))
