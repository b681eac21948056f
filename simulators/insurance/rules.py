"""What the simulated insurance pays. Yuan with two decimals, half a fen up; a year's deductible and cap per person.

A city's real rules differ and are its own; here are two kinds of insurance, enough to be right to the fen.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256

FEN = Decimal("0.01")
NOTHING = Decimal("0.00")
EMPLOYEE, RESIDENT = "310", "390"  # insutype: 职工基本医疗保险, 城乡居民基本医疗保险


@dataclass(frozen=True)
class Kind:
    """One kind of insurance (insutype)."""

    fund_percent: Decimal
    deductible: Decimal
    yearly_cap: Decimal
    account: bool


KINDS = {
    EMPLOYEE: Kind(Decimal(70), Decimal(0), Decimal(20_000), True),
    RESIDENT: Kind(Decimal(50), Decimal(0), Decimal(4_000), False),
}


@dataclass(frozen=True)
class Borne:
    """setlinfo's amounts."""

    total: Decimal
    own: Decimal  # fulamt_ownpay_amt: not on the list at all
    own_first: Decimal  # preselfpay_amt: of class B, before anything is shared
    deductible: Decimal  # act_pay_dedc
    covered: Decimal  # inscp_scp_amt
    fund: Decimal
    account: Decimal

    @property
    def cash(self) -> Decimal:
        return self.total - self.fund - self.account


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(FEN, ROUND_HALF_UP)


def borne(
    lines: list[dict], *, kind: Kind, paid_this_year: Decimal, dedc_this_year: Decimal, balance: Decimal
) -> Borne:
    """`lines`: as they were uploaded (det_item_fee_sumamt, chrgitm_lv 01/02/03, selfpay_prop as a share of one)."""
    total = sum((Decimal(line["det_item_fee_sumamt"]) for line in lines), NOTHING)
    own = own_first = NOTHING
    for line in lines:
        amount = Decimal(line["det_item_fee_sumamt"])
        if line["chrgitm_lv"] == "03":
            own += amount
        elif line["chrgitm_lv"] == "02":
            own_first += amount - rounded(amount * (1 - Decimal(line["selfpay_prop"])))
    covered = total - own - own_first
    deductible = min(covered, max(kind.deductible - dedc_this_year, NOTHING))
    fund = rounded((covered - deductible) * kind.fund_percent / 100)
    fund = min(fund, max(kind.yearly_cap - paid_this_year, NOTHING))
    account = min(balance, total - fund) if kind.account else NOTHING
    return Borne(rounded(total), rounded(own), rounded(own_first), deductible, covered, fund, account)


def person_number(document: str) -> str:
    """psn_no: the same for a document in every start."""
    return "P" + str(int(sha256(document.encode()).hexdigest()[:15], 16))[:14]


def first_balance(document: str) -> Decimal:
    """What lies on a personal account at first: 0 to 2,000 yuan, by the document."""
    return Decimal(int(sha256(b"balc" + document.encode()).hexdigest()[:8], 16) % 200_000) * FEN
