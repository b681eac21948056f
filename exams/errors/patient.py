"""Refusals of what patients do alone with their exams (E2)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NotBookedAlone(Refused):
    """A complicated exam: sedation, contrast, consent. The house books it with the patient."""

    code = "exam_not_alone"
    message = _("%(exam)s需要医生或检查预约中心的工作人员和您一起安排，不能自己在网上预约。")
    next_step = _("请在就诊时请医生预约，或到检查预约中心办理。")


class NotOpenAnyMore(Refused):
    """Withdrawn, done, or booked meanwhile."""

    code = "exam_request_over"
    message = _("%(exam)s现在不用预约：这张申请已经预约、完成或撤销。")
    next_step = _("请回到“我的检查”，查看最新状态。")


class ToldByStaff(Refused):
    """A member of staff wrote down an answer that stops the exam: it is not answered away on the phone."""

    code = "exam_told_by_staff"
    message = _("工作人员已记下一条不能直接检查的情况，不能在网上改。")
    next_step = _("请联系开单医生或检查预约中心核实。")


class NotChangedAlone(Refused):
    """Of a complicated exam: it can be given back alone, but another time is found together with the house."""

    code = "exam_not_moved_alone"
    message = _("%(exam)s要和工作人员一起换时间，不能自己在网上改。")
    next_step = _("请致电检查预约中心改时间；不来的话可以在这里取消。")


class PlanGone(Refused):
    """The list of plans was drawn a while ago, or the address was altered."""

    code = "exam_plan_gone"
    message = _("这个方案已经过期，还没有预约任何检查。")
    next_step = _("请重新选一个方案。")
