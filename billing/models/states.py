"""States of money and which may follow: the models' own tables, asked by policies and held by PostgreSQL."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


def moves_held(moves: dict) -> pgtrigger.FSM:
    """The trigger that lets a row's status move only like this."""
    return pgtrigger.FSM(
        name="moves",
        field="status",
        transitions=[(str(before), str(after)) for before, more in moves.items() for after in sorted(more)],
    )


class InvoiceStatus(models.TextChoices):
    OPEN = "open", _("待支付")
    OWED = "owed", _("先诊疗后付费")  # confirmed on credit (M4), or dearer after a new settlement
    PAID = "paid", _("已支付")
    REFUNDED = "refunded", _("已退费")  # nothing of it stands; something had been received
    VOID = "void", _("已作废")  # nothing of it stands; nothing was ever received


INVOICE_MOVES = {
    InvoiceStatus.OPEN: {InvoiceStatus.OWED, InvoiceStatus.PAID, InvoiceStatus.REFUNDED, InvoiceStatus.VOID},
    InvoiceStatus.OWED: {InvoiceStatus.PAID, InvoiceStatus.REFUNDED, InvoiceStatus.VOID},
    InvoiceStatus.PAID: {
        InvoiceStatus.OWED,
        InvoiceStatus.REFUNDED,
        InvoiceStatus.VOID,
    },  # void: a line of 0 yuan was given back
    InvoiceStatus.REFUNDED: set(),
    InvoiceStatus.VOID: {InvoiceStatus.REFUNDED},  # somebody paid after it was void: all of it goes back
}


class ChargeItemStatus(models.TextChoices):
    OPEN = "open", _("待支付")
    PAID = "paid", _("已支付")  # the money is there, the booking not yet confirmed
    CONFIRMED = "confirmed", _("已确认")
    RETURNING = "returning", _("退费中")  # waits for the reversal of the insurance's part
    REFUNDED = "refunded", _("已退费")  # left the total; the money is on its way by Refund rows
    WITHDRAWN = "withdrawn", _("已移除")  # before anything was paid for it


CHARGEITEM_MOVES = {
    ChargeItemStatus.OPEN: {ChargeItemStatus.PAID, ChargeItemStatus.WITHDRAWN},
    ChargeItemStatus.PAID: {ChargeItemStatus.CONFIRMED, ChargeItemStatus.RETURNING, ChargeItemStatus.REFUNDED},
    ChargeItemStatus.CONFIRMED: {ChargeItemStatus.RETURNING, ChargeItemStatus.REFUNDED},
    ChargeItemStatus.RETURNING: {ChargeItemStatus.REFUNDED},
    ChargeItemStatus.REFUNDED: set(),
    ChargeItemStatus.WITHDRAWN: set(),
}


class PaymentStatus(models.TextChoices):
    PENDING = "pending", _("待支付")
    SUCCEEDED = "succeeded", _("支付成功")
    FAILED = "failed", _("支付失败")
    CLOSED = "closed", _("已关闭")  # nobody paid in time, or another payment was first


PAYMENT_MOVES = {
    PaymentStatus.PENDING: {PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CLOSED},
    PaymentStatus.FAILED: {PaymentStatus.SUCCEEDED},  # a gateway may say so late: the money is there
    PaymentStatus.CLOSED: {PaymentStatus.SUCCEEDED},
    PaymentStatus.SUCCEEDED: set(),
}


class CashierShiftStatus(models.TextChoices):
    OPEN = "open", _("收费中")
    COUNTED = "counted", _("已点款")
    CLOSED = "closed", _("已交班")


CASHIERSHIFT_MOVES = {
    CashierShiftStatus.OPEN: {CashierShiftStatus.COUNTED},
    CashierShiftStatus.COUNTED: {CashierShiftStatus.OPEN, CashierShiftStatus.CLOSED},  # counted wrongly: open it again
    CashierShiftStatus.CLOSED: set(),
}


class InsuranceSettlementStatus(models.TextChoices):
    RUNNING = "running", _("进行中")
    PRESETTLED = "presettled", _("已预结算")
    SETTLED = "settled", _("已结算")
    REVERSING = "reversing", _("撤销中")
    REVERSED = "reversed", _("已撤销")
    FAILED = "failed", _("未成功")


# Reversing → settled: the insurance refused the reversal, it still stands.
INSURANCESETTLEMENT_MOVES = {
    InsuranceSettlementStatus.RUNNING: {
        InsuranceSettlementStatus.PRESETTLED,
        InsuranceSettlementStatus.SETTLED,
        InsuranceSettlementStatus.REVERSING,
        InsuranceSettlementStatus.FAILED,
    },
    InsuranceSettlementStatus.PRESETTLED: {
        InsuranceSettlementStatus.SETTLED,
        InsuranceSettlementStatus.REVERSING,
        InsuranceSettlementStatus.FAILED,
    },
    InsuranceSettlementStatus.SETTLED: {InsuranceSettlementStatus.REVERSING},
    InsuranceSettlementStatus.REVERSING: {
        InsuranceSettlementStatus.REVERSED,
        InsuranceSettlementStatus.SETTLED,
    },
    InsuranceSettlementStatus.REVERSED: set(),
    InsuranceSettlementStatus.FAILED: set(),
}


class ReconciliationStatus(models.TextChoices):
    FETCHING = "fetching", _("待取账单")
    COMPARED = "compared", _("有差异")
    CLOSED = "closed", _("已平账")


RECONCILIATION_MOVES = {
    ReconciliationStatus.FETCHING: {ReconciliationStatus.COMPARED, ReconciliationStatus.CLOSED},
    ReconciliationStatus.COMPARED: {ReconciliationStatus.CLOSED},
    ReconciliationStatus.CLOSED: set(),
}


class ReceiptStatus(models.TextChoices):
    ASKED = "asked", _("开具中")
    ISSUED = "issued", _("已开具")
    VOIDING = "voiding", _("冲红中")
    VOID = "void", _("已冲红")
    REFUSED = "refused", _("开具失败")


RECEIPT_MOVES = {
    ReceiptStatus.ASKED: {ReceiptStatus.ISSUED, ReceiptStatus.REFUSED},
    ReceiptStatus.REFUSED: {ReceiptStatus.ASKED},
    ReceiptStatus.ISSUED: {ReceiptStatus.VOIDING},
    ReceiptStatus.VOIDING: {ReceiptStatus.VOID, ReceiptStatus.ISSUED},
    ReceiptStatus.VOID: set(),
}


class RefundStatus(models.TextChoices):
    ASKED = "asked", _("退费中")
    DONE = "done", _("已退费")
    REFUSED = "refused", _("渠道拒绝")  # on the office's list: again, or by other means


REFUND_MOVES = {
    RefundStatus.ASKED: {RefundStatus.DONE, RefundStatus.REFUSED},
    RefundStatus.REFUSED: {RefundStatus.ASKED, RefundStatus.DONE},
    RefundStatus.DONE: set(),
}
