"""Refusals of reports (E7): writing, releasing, correcting, files, critical values, links on paper."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class ExamNotDone(Refused):
    """Only what was examined has a result."""

    code = "exam_not_done"
    message = _("这项检查还没有做完，不能写报告。")
    next_step = _("请先在检查机房点“检查结束”。")


class ReportExists(Refused):
    """`report`: its id, for the way there."""

    code = "report_exists"
    message = _("这次检查已经有报告。")
    next_step = _("请打开已有的报告；已发布的请用“更正”。")


class ReportSaysNothing(Refused):
    code = "report_says_nothing"
    status = 422
    message = _("报告还没有内容。")
    next_step = _("请填写诊断意见、测量值，或上传报告文件，至少一样。")


class WrongReportState(Refused):
    """`state`: what the report is now."""

    code = "report_state"
    message = _("报告现在是“%(state)s”，不能这样做。")
    next_step = _("请刷新页面，按最新状态处理。")


class ReportChanged(Refused):
    """Somebody else wrote while this page was open. `who` did."""

    code = "report_changed"
    message = _("%(who)s刚刚改过这份报告，您的内容没有保存。")
    next_step = _("您填的都还在下面；请先看最新内容，再决定是否保存。")


class AlreadyReleased(Refused):
    code = "report_already_released"
    message = _("这一版已由%(who)s发布。")
    next_step = _("如内容有误，请用“更正”。")


class ReportReasonMissing(Refused):
    code = "report_reason_missing"
    status = 422
    message = _("请写明%(act)s原因。")
    next_step = _("原因会留痕；更正的原因患者也能看到。")


class NothingCorrected(Refused):
    code = "report_nothing_corrected"
    status = 422
    message = _("内容和现在发布的一版完全一样。")
    next_step = _("请先修改内容；不需要更正就直接返回。")


class NotExaminedYet(Refused):
    code = "report_of_the_future"
    status = 422
    message = _("检查时间不能晚于现在，也不能早于患者出生。")
    next_step = _("请对照原报告更正检查时间。")


class ReportFileLost(Refused):
    """The stored file is gone or not what was stored: never shown."""

    code = "report_file_lost"
    status = 503
    message = _("报告文件暂时取不到。")
    next_step = _("请稍后再试；仍不行请联系检查科室，正文内容不受影响。")


class AlreadyAcknowledged(Refused):
    code = "critical_already_acknowledged"
    message = _("%(who)s已在%(at)s确认并处理。")
    next_step = _("不用再确认；如有补充请联系这位同事。")


class NoteMissing(Refused):
    code = "critical_note_missing"
    status = 422
    message = _("请写明做了什么处理。")
    next_step = _("例如：已电话通知患者来院，已收住院。")


class NoDocumentForLink(Refused):
    code = "report_link_needs_document"
    message = _("患者没有登记证件，不能用二维码取报告。")
    next_step = _("请先到窗口登记证件，或请患者用手机号登录查看。")


class NothingToFetch(Refused):
    """The exam was cancelled or not done: no result will come."""

    code = "report_link_without_exam"
    message = _("这次检查没有做，不会有报告。")
    next_step = _("请按最新的预约打印。")
