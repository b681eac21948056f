"""Refusals of merging and of taking it back."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class NotTwoRecords(Refused):
    code = "merge_not_two"
    message = _("要合并的是同一份档案，或其中一份已停用。")
    next_step = _("请刷新页面，选两份都在用的档案。")


class TwoPeople(Refused):
    """Two identity cards that somebody held in hand, with different numbers."""

    code = "merge_two_people"
    message = _("两份档案各有一张现场核验过的居民身份证，号码不同：应是两个人。")
    next_step = _("确认是同一人的，请先在“更正资料”里改正登记错的证件；不是同一人的，请选“不是同一人”。")


class BothAtOnce(Refused):
    code = "merge_both_at_once"
    message = _("两份档案在同一时间都有预约：%(when)s。")
    next_step = _("请先和本人确认，退掉其中一个，再合并。")


class BothHave(Refused):
    """What one person may have only once at a time stands on both."""

    code = "merge_both_have"
    message = _("两份档案各有一条不能并存的“%(what)s”。")
    next_step = _("请先取消或结束其中一条，再合并。")


class UndoneAlready(Refused):
    code = "merge_undone"
    message = _("这次合并已经撤销。")
    next_step = _("请刷新页面，看现在的两份档案。")


class MergedOnwards(Refused):
    """The record that was kept is itself part of another by now: the last merge goes first."""

    code = "merge_undo_later_first"
    message = _("保留的档案后来又并入了别的档案。")
    next_step = _("请先撤销后一次合并，再撤销这一次。")


class DecidedAlready(Refused):
    code = "duplicate_decided"
    message = _("这一对档案已经处理过：%(how)s。")
    next_step = _("请回到列表，处理下一对。")


class NeedsMergeReason(Refused):
    code = "merge_needs_reason"
    status = 422
    message = _("还没有写明理由。")
    next_step = _("请写一句话：凭什么判断，核对了什么证件。")
