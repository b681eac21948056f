"""科目: the few accounts of the journal, and what each thing that happens to money writes on them. Pure.

Received money is a deposit until what it pays for is confirmed; then it is income. So the balance of `deposits` of an
invoice is what the house holds and has not earned, and no fen is without an owner.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

DEPOSITS, REFUNDS_DUE, UNOWNED = "deposits", "refunds_due", "unowned"
PATIENT_DUE, FUND_DUE, ACCOUNT_DUE = "patient_due", "fund_due", "account_due"
OVER_SHORT, FEES, AT_BANK = "over_short", "fees", "at_bank"
MEANS = ("cash", "cheque", "bank", "wechat", "alipay", "card")
"""Where received money lies: by hand, or with the gateway until it pays out."""

INCOME = {"appointment": "income_visit", "exam": "income_exam", "service": "income_service"}

ACCOUNTS = {
    **dict.fromkeys(MEANS, "asset"),
    AT_BANK: "asset",
    PATIENT_DUE: "asset",  # on credit: confirmed, not yet paid
    FUND_DUE: "asset",
    ACCOUNT_DUE: "asset",
    DEPOSITS: "liability",
    REFUNDS_DUE: "liability",  # promised to a patient, not yet paid out
    UNOWNED: "liability",  # came in for an order that nobody knows
    **dict.fromkeys(INCOME.values(), "income"),
    FEES: "expense",
    OVER_SHORT: "expense",  # 长短款: what a drawer lacks
}


@dataclass(frozen=True)
class Posting:
    account: str
    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)


def move(debit: str, credit: str, amount: Decimal) -> list[Posting]:
    """Nothing for nothing; a negative amount is a mistake of the caller's, refused by the database."""
    return [Posting(debit, debit=amount), Posting(credit, credit=amount)] if amount else []


def received(means: str, amount: Decimal) -> list[Posting]:
    return move(means, DEPOSITS, amount)


def received_unowned(means: str, amount: Decimal) -> list[Posting]:
    return move(means, UNOWNED, amount)


def earned(kind: str, amount: Decimal) -> list[Posting]:
    return move(DEPOSITS, INCOME[kind], amount)


def earned_on_credit(kind: str, amount: Decimal) -> list[Posting]:
    return move(PATIENT_DUE, INCOME[kind], amount)


def credit_paid(amount: Decimal) -> list[Posting]:
    return move(DEPOSITS, PATIENT_DUE, amount)


def unearned(kind: str, amount: Decimal) -> list[Posting]:
    """A confirmed and paid line is given back."""
    return move(INCOME[kind], DEPOSITS, amount)


def unearned_on_credit(kind: str, amount: Decimal) -> list[Posting]:
    return move(INCOME[kind], PATIENT_DUE, amount)


def owed_anew(amount: Decimal) -> list[Posting]:
    """What stands is earned, and the insurance has taken its part back: the person owes it until it is settled anew
    (below zero: less than before)."""
    return _either(PATIENT_DUE, DEPOSITS, amount)


def promised_back(amount: Decimal) -> list[Posting]:
    return move(DEPOSITS, REFUNDS_DUE, amount)


def given_back(means: str, amount: Decimal) -> list[Posting]:
    return move(REFUNDS_DUE, means, amount)


def settled(fund: Decimal, account: Decimal) -> list[Posting]:
    """What the insurance bears is owed to the house by the insurance, and serves the patient's invoice."""
    return [*move(FUND_DUE, DEPOSITS, fund), *move(ACCOUNT_DUE, DEPOSITS, account)]


def settlement_reversed(fund: Decimal, account: Decimal) -> list[Posting]:
    return [*move(DEPOSITS, FUND_DUE, fund), *move(DEPOSITS, ACCOUNT_DUE, account)]


def deposited(account: str, *, amount: Decimal, fee: Decimal) -> list[Posting]:
    """Brought or paid to the bank; the fee was kept on the way."""
    return [*move(AT_BANK, account, amount), *move(FEES, account, fee)]


def paid_out(gateway: str, *, net: Decimal, fees: Decimal) -> list[Posting]:
    """A gateway's day reaches the bank: what it took less what it gave back and its fees. Below zero it takes the rest
    from the account, and gives fees back with refunds."""
    return [*_either(FEES, gateway, fees), *_either(AT_BANK, gateway, net - fees)]


def found_more(gateway: str, amount: Decimal) -> list[Posting]:
    """What the gateway has beyond our books belongs to somebody; what it lacks is a loss until it turns up."""
    return move(gateway, UNOWNED, amount) if amount > 0 else move(OVER_SHORT, gateway, -amount)


def turned_up(gateway: str, amount: Decimal) -> list[Posting]:
    """What had been written off stands on a later bill: `amount` as in found_more, taken back."""
    return move(UNOWNED, gateway, amount) if amount > 0 else move(gateway, OVER_SHORT, -amount)


def unowned_returned(account: str, amount: Decimal) -> list[Posting]:
    """Sent back by the gateway, or by transfer from the bank."""
    return move(UNOWNED, account, amount)


def _either(debit: str, credit: str, amount: Decimal) -> list[Posting]:
    return move(debit, credit, amount) if amount > 0 else move(credit, debit, -amount)


def drawer_counted(difference: Decimal) -> list[Posting]:
    """长短款. Positive: more in the drawer than there should be."""
    return move("cash", OVER_SHORT, difference) if difference > 0 else move(OVER_SHORT, "cash", -difference)


def sides(postings: Iterable[Posting]) -> tuple[Decimal, Decimal]:
    postings = list(postings)
    return sum((each.debit for each in postings), Decimal(0)), sum((each.credit for each in postings), Decimal(0))
