"""What the journal says: the trial balance of a day, and what stands on an account. Every page's total is from here."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from billing.models import LedgerLine
from billing.policies.splitting import NOTHING


@dataclass(frozen=True)
class Row:
    """科目余额: what stood before the day, what moved in it. Debit positive."""

    account: str
    kind: str
    before: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def after(self) -> Decimal:
        return self.before + self.debit - self.credit


def trial_balance(*, organization_id: int, first: date, last: date | None = None) -> list[Row]:
    """Of a day, or of days from `first` to `last`. Debits and credits of all rows are equal, and `after` sums to 0."""
    last = last or first
    lines = LedgerLine.objects.filter(entry__organization=organization_id, entry__day__lte=last)
    within, before = Q(entry__day__gte=first), Q(entry__day__lt=first)
    rows = lines.values("account", "account__kind").annotate(
        before_debit=_sum("debit", before),
        before_credit=_sum("credit", before),
        day_debit=_sum("debit", within),
        day_credit=_sum("credit", within),
    )
    return [
        Row(
            account=row["account"],
            kind=row["account__kind"],
            before=row["before_debit"] - row["before_credit"],
            debit=row["day_debit"],
            credit=row["day_credit"],
        )
        for row in rows.order_by("account__kind", "account")
    ]


def balance(account: str, **of_entry) -> Decimal:
    """Debit less credit of an account, over the entries named, e.g. balance("deposits", invoice=7)."""
    lines = LedgerLine.objects.filter(account=account, **{f"entry__{name}": value for name, value in of_entry.items()})
    said = lines.aggregate(debit=_sum("debit"), credit=_sum("credit"))
    return said["debit"] - said["credit"]


def _sum(name: str, condition: Q | None = None):
    return Coalesce(Sum(name, filter=condition), NOTHING)
