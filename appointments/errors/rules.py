"""Refusals of changed rules and partner groups."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class RuleInThePast(Refused):
    """What was decided by the old rule stays decided."""

    code = "rule_in_the_past"
    status = 422
    message = _("规则不能从过去开始。")
    next_step = _("请填明天或以后的日期。")


class RuleDecidedToday(Refused):
    code = "rule_decided_today"
    status = 422
    message = _("今天已有按原规则办理的号，新规则不能从今天开始。")
    next_step = _("请填明天或以后的日期。")


class RuleTooFarAhead(Refused):
    code = "rule_too_far_ahead"
    status = 422
    message = _("生效日在一年以后，像是填错了。")
    next_step = _("请核对年份。")


class RuleDayTaken(Refused):
    code = "rule_day_taken"
    message = _("同一范围已有一条规则从%(day)s开始。")
    next_step = _("请换一天，或先撤销那条待生效的规则。")


class RuleChangedMeanwhile(Refused):
    """Somebody else of the office was quicker."""

    code = "rule_changed_meanwhile"
    message = _("这个范围的规则刚被别人改过，没有保存。")
    next_step = _("请打开最新的规则核对后再改。")


class RuleUnsound(Refused):
    code = "rule_unsound"
    status = 422
    message = _("规则有误：%(what)s")
    next_step = _("请更正后再保存。")


class RuleOver(Refused):
    """A rule of the past is history, one that is the last of its house can only be replaced."""

    code = "rule_over"
    message = _("%(why)s")
    next_step = _("请用“修改”写一条新规则接替它。")


class GroupInUse(Refused):
    code = "group_in_use"
    message = _("规则“%(rule)s”还给%(group)s留着号，不能停用。")
    next_step = _("请先改那条规则的号池份额。")
