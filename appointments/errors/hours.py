"""Refusals of changed half-day hours (O8)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class HoursOverlap(Refused):
    code = "hours_overlap"
    message = _("%(half)s：和已登记的 %(first)s 至 %(last)s（%(hours)s）只有一部分重叠，不知道该保留哪一段。")
    next_step = _("请把日期改到那一段之内，或从 %(first)s 开始、到 %(last)s 结束；也可以分两次登记。")


class HoursGap(Refused):
    code = "hours_gap"
    message = _("%(half)s：%(first)s 至 %(last)s 会没有作息时间，那几天排不出班。")
    next_step = _("请改日期，让前后两段接上。")


class HoursAsBefore(Refused):
    code = "hours_as_before"
    message = _("这段日期的作息时间已经是这样，没有要改的。")
    next_step = _("请核对日期和时间。")


class HoursBegun(Refused):
    code = "hours_begun"
    message = _("这次调整从 %(first)s 开始，那天已经到了，没有执行。")
    next_step = _("请从明天或以后重新登记一段。")
