"""Refusals of the waitlist (候补, B9)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NoWaitlistHere(Refused):
    code = "no_waitlist"
    message = _("这个渠道不能候补。")
    next_step = _("请患者在网上、自助机、电话或窗口加入候补。")


class StillNumbers(Refused):
    """Waiting is for sessions that are full."""

    code = "still_numbers"
    message = _("现在还有%(left)s个号，不用候补。")
    next_step = _("请直接预约。")


class WaitlistClosed(Refused):
    code = "waitlist_closed"
    message = _("候补已在%(at)s截止。")
    next_step = _("请换一天，或选其他医生。")


class WaitingAlready(Refused):
    code = "waiting_already"
    message = _("这位就诊人已经在候补这个半天。")
    next_step = _("有空号会按顺序通知，请留意消息。")


class TooManyWaits(Refused):
    code = "too_many_waits"
    message = _("一人同时最多候补%(most)s个半天。")
    next_step = _("请先取消一个不需要的候补。")


class WaitOver(Refused):
    """The entry is not waiting any more, or has no number to accept."""

    code = "wait_over"
    message = _("这个候补现在是“%(state)s”，不能这样做。")
    next_step = _("请刷新后查看最新状态。")


class OfferOver(Refused):
    """The deadline has passed: the number goes to the next in line."""

    code = "offer_over"
    message = _("候补到的号没有在时限内确认，已让给下一位。")
    next_step = _("还想要号，请重新候补，或选其他时间。")
