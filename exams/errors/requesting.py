"""Refusals of asking for exams."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NothingAsked(Refused):
    code = "exam_nothing_asked"
    message = _("还没有选检查。")
    next_step = _("请先用拼音首字母搜索，选好检查再开单。")


class AlreadyRequested(Refused):
    """The same exam twice in one visit."""

    code = "exam_already_requested"
    message = _("本次就诊已经开过%(exam)s。")
    next_step = _("请按 5 在“已有预约”里查看；要重开，请先撤销原来的申请。")


class RepeatUndecided(Refused):
    """E6: a valid result is there and nobody said what is to become of it."""

    code = "exam_repeat_undecided"
    message = _("%(exam)s还有有效的结果（%(institution)s，%(day)s）。")
    next_step = _("请采用已有结果，或写明仍需检查的理由。")


class ResultOutdated(Refused):
    """The result that should be used is withdrawn, of somebody else or no longer valid."""

    code = "exam_result_outdated"
    message = _("%(exam)s的这份结果已不能采用：报告已撤回或过了有效期。")
    next_step = _("请按需要重新开这项检查。")


class NotOffered(Refused):
    code = "exam_not_offered"
    message = _("%(exam)s已停用，不能再开。")
    next_step = _("请改选其他检查，或联系检查科室。")


class VisitOver(Refused):
    """The patient has left the room, or another sits there."""

    code = "exam_visit_over"
    message = _("这次就诊已经结束，检查没有开出。")
    next_step = _("请刷新页面，看清当前患者后再开单。")


class NeedsWithdrawReason(Refused):
    code = "exam_withdraw_reason"
    message = _("撤销检查申请要写明原因。")
    next_step = _("请填写撤销原因后再撤销。")


class UnaskedExams(Refused):
    """The doctor chose exams and did not ask for them."""

    code = "exam_unasked"
    message = _("选好的%(count)s项检查还没有开单。")
    next_step = _("请按 4 回到检查开单，或清空后再继续。")
