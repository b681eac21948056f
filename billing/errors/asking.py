"""Refusals of sending somebody to pay, and of prices."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NoPhone(Refused):
    code = "no_phone"
    message = _("患者没有登记手机号，发不了付费链接。")
    next_step = _("请让患者扫屏幕上的码，或到收费窗口、自助机付款。")


class PriceTooEarly(Refused):
    code = "price_too_early"
    status = 422
    message = _("今天已经按原来的价格办理。")
    next_step = _("请从明天或以后开始；只有没有价格的新代码可以今天生效。")


class PriceTooFarAhead(Refused):
    code = "price_too_far_ahead"
    status = 422
    message = _("生效日离今天太远了。")
    next_step = _("请填两年以内的日期。")


class PriceDayTaken(Refused):
    code = "price_day_taken"
    message = _("代码 %(code)s 在这一天已经排好了一个新价格。")
    next_step = _("请先撤销那一个，或换一个生效日。")


class PriceUnchanged(Refused):
    code = "price_unchanged"
    status = 422
    message = _("代码 %(code)s 的名称和价格与那天有效的一样，没有变化。")
    next_step = _("请核对金额；不用改的话可以离开这一页。")


class PriceChangedMeanwhile(Refused):
    code = "price_changed_meanwhile"
    message = _("您打开这一页以后，有人改过这个价目。")
    next_step = _("请刷新后核对现在的价格，再决定要不要改。")


class PriceBegun(Refused):
    code = "price_begun"
    message = _("这个价格已经生效，不能撤销。")
    next_step = _("请写一个新价格接替它。")


class PriceInUse(Refused):
    code = "price_in_use"
    message = _("代码 %(code)s 还在使用（%(users)s），停用后就不能预约了。")
    next_step = _("请先停用用它的号别或检查，或写一个新价格。")
