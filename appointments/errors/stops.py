"""Refusals of stops, substitutes and their answers (B13, O9)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused

from .booking import NeedsReason


class NothingToStop(Refused):
    code = "nothing_to_stop"
    message = _("这些日子里没有可以停诊的出诊。")
    next_step = _("请核对医生、日期和半日；已停诊的不会再停一次。")


class StopDecided(Refused):
    """Somebody else has decided on the request meanwhile."""

    code = "stop_decided"
    message = _("这张停诊单现在是“%(state)s”，不能这样做。")
    next_step = _("请刷新页面，按最新状态处理。")


class NeedsStopReason(NeedsReason):
    next_step = _("写明原因，申请人会看到。")


class SubstituteElsewhere(Refused):
    """The EXCLUDE constraint on sittings decided; who and where is looked up afterwards."""

    code = "substitute_elsewhere"
    message = _("%(who)s这个时间已在别处出诊：%(where)s。")
    next_step = _("请换一位替诊医生，或换一间诊室。")


class SubstituteUnfit(Refused):
    code = "substitute_unfit"
    message = _("%(who)s不能替这次出诊：%(why)s。")
    next_step = _("请换一位同级或更高级别、这个时间有空的医生。")


class NoSubstituteHere(Refused):
    code = "no_substitute_here"
    message = _("这种出诊不能换人：团队、普通门诊和领衔专家的号只能停诊。")
    next_step = _("请选停诊；患者会收到改约的选择。")


class NotReopened(Refused):
    code = "not_reopened"
    message = _("不能恢复原出诊：%(why)s。")
    next_step = _("请先腾出医生或诊室，再点一次恢复。")


class AlreadyAnswered(Refused):
    code = "already_answered"
    message = _("这个号已经答复过：%(answer)s。")
    next_step = _("想再改，请在“我的预约”里办理，或致电医院。")


class QuestionOver(Refused):
    """Not a question any more: undone, replaced by another, or the visit's time has come."""

    code = "question_over"
    message = _("这个选择已经不需要了：%(why)s。")
    next_step = _("请以最新的短信和“我的预约”为准。")


class NoLongerOffered(Refused):
    code = "no_longer_offered"
    message = _("这个号刚被选走，没有改成。")
    next_step = _("原来的选择还在，请换一个时间。")
