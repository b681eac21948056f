"""Refusals of requesting and booking exams."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class TimeTaken(Refused):
    """Somebody else has this time of the device, the team or the patient by now. `exam` names which."""

    code = "exam_time_taken"
    message = _("%(exam)s的这个时间刚被占用，本次没有预约任何检查。")
    next_step = _("请重新查看可约时间后再选。")


class NotFree(Refused):
    """The time is not open to this channel, outside the device's hours, or past."""

    code = "exam_time_not_open"
    message = _("%(exam)s的这个时间不在可约范围内。")
    next_step = _("请选择页面上列出的时间。")


class PatientBusy(Refused):
    """The patient is promised to be elsewhere then (PatientTime)."""

    code = "exam_patient_busy"
    message = _("就诊人在这段时间已有其他就诊或检查。")
    next_step = _("请换一个时间，或先调整原来的预约。")


class AgainstTheOrder(Refused):
    """An ordering rule with another exam of the patient. `why` is the rule's own sentence."""

    code = "exam_order"
    message = _("与已有检查的先后或间隔不符：%(why)s")
    next_step = _("请换一个时间，或按推荐方案预约。")


class HoldEnded(Refused):
    code = "exam_hold_ended"
    message = _("锁定的时间已到期。")
    next_step = _("请重新选择时间。")


class AlreadyBookedExam(Refused):
    code = "exam_already_booked"
    message = _("这项检查已经预约。")
    next_step = _("如需换时间，请在已有预约上改时间。")


class NotPossible(Refused):
    """A screening answer refuses, or needs a check first. `sentence`: what the answer means."""

    code = "exam_not_possible"
    message = _("按准备问题的回答，这项检查现在不能预约：%(sentence)s")
    next_step = _("请联系开单医生或检查预约中心。")


class NotAnswered(Refused):
    code = "exam_not_answered"
    message = _("还有准备问题没有回答。")
    next_step = _("请先回答准备问题，再预约。")


class TooLateForExam(Refused):
    code = "exam_too_late"
    message = _("已过自助取消或改时间的截止时间（%(until)s）。")
    next_step = _("请致电检查预约中心办理。")


class ExamsSuspended(Refused):
    """E5: too many exam no-shows."""

    code = "exam_suspended"
    message = _("因多次预约检查未到，自助预约检查暂停到%(until)s。")
    next_step = _("可在诊间或检查预约中心预约。")


class WrongExamState(Refused):
    code = "exam_wrong_state"
    message = _("这项检查的状态已改变，不能这样办理。")
    next_step = _("请刷新页面，查看最新状态。")


class NoExamPrice(Refused):
    code = "exam_no_price"
    message = _("%(exam)s还没有价格，不能预约。")
    next_step = _("请通知号源管理补上价目。")


class TooSoonForExam(Refused):
    """Preparation takes time: bowels, fasting. `exam`, `earliest` (wall time)."""

    code = "exam_too_soon"
    message = _("%(exam)s要先做准备，最早可约%(earliest)s。")
    next_step = _("请选择更晚的时间。")


class TooLateInTheDay(Refused):
    """Nobody fasts longer than until the preparation's latest hour."""

    code = "exam_too_late_in_the_day"
    message = _("%(exam)s需要空腹，最晚%(latest)s开始。")
    next_step = _("请选择当天更早的时间，或换一天。")


class BookedTogether(Refused):
    """One sitting (同一次麻醉): its exams are done back to back on one device."""

    code = "exam_one_sitting"
    message = _("%(exams)s要在同一次麻醉中连着做，须约在同一设备、前后相接的时间。")
    next_step = _("请按推荐方案一起预约。")


class AsksTooMuch(Refused):
    """A plan holds at most so many exams."""

    code = "exam_too_many"
    message = _("一次最多安排%(most)s项检查。")
    next_step = _("请分两次选择检查后再安排。")
