"""Refusals of admission requests (B23)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class AdmissionAskedAlready(Refused):
    """One open request per patient, department and kind."""

    code = "admission_asked_already"
    message = _("这位患者在%(department)s已有一张%(kind)s申请还没有结束（%(status)s）。")
    next_step = _("请打开那张申请补充；确实要重开，请先取消它。")


class AdmissionDepartmentClosed(Refused):
    code = "admission_department_closed"
    message = _("%(department)s已停用，不能收治。")
    next_step = _("请改选收治科室。")


class AdmissionNotNow(Refused):
    """The request has moved on."""

    code = "admission_not_now"
    message = _("住院申请现在是“%(status)s”，不能这样处理。")
    next_step = _("请刷新页面，按现在的状态继续。")


class AdmissionOver(Refused):
    code = "admission_over"
    message = _("住院申请已结束（%(status)s），不能再改。")
    next_step = _("如还需要住院，请另开一张申请。")


class AdmissionMissing(Refused):
    code = "admission_missing"
    message = _("入院前准备还缺%(count)d项：%(missing)s。")
    next_step = _("请先完成，或注明免做，再安排入院。")


class AdmissionDayGone(Refused):
    code = "admission_day_gone"
    status = 422
    message = _("安排日要在今天到 %(last)s 之间。")
    next_step = _("请重选日期。")


class AdmissionTooEarly(Refused):
    code = "admission_too_early"
    message = _("安排的入院日是 %(day)s，还没有到。")
    next_step = _("要提前入院，请先把安排日改到今天。")


class AdmissionNeedsReason(Refused):
    code = "admission_needs_reason"
    status = 422
    message = _("还没有写明原因。")
    next_step = _("请写一句话，患者和申请医生都会看到。")


class AdmissionReferralOver(Refused):
    code = "admission_referral_over"
    message = _("这张转诊单不能据此申请住院（%(status)s）。")
    next_step = _("请在接诊时从诊间申请。")


class NeedThereAlready(Refused):
    code = "admission_need_there"
    message = _("“%(text)s”已经在准备清单里。")
    next_step = _("不用再加。")
