"""Refusals of receipts and e-invoices."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NotYetPaid(Refused):
    """A receipt says what was paid: an open, owed or empty bill has none."""

    code = "receipt_not_paid"
    message = _("这张账单没有付清，或已全部退费，不能开票。")
    next_step = _("付清后再开票；先诊疗后付费的，结清后再开。")


class OtherReceiptThere(Refused):
    """Two papers for one payment could be reimbursed twice."""

    code = "receipt_there"
    message = _("这张账单已经开了%(kind)s，不能再开一张。")
    next_step = _("要换成另一种票据，请先作废原来的。")


class ReceiptUnderWay(Refused):
    code = "receipt_under_way"
    message = _("这张票据正在开具或冲红，还没有结果。")
    next_step = _("请过一会儿再看，不用重复操作。")


class ReceiptOver(Refused):
    code = "receipt_over"
    message = _("这张票据已经作废，或没有开成。")
    next_step = _("请刷新页面，按现在的状态操作。")


class WhyVoid(Refused):
    code = "why_void"
    status = 422
    message = _("作废票据需要写明原因。")
    next_step = _("请填写原因，例如“换开纸质收据”。")


class NoPlatform(Refused):
    code = "no_receipt_platform"
    message = _("本院还没有接入财政电子票据平台，不能开票。")
    next_step = _("请用收费凭条，或到财务处开具收据。")
