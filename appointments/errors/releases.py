"""Refusals of held or advanced releases (P6)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class MomentPassed(Refused):
    code = "moment_passed"
    message = _("%(at)s 已经过去，或不到 1 分钟就到。")
    next_step = _("请选再晚一些的时刻。")


class VisitBegins(Refused):
    code = "visit_begins"
    message = _("这个时刻不早于开诊（%(at)s）。")
    next_step = _("请选开诊以前的时刻，或不选这个半天。")


class OpenAlready(Refused):
    """Nothing that patients can book already is taken back."""

    code = "open_already"
    message = _("%(pool)s号 %(at)s 已经放出，不能收回。")
    next_step = _("要停止预约，请用停诊；要改用途，请用“调整号池”。")


class NotLater(Refused):
    code = "not_later"
    message = _("%(pool)s号原定 %(at)s 放号，新的时刻没有更晚。")
    next_step = _("请选更晚的时刻；要提前，请用“追加放号”。")


class RecalledBefore(Refused):
    code = "recalled_before"
    message = _("%(pool)s号 %(at)s 就回收到公共，推迟到那以后等于不放。")
    next_step = _("请选回收以前的时刻。")


class SharedAlready(Refused):
    code = "shared_already"
    message = _("%(pool)s余号 %(at)s 已回收到公共，患者可以约，不能再收回。")
    next_step = _("请不选这个半天；只推迟还没有放出的。")


class PublicStillClosed(Refused):
    code = "public_still_closed"
    message = _("公共号要到 %(at)s 才放号，回收过去也没人能约。")
    next_step = _("请同时选上公共号池，或选公共放号以后的时刻。")


class StillClosed(Refused):
    code = "still_closed"
    message = _("%(pool)s号 %(at)s 才开放，不能在这之前就归公共。")
    next_step = _("请选它开放以后的时刻，或不选这个号池。")


class NothingToBringForward(Refused):
    code = "nothing_to_bring_forward"
    message = _("所选号池在 %(at)s 之前都已归公共，没有可以追加的。")
    next_step = _("请换号池、就诊日，或更早的时刻。")
