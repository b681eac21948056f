"""Refusals of sending a patient down with a plan, and of following up."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NotHereToGoDown(Refused):
    """The patient of this referral hasn't been here, or was sent back already."""

    code = "down_not_here"
    message = _("转诊单%(number)s现在是“%(status)s”，还不能转回。")
    next_step = _("患者到院后再下转；不收治请在转诊单里退回并写明原因。")


class SentDownAlready(Refused):
    """One consultation sends down once."""

    code = "sent_down_already"
    message = _("这次就诊已经下转，下转单%(number)s。")
    next_step = _("要补充计划，请打开那张下转单写备注；要换机构，请先撤回它。")


class PlanDayGone(Refused):
    code = "plan_day_gone"
    status = 422
    message = _("复诊日要在 %(first)s 到 %(last)s 之间。")
    next_step = _("请重选复诊日。")


class NumberNotOfPlan(Refused):
    """What was clicked and what is written disagree."""

    code = "plan_number_elsewhere"
    message = _("选的号不在计划的复诊日或复诊机构。")
    next_step = _("请重新选号，或改成“只记复诊日”。")


class FollowedUpAlready(Refused):
    code = "followed_up_already"
    message = _("这次随访已经由%(who)s记录。")
    next_step = _("请回到随访名单，看下一次随访。")


class WorseNeedsNext(Refused):
    """Whoever gets worse stays in sight."""

    code = "worse_needs_next"
    status = 422
    message = _("患者加重，还没有定下一次随访的日子。")
    next_step = _("请填下次随访日，并考虑上转或急诊。")


class FollowUpDayGone(Refused):
    code = "follow_up_day_gone"
    status = 422
    message = _("下次随访日要在 %(first)s 到 %(last)s 之间。")
    next_step = _("请重选日期。")


class NothingToReferUpTo(Refused):
    code = "follow_up_no_hospital"
    message = _("这次随访不能直接上转：下转医院与本机构没有有效的协作协议。")
    next_step = _("情况紧急请拨打 120；也可以在上转页面改选医院。")
