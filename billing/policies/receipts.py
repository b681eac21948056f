"""票据: what a bill says now, and whether a receipt still says the same. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from billing.errors import NotYetPaid, OtherReceiptThere, ReceiptOver, ReceiptUnderWay
from billing.models import ChargeItem, Invoice, Receipt
from hospital.errors import Refused

Status = Receipt.Status
LIVE = (Status.ASKED, Status.ISSUED, Status.VOIDING)
COUNTED = (ChargeItem.Status.PAID, ChargeItem.Status.CONFIRMED, ChargeItem.Status.RETURNING)

GIVEN_BACK, CHANGED = "退费", "结算金额变动"
"""Why a rule voided it; as the platform and the paper show it."""


@dataclass(frozen=True)
class Content:
    """What is printed. Lines that cost nothing are not on it."""

    total: Decimal
    fund: Decimal
    account: Decimal
    cash: Decimal
    lines: tuple[tuple[str, str, int, str], ...]

    def printed(self) -> list[dict]:
        names = ("name", "price", "quantity", "amount")
        return [dict(zip(names, line, strict=True)) for line in self.lines]


def content(invoice: Invoice, lines: Iterable[ChargeItem]) -> Content:
    there = [line for line in lines if line.status in COUNTED and line.amount]
    said = tuple((line.name, str(line.price), line.quantity, str(line.amount)) for line in there)
    return Content(invoice.total, invoice.fund_paid, invoice.account_paid, invoice.cash_paid, said)


def says(receipt: Receipt) -> Content:
    lines = tuple((each["name"], each["price"], each["quantity"], each["amount"]) for each in receipt.lines)
    return Content(receipt.total, receipt.fund_paid, receipt.account_paid, receipt.cash_paid, lines)


def refusal_to_ask(invoice: Invoice) -> NotYetPaid | None:
    return None if invoice.status == Invoice.Status.PAID and invoice.total > 0 else NotYetPaid()


def refusal_of_another(live: Receipt | None, *, kind: str) -> Refused | None:
    """One paper for one payment; the same kind again is the same one."""
    if live is None or (live.kind == kind and live.status != Status.VOIDING):
        return None
    return ReceiptUnderWay() if live.status == Status.VOIDING else OtherReceiptThere(kind=live.get_kind_display())


def refusal_to_void(receipt: Receipt) -> Refused | None:
    if receipt.status == Status.ISSUED:
        return None
    return ReceiptUnderWay() if receipt.status in (Status.ASKED, Status.VOIDING) else ReceiptOver()
