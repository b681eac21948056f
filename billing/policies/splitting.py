"""Who bears a bill: fund, personal account and cash add up to the total, to the fen (M5). Pure. Yuan as Decimal."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

FEN = Decimal("0.01")
NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class Split:
    """医保结算: total = fund + account + cash, always."""

    fund: Decimal
    account: Decimal
    cash: Decimal

    @property
    def total(self) -> Decimal:
        return self.fund + self.account + self.cash


@dataclass(frozen=True)
class Priced:
    """A line for the insurance: class A counts in full, B after the person's own percentage, C not at all."""

    amount: Decimal
    klass: str = "C"
    own_percent: Decimal = Decimal(0)

    @property
    def covered(self) -> Decimal:
        if self.klass == "C":
            return NOTHING
        own = self.own_percent if self.klass == "B" else Decimal(0)
        return rounded(self.amount * (100 - own) / 100)


def rounded(amount: Decimal) -> Decimal:
    """To the fen, half a fen up, as the national interface does."""
    return amount.quantize(FEN, ROUND_HALF_UP)


def estimate(
    lines: Sequence[Priced],
    *,
    fund_percent: Decimal,
    deductible_left: Decimal = NOTHING,
    cap_left: Decimal | None = None,
    account_balance: Decimal = NOTHING,
) -> Split:
    """What the insurance would bear. `deductible_left`: of this year, paid by the person first; `cap_left`: what the
    fund still pays this year; `account_balance`: of the personal account, zero where the rule does not allow it."""
    total = sum((line.amount for line in lines), NOTHING)
    covered = max(sum((line.covered for line in lines), NOTHING) - deductible_left, NOTHING)
    fund = rounded(covered * fund_percent / 100)
    fund = fund if cap_left is None else min(fund, max(cap_left, NOTHING))
    account = min(max(account_balance, NOTHING), total - fund)
    return Split(fund=fund, account=account, cash=total - fund - account)


def shared(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`amount` over the weights to the fen: whole fen first, then one fen each to the largest remainders, on a tie to
    the first named. The parts add up to the amount; all weights zero: the first bears it."""
    if not weights:
        return []
    whole = sum(weights, Decimal(0))
    if not whole:
        return [amount, *([NOTHING] * (len(weights) - 1))]
    exact = [amount * weight / whole for weight in weights]
    parts = [each.quantize(FEN, ROUND_DOWN) for each in exact]
    left = int((amount - sum(parts, NOTHING)) / FEN)
    order = sorted(range(len(parts)), key=lambda n: (parts[n] - exact[n], n))
    for n in order[:left]:
        parts[n] += FEN
    return parts
