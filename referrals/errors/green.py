"""Refusals of the green channel (R5)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class GreenTakenAlready(Refused):
    """Two of the office at once."""

    code = "green_taken_already"
    message = _("%(who)s已经确认了这个绿色通道呼叫。")
    next_step = _("请直接看预留情况，有补充告诉这位同事。")


class GreenNotTaken(Refused):
    code = "green_not_taken"
    message = _("还没有人确认这个呼叫。")
    next_step = _("请先按“确认收到”，再写预留情况。")


class GreenNotAsked(Refused):
    """Who is on the way is not waited for on paper."""

    code = "green_not_asked"
    message = _("绿色通道不等书面补充。")
    next_step = _("请先确认收到；要问的直接打电话给转出机构（%(phone)s）。")
