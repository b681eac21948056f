"""Refusals of the cashier's window."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NotEnough(Refused):
    code = "not_enough"
    status = 422
    message = _("收到的钱不够：应收 ¥%(owed)s，还差 ¥%(missing)s。")
    next_step = _("请补足，或按 F8、F9 让患者扫码付余下的。")


class TooMuch(Refused):
    """Only cash gives change."""

    code = "too_much"
    status = 422
    message = _("刷卡和支票的金额合计 ¥%(parts)s，超过应收 ¥%(owed)s。")
    next_step = _("刷卡和支票不能找零，请改小金额。")


class NothingLeftForSlip(Refused):
    """Cash covers it all, and a slip without an amount would take the rest."""

    code = "nothing_left_for_slip"
    status = 422
    message = _("现金 ¥%(cash)s 已经收足，没有余下的要刷卡或用支票。")
    next_step = _("请填写刷卡或支票的金额；没有刷卡或支票，请清空它的号码。")


class WhichAmount(Refused):
    """Two slips without an amount: who of them pays the rest?"""

    code = "which_amount"
    status = 422
    message = _("刷卡和支票都没有填金额。")
    next_step = _("请至少填写其中一个的金额，另一个会收余下的。")


class OwedChanged(Refused):
    code = "owed_changed"
    message = _("应收金额刚刚变了：现在是 ¥%(owed)s。")
    next_step = _("请看清新的金额，再收款。")


class PaymentSettled(Refused):
    code = "payment_settled"
    message = _("这笔收款已经处理过了。")
    next_step = _("请刷新页面。")
