"""Refusals of paying after the visit."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NoCredit(Refused):
    code = "no_credit"
    message = _("就诊人没有签署先诊疗后付费协议。")
    next_step = _("请先付费，或到窗口办理先诊疗后付费。")


class CreditOverdue(Refused):
    code = "credit_overdue"
    message = _("有超过期限没有付清的账单，暂时不能先诊疗后付费。")
    next_step = _("请先付清欠费，或这一次先付费。")


class CreditUsedUp(Refused):
    code = "credit_used_up"
    message = _("超过先诊疗后付费的额度：额度 ¥%(limit)s，还可用 ¥%(left)s。")
    next_step = _("请先付清一部分欠费，或这一次先付费。")


class CreditNotOffered(Refused):
    """The house's rule names no credit."""

    code = "credit_not_offered"
    message = _("本院没有开通先诊疗后付费。")
    next_step = _("请按原来的方式付费。")


class CreditNeedsTheWindow(Refused):
    """The account registered the person itself: nobody has proved who that is."""

    code = "credit_at_the_window"
    message = _("这位就诊人的身份还没有核对过，不能在手机上签署先诊疗后付费协议。")
    next_step = _("请带就诊人的证件到收费窗口签署。")


class NothingOwed(Refused):
    code = "nothing_owed"
    message = _("没有先诊疗后付费的欠费，可能已经付清。")
    next_step = _("请刷新页面查看。")
