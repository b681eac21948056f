"""Refusals on the day of the exam."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class TooEarlyForExam(Refused):
    code = "exam_too_early"
    message = _("%(exam)s预约在%(start)s，现在还不能报到。")
    next_step = _("请在%(opens)s以后再来报到。")


class TooLateToCheckIn(Refused):
    code = "exam_too_late_to_check_in"
    message = _("%(exam)s预约在%(start)s，已过报到时间（%(until)s）。")
    next_step = _("检查室有空时可按“现场检查”补做，或请检查预约中心改约。")


class CannotBeExamined(Refused):
    """An answer at check-in refuses, or asks for a check first. `sentence`: what the answer means."""

    code = "exam_not_now"
    may_overrule = True
    message = _("按报到时的回答，%(exam)s现在不能做：%(sentence)s")
    next_step = _("请登记“未做”退回检查预约中心；医生同意仍做的，填写医生和理由后报到。")


class NeverExamined(CannotBeExamined):
    """An answer that refuses, as before booking: a name typed at the desk does not put a pacemaker into an MRI."""

    code = "exam_never"
    next_step = _("点错了的请改正后再报到；属实的请登记“未做”，由开单医生决定。")
    may_overrule = False


class AskAgain(Refused):
    code = "exam_ask_again"
    status = 422
    message = _("还有准备问题没有回答：%(questions)s")
    next_step = _("请当面问清患者，逐题选好后再报到。")


class NotInQueue(Refused):
    code = "exam_not_in_queue"
    message = _("这位患者现在是“%(state)s”，不能这样办理。")
    next_step = _("页面会自动更新，请看最新的队列。")


class DeviceBusy(Refused):
    code = "exam_device_busy"
    message = _("%(device)s上还有一位患者正在检查。")
    next_step = _("请先结束上一位，再开始下一位。")


class DeviceIsDown(Refused):
    code = "exam_device_down"
    message = _("%(device)s已登记停机，这位患者正在等改约。")
    next_step = _("请由检查预约中心改到别的设备或时间。")


class ReasonMissing(Refused):
    code = "exam_reason_missing"
    status = 422
    message = _("没有写明原因。")
    next_step = _("请选择或填写原因后再提交。")


class RequestEnded(Refused):
    code = "exam_request_ended"
    message = _("这项检查申请已经%(state)s。")
    next_step = _("请刷新页面，查看患者现有的申请。")


class AlreadyOnTheList(Refused):
    code = "exam_already_on_the_list"
    message = _("这位患者已有没做完的%(exam)s申请，没有再添加。")
    next_step = _("请直接预约已有的申请，或先撤销它。")


class PatientElsewhere(Refused):
    """Called to another room, or being examined there."""

    code = "exam_patient_elsewhere"
    message = _("这位患者正在%(device)s（%(state)s），还不能来这里。")
    next_step = _("请先叫下一位；那边结束后再叫。")
