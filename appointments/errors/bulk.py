"""Refusals of bulk acts, whole or per session (P9)."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused

from .booking import ExtraLimit


class PreviewStale(Refused):
    """The second look, under the locks, sees something else than the preview did."""

    code = "preview_stale"
    message = _("预览之后号源有了变化，没有执行。")
    next_step = _("下面是按现在的情况重新算的预览，请核对后再确认。")


class ActSettled(Refused):
    code = "act_settled"
    message = _("这次批量操作现在是“%(state)s”，不能再做一遍。")
    next_step = _("请到“批量操作记录”查看结果。")


class UndoOver(Refused):
    code = "undo_over"
    message = _("撤销的时间已过，或这种操作不能撤销。")
    next_step = _("请另做一次相反的操作。")


class NothingToDo(Refused):
    code = "nothing_to_do"
    message = _("选中的出诊单元都不能这样做，没有执行。")
    next_step = _("请看每一行的原因，换一种做法或换几个出诊单元。")


class SessionOver(Refused):
    code = "session_over"
    message = _("这个半天已经结束。")
    next_step = _("请选还没有结束的出诊单元。")


class NoFreeNumbers(Refused):
    code = "no_free_numbers"
    message = _("%(pool)s没有空号。")
    next_step = _("请换一个号池，或加号。")


class NothingLeft(Refused):
    code = "nothing_left"
    message = _("这些号池没有余号可回收。")
    next_step = _("请换号池，或不选这个出诊单元。")


class TeamNumbersStay(Refused):
    """B11: a leading expert's numbers open by an internal referral alone."""

    code = "team_numbers_stay"
    message = _("领衔专家的号只接受组内转诊，不能放到别的号池。")
    next_step = _("可以只加“加号”号池的号。")


class RecallUnderWay(Refused):
    code = "recall_under_way"
    message = _("%(pool)s的余号正在回收到公共。")
    next_step = _("请一分钟后重新预览。")


class TooManyExtras(ExtraLimit):
    message = _("这个出诊单元还可加%(left)s个号（上限%(limit)s个）。")
    next_step = _("请减少加号数，或不选这个出诊单元。")


class SharedAsRuled(Refused):
    """Of a schedule whose numbers are as the rule wants them."""

    code = "shared_as_ruled"
    message = _("已经符合规则，没有要动的号。")
    next_step = _("不用处理。")


class TooManySchedules(Refused):
    code = "too_many_schedules"
    status = 422
    message = _("这些日子里有 %(count)s 个出诊单元，一次最多重分 %(most)s 个。")
    next_step = _("请把日期缩短，分几次做。")
