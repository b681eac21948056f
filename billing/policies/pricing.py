"""价目 (M7): what a new price may say, and how it follows the one before. Pure. Yuan as Decimal, days inclusive."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.errors import PriceBegun, PriceDayTaken, PriceTooEarly, PriceTooFarAhead, PriceUnchanged
from hospital.models import PriceItem

DAY = timedelta(days=1)
LONGEST_AHEAD = timedelta(days=731)
MOST = Decimal("999999.99")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")


@dataclass(frozen=True)
class Wanted:
    """A code's price from a day on."""

    code: str
    name: str
    amount: Decimal
    first_day: date


@dataclass(frozen=True)
class Step:
    """What writing a price does to the rows of its code: `before` ends the day before; `last_day` is the new row's
    own, where another is waiting already."""

    before: PriceItem | None
    last_day: date | None


def in_force(rows: Sequence[PriceItem], day: date) -> PriceItem | None:
    return next((row for row in rows if row.effective_from <= day and _lasts(row, day)), None)


def _lasts(row: PriceItem, day: date) -> bool:
    return row.effective_to is None or day <= row.effective_to


def step(
    wanted: Wanted, rows: Sequence[PriceItem], *, today: date
) -> Step | PriceDayTaken | PriceTooEarly | PriceTooFarAhead | PriceUnchanged:
    """`rows`: all of the code, in any order. What was charged stays charged: a code that has a price today gets
    another from tomorrow on; a new code may begin today."""
    first = wanted.first_day
    if first < today or (first == today and in_force(rows, today) is not None):
        return PriceTooEarly()
    if first > today + LONGEST_AHEAD:
        return PriceTooFarAhead()
    if any(row.effective_from == first for row in rows):
        return PriceDayTaken(code=wanted.code)
    before = in_force(rows, first)
    after = min((row.effective_from for row in rows if row.effective_from > first), default=None)
    if before and (before.amount, before.name) == (wanted.amount, wanted.name):
        return PriceUnchanged(code=wanted.code)
    return Step(before, after - DAY if after else None)


def refusal_to_withdraw(row: PriceItem, *, today: date) -> PriceBegun | None:
    return PriceBegun() if row.effective_from <= today else None
