"""Refusals of invoices, paying and giving back."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused
from hospital.prepaid import PayFirst


class MustPay(PayFirst):
    """Prepaid: the number or exam is held, and confirmed when it is paid."""

    code = "must_pay"
    message = _("这一项需要先付费才能确认。")
    next_step = _("请在保留时间内完成支付，付款后自动确认。")


class InvoiceOver(Refused):
    code = "invoice_over"
    message = _("这张账单已经作废或退费，不能再付款。")
    next_step = _("请刷新页面，查看现在需要支付的账单。")


class NothingToPay(Refused):
    code = "nothing_to_pay"
    message = _("这张账单没有需要支付的金额。")
    next_step = _("如果刚刚付过款，请刷新页面查看结果。")


class BillTooLarge(Refused):
    code = "bill_too_large"
    message = _("一张账单最多 99,999,999.99 元，加上这一项就超过了。")
    next_step = _("请核对数量；确实需要的，分成几张账单收。")


class NothingToCharge(Refused):
    """The basket or booking is gone, or never was."""

    code = "nothing_to_charge"
    message = _("没有找到需要收费的预约，可能已经取消或保留时间已过。")
    next_step = _("请重新预约后再付款。")


class AmountWrong(Refused):
    code = "amount_wrong"
    status = 422
    message = _("收款金额不对：这张账单还应付 ¥%(owed)s。")
    next_step = _("请按应付金额重新填写，找零不计入收款。")


class NoGateway(Refused):
    """No gateway is set up for this means here."""

    code = "no_gateway"
    message = _("本院暂未开通这种支付方式。")
    next_step = _("请换一种支付方式，或到窗口付款。")


class GatewayAway(Refused):
    """The gateway did not answer. Nothing was lost: the payment is asked about until it is known."""

    code = "gateway_away"
    message = _("支付渠道暂时没有响应，还不能确定是否已经付款。")
    next_step = _("请不要重复付款：系统会自动核实；也可以换一种支付方式或到窗口付款。")


class GatewayRefused(Refused):
    code = "gateway_refused"
    message = _("支付渠道拒绝了这笔付款。")
    next_step = _("请换一种支付方式，或到窗口付款。")


class NeedsReference(Refused):
    code = "needs_reference"
    status = 422
    message = _("请填写支票号码或刷卡凭证上的参考号。")
    next_step = _("填好后再确认收款。")


class SlipUsed(Refused):
    code = "slip_used"
    message = _("参考号（支票号）%(reference)s 今天已经用来付过一张账单，这一笔没有收。")
    next_step = _("请核对凭条上的号码；一张凭条只能付一张账单。")


class ShiftNotOpen(Refused):
    code = "shift_not_open"
    message = _("您的收费班次没有开班，或已经点款。")
    next_step = _("请先开班，再收款或退现金。")


class NotRefundable(Refused):
    """The line is not paid, or was given back already."""

    code = "not_refundable"
    message = _("这一项没有可退的款：还没有付费，或已经退过。")
    next_step = _("请刷新账单后再看。")


class RefundSettled(Refused):
    code = "refund_settled"
    message = _("这笔退费已经处理过了。")
    next_step = _("请刷新列表。")
