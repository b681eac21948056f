"""Refusals of reconciliation and of what is kept for the office."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class BillAway(Refused):
    code = "bill_away"
    message = _("渠道还没有给出这一天的账单，或账单没有传完。")
    next_step = _("系统每小时会自动再取；一般次日 10 点以后可以取到。")


class BillUnfit(Refused):
    """Its rows can't be what they say: a number twice, no amount."""

    code = "bill_unfit"
    message = _("渠道账单第 %(row)s 行有误，整份账单没有采用。")
    next_step = _("请向渠道核实账单后重新取账单；已记入财务待办。")


class DayClosed(Refused):
    code = "day_closed"
    message = _("这一天已经平账，不再改动。")
    next_step = _("新的情况会出现在之后的账单或财务待办里。")


class DayNotExplained(Refused):
    code = "day_not_explained"
    message = _("这一天还不能平账：账单没有取到，或还有 %(count)s 笔差异没有处理。")
    next_step = _("请先处理差异列表里的每一笔。")


class DifferenceSettled(Refused):
    code = "difference_settled"
    message = _("这一笔已经处理过，或处理方式已经变了。")
    next_step = _("请刷新页面，按现在的建议处理。")


class NotToBeSentBack(Refused):
    code = "not_to_be_sent_back"
    message = _("这一笔不能这样处理：款还欠着就诊人，退到之后会自动结清。")
    next_step = _("请在退费待办里重新发起，或在窗口付给本人。")


class DepositedAlready(Refused):
    code = "deposited_already"
    message = _("这张银行回单已经登记过。")
    next_step = _("请核对回单号；如果是另一张回单，请填它自己的号码。")


class NotThatMuch(Refused):
    """More than lies on the account."""

    code = "not_that_much"
    status = 422
    message = _("超过账上的余额：这个科目现在只有 ¥%(there)s。")
    next_step = _("请核对金额和科目；收款还没入账的，先等收款入账。")
