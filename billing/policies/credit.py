"""先诊疗后付费 (M4): may this be confirmed on credit. Pure; the numbers are the agreement's."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from billing.errors import CreditOverdue, CreditUsedUp, NoCredit
from hospital import clock


@dataclass(frozen=True)
class Credit:
    """What a person agreed to: yuan, and days to pay in."""

    limit: Decimal
    days: int


def refusal(
    credit: Credit | None, *, owed: Decimal, more: Decimal, overdue: bool
) -> NoCredit | CreditOverdue | CreditUsedUp | None:
    """`owed`: on credit already; `more`: what is wanted now. Up to the limit, the limit included."""
    if credit is None:
        return NoCredit()
    if overdue:
        return CreditOverdue()
    if owed + more > credit.limit:
        return CreditUsedUp(limit=credit.limit, left=max(credit.limit - owed, Decimal(0)))
    return None


def due(days: int, *, now: datetime) -> datetime:
    """The end of the last of so many days: nobody has to know at what minute a bill was opened."""
    return clock.at(clock.today(now) + timedelta(days=days), time(23, 59))
