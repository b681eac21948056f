"""What a patient puts on the counter: cash with change, slips of the terminal, cheques. Pure; yuan."""

from dataclasses import dataclass
from decimal import Decimal

from billing.errors import NotEnough, NothingLeftForSlip, TooMuch, WhichAmount
from billing.models import Means
from hospital.errors import Refused

from .splitting import NOTHING


@dataclass(frozen=True)
class Slip:
    """A card at the terminal or a cheque; without an amount it pays what is left."""

    means: str
    reference: str
    amount: Decimal | None = None


@dataclass(frozen=True)
class Part:
    means: str
    amount: Decimal
    reference: str = ""


@dataclass(frozen=True)
class Tender:
    """What is taken, in this order. `by_code`: what is left for the phone, which pays before anything is taken."""

    parts: tuple[Part, ...]
    change: Decimal = NOTHING
    by_code: Decimal = NOTHING


def tender(owed: Decimal, *, cash: Decimal | None, slips: list[Slip], scan: bool = False) -> Tender | Refused:
    """`cash`: what lies on the counter; none and nothing else: exactly what is owed. `scan`: the rest by a code, so
    cash and slips may be less than what is owed; else they must cover it, and only cash gives change."""
    unsaid = [slip for slip in slips if slip.amount is None]
    if len(unsaid) + scan > 1:
        return WhichAmount()
    said = sum((slip.amount for slip in slips if slip.amount is not None), NOTHING)
    if said > owed:
        return TooMuch(parts=said, owed=owed)
    rest = owed - said
    if cash is None:
        cash = NOTHING if slips or scan else rest
    if unsaid and cash >= rest:
        return NothingLeftForSlip(cash=cash)
    in_cash = min(cash, rest)
    left = rest - in_cash
    if left and not unsaid and not scan:
        return NotEnough(owed=owed, missing=left)
    parts = [Part(slip.means, left if slip.amount is None else slip.amount, slip.reference) for slip in slips]
    parts += [Part(Means.CASH, in_cash)] if in_cash else []
    return Tender(tuple(parts), change=cash - in_cash, by_code=left if scan else NOTHING)
