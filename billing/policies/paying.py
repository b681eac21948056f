"""What a payment may do in each state, and what news of a gateway is worth (M8). Pure."""

from dataclasses import dataclass
from decimal import Decimal

from billing.errors import AmountWrong, InvoiceOver, NothingToPay
from billing.models import BY_HAND, GatewayMessage, Invoice, Payment
from hospital.errors import Refused

from .splitting import NOTHING

CURRENCY = "CNY"
Verdict = GatewayMessage.Verdict


@dataclass(frozen=True)
class Said:
    """What somebody says was paid: a gateway's callback or query, a terminal, the cashier."""

    amount: Decimal
    reference: str
    currency: str = CURRENCY


def verdict(payment: Payment | None, said: Said) -> Verdict:
    """Checked in this order; only TAKEN changes anything. A late success of a closed or failed payment is taken: the
    money is there."""
    if payment is None:
        return Verdict.UNKNOWN
    if said.currency != CURRENCY:
        return Verdict.CURRENCY
    if said.amount != payment.amount:
        return Verdict.AMOUNT
    return Verdict.AGAIN if payment.status == Payment.Status.SUCCEEDED else Verdict.TAKEN


def applied(amount: Decimal, *, owed: Decimal) -> Decimal:
    """How much of a payment serves its invoice; the rest was paid too much (somebody scanned twice)."""
    return min(amount, max(owed, NOTHING))


def refusal_to_begin(status: str, *, owed: Decimal, amount: Decimal, means: str) -> Refused | None:
    """A gateway's code is for a part or all of what is owed; never more, and never nothing."""
    if status in Invoice.OVER:
        return InvoiceOver()
    if owed <= 0:
        return NothingToPay()
    return AmountWrong(owed=owed) if amount <= 0 or amount > owed else None


def asks_a_gateway(means: str) -> bool:
    return means not in BY_HAND


def standing(*, live: int, owed: Decimal, received: bool, on_credit: bool) -> Invoice.Status:
    """What an invoice is, by what stands of it. `live`: its lines; `received`: anything ever, by whatever means."""
    if not live:
        return Invoice.Status.REFUNDED if received else Invoice.Status.VOID
    if owed <= 0:
        return Invoice.Status.PAID
    return Invoice.Status.OWED if on_credit else Invoice.Status.OPEN
