"""Refusals around devices: downtimes, their patients' answers, hours, single days."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class DowntimeWrong(Refused):
    """The span makes no sense. `why` names it."""

    code = "downtime_wrong"
    message = _("停机时间不对：%(why)s。")
    next_step = _("请改开始和结束时间后再登记。")


class DowntimeThere(Refused):
    """Another downtime of the device stands in this time. `during` names it."""

    code = "downtime_there"
    message = _("这台设备在 %(during)s 已经登记停机。")
    next_step = _("请只登记还没有停机的时间，或先提前恢复原来的停机。")


class DowntimeOver(Refused):
    code = "downtime_over"
    message = _("这次停机已经结束或已恢复。")
    next_step = _("请刷新页面，查看设备现在的状态。")


class CaseSettled(Refused):
    """Answered before, otherwise. `answer` says how."""

    code = "exam_case_answered"
    message = _("这项检查已经选过：%(answer)s。")
    next_step = _("想再改，请到“我的检查”里办理，或致电检查预约中心。")


class CaseOver(Refused):
    """Nothing to answer any more. `why`."""

    code = "exam_case_over"
    message = _("不用再选了：%(why)s。")
    next_step = _("请以最新的短信为准，或在“我的检查”里查看。")


class OfferGone(Refused):
    """The time that was kept is not kept any more."""

    code = "exam_offer_gone"
    message = _("为您保留的时间已经过期，没有预约。")
    next_step = _("请从下面选另一个时间，或致电检查预约中心。")


class HoursRefused(Refused):
    """Weekly hours or reserves that cannot be. `why`."""

    code = "device_hours_refused"
    message = _("没有保存：%(why)s。")
    next_step = _("请改正后再保存。")


class SessionInTheWay(Refused):
    """Another session of the device is open in this time. `during` names it."""

    code = "device_session_there"
    message = _("这台设备在 %(during)s 已经开放。")
    next_step = _("请选择没有开放的时间。")


class SessionTooFar(Refused):
    """Nobody can book so far ahead. `day`: the last that is laid out."""

    code = "device_session_far"
    message = _("没有加开：最远只能加开到 %(day)s。")
    next_step = _("请选这一天或更早的日期。")


class SessionTooShort(Refused):
    """No exam of the device fits. `minutes`: of its shortest."""

    code = "device_session_short"
    message = _("没有加开：这台设备最短的检查要 %(minutes)s 分钟，这一段排不下。")
    next_step = _("请把这一段加长。")


class ExamsBooked(Refused):
    """A session with exams in it is not closed. `count`."""

    code = "device_exams_booked"
    message = _("这段时间已约 %(count)s 项检查，不能直接关闭。")
    next_step = _("请登记停机：系统会为每位患者保留另一个时间并通知。")


class NothingToRelease(Refused):
    code = "device_nothing_to_release"
    message = _("这段预留已经放开，或已经过去。")
    next_step = _("请刷新页面，查看现在的预留。")


class DeviceSessionOver(Refused):
    code = "device_session_over"
    message = _("这段开机时间已经结束，不能再改。")
    next_step = _("请选择今天或以后的时间。")
