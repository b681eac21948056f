"""Refusals of the booking core, by name. The codes come back from the SQL function and go out in the API."""

from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused


class SoldOut(Refused):
    code = "sold_out"
    message = _("这个时段刚被约满。")
    next_step = _("请换一个时段，或选其他医生。")


class Busy(Refused):
    """Somebody else is being served this very number: not a miss, try again."""

    code = "busy"
    status = 503
    message = _("抢号的人较多，系统没来得及处理。")
    next_step = _("请稍候片刻再点一次。")


class NotOpen(Refused):
    code = "not_open"
    message = _("这个号源还没有对当前渠道开放。")
    next_step = _("请在放号时间后再约，或换一个出诊单元。")


class Stopped(Refused):
    code = "stopped"
    message = _("这个出诊单元已停诊。")
    next_step = _("请换一个出诊单元。")


class PastNumber(Refused):
    code = "past"
    message = _("这个号的就诊时间已经过去。")
    next_step = _("请选之后的时间。")


class LimitReached(Refused):
    code = "limit"
    message = _("已达到预约次数上限（一天%(day)s次、7天%(week)s次、90天%(quarter)s次）。")
    next_step = _("请先退掉不需要的预约，或到窗口办理。")


class AlreadyBooked(Refused):
    code = "already_booked"
    message = _("同一天同一科室已有预约。")
    next_step = _("请先改约或退掉那个预约，或换一天。")


class TimeConflict(Refused):
    code = "time_conflict"
    message = _("这个时间就诊人已有其他安排。")
    next_step = _("请换一个时间。")


class PatientSuspended(Refused):
    code = "suspended"
    message = _("因多次爽约，自助预约已暂停至%(until)s。")
    next_step = _("可由医生在诊间预约，或到窗口申诉。")


class HoldLapsed(Refused):
    """A replayed request whose number went back meanwhile: never shown as success."""

    code = "lapsed"
    message = _("锁号已过期，号已放回。")
    next_step = _("请重新选一个时间。")


class KeyReused(Refused):
    code = "key_reused"
    status = 422
    message = _("同一个请求编号带了不同的内容。")
    next_step = _("请刷新页面后再试。")


class PageUsed(Refused):
    """A page from before: its key has booked already. Whatever is wanted now is a new request."""

    code = "page_used"
    status = 422
    message = _("用这个页面已经约过一次，没有重复预约。")
    next_step = _("约好的号在“我的预约”里；还要再约，请核对后再点一次“确认预约”。")


class GivenBack(Refused):
    """A page from before: what it booked was given back meanwhile."""

    code = "given_back"
    message = _("用这个页面约的号后来已经退掉，没有重新预约。")
    next_step = _("仍想约这个时段，请再点一次“确认预约”。")


class NeedsTeamReferral(Refused):
    """B11: the leading expert has no first-visit numbers in any channel."""

    code = "needs_referral"
    message = _("领衔专家的号只接受团队成员的组内转诊。")
    next_step = _("请先预约专家团队，由团队医生看后转诊。")


class LevelNotAllowed(Refused):
    """B4."""

    code = "level_not_allowed"
    message = _("诊间目前只能预约：%(levels)s。")
    next_step = _("请换一个级别；开放范围由门诊办公室设定。")


class TooFarAhead(Refused):
    code = "too_far"
    message = _("超出可预约的天数。")
    next_step = _("请选较近的日期。")


class Inactive(Refused):
    code = "inactive"
    message = _("该医生或号别已停用。")
    next_step = _("请换一位医生。")


class TooLateToCancel(Refused):
    code = "too_late_to_cancel"
    message = _("退号截止时间是%(deadline)s，已经过了。")
    next_step = _("如不能来，请到窗口办理。")


class WrongState(Refused):
    code = "wrong_state"
    message = _("当前状态是“%(state)s”，不能这样做。")
    next_step = _("请刷新后查看最新状态。")


class ExtraLimit(Refused):
    code = "extra_limit"
    message = _("这个出诊单元的加号已满（上限%(limit)s个）。")
    next_step = _("请换一个出诊单元，或由门诊办公室处理。")


class NeedsReason(Refused):
    code = "needs_reason"
    status = 422
    message = _("请写明理由。")
    next_step = _("补充理由后再提交。")


class RoomTaken(Refused):
    code = "room_taken"
    message = _("诊室里还有一位患者没有结束就诊。")
    next_step = _("请先结束当前就诊，再叫下一位。")


class VisitOnAnotherDay(Refused):
    code = "another_day"
    message = _("这个预约是%(day)s的，今天不能报到。")
    next_step = _("请在就诊当天报到；需要提前看，可以改约或挂当日号。")


class NotCheckedIn(Refused):
    code = "not_checked_in"
    message = _("这位患者还没有报到。")
    next_step = _("请先报到。")


class NotWaiting(Refused):
    code = "not_waiting"
    message = _("这位患者现在是“%(state)s”，不在候诊。")
    next_step = _("请刷新后查看最新状态。")


class CalledElsewhere(Refused):
    code = "called_elsewhere"
    message = _("这位患者已被叫到%(room)s。")
    next_step = _("请叫下一位。")


class NobodyInRoom(Refused):
    code = "nobody_in_room"
    message = _("这位患者不在诊室里。")
    next_step = _("请先叫号并开始就诊。")


class NoPrice(Refused):
    code = "no_price"
    message = _("这个号别在就诊日没有价格。")
    next_step = _("请联系门诊办公室补上价目后再约。")


class NoSuchNumber(Refused):
    code = "not_found"
    status = 404
    message = _("没有这个号或出诊单元。")
    next_step = _("请刷新页面后重新选择。")


class NoSuchPatient(Refused):
    code = "no_patient"
    status = 404
    message = _("没有这位就诊人，或档案已停用。")
    next_step = _("请到窗口核对身份后再约。")


class NotOnTheTeam(Refused):
    """B11: only a member who is seeing the team's patient refers inside the team."""

    code = "not_on_the_team"
    message = _("只有正在看这位患者的团队成员可以转给领衔专家。")
    next_step = _("请先由团队成员接诊。")


class SeatTaken(Refused):
    code = "seat_taken"
    message = _("这间诊室已有医生坐诊，或您此时在另一间诊室。")
    next_step = _("请换一间诊室；需要调整请联系门诊办公室。")


class PatientChanged(Refused):
    """The page shows somebody who is not in the room any more: another tab or the desk went on."""

    code = "patient_changed"
    message = _("诊室里的患者已经换了，这一步没有做。")
    next_step = _("请刷新页面，看清当前患者后再操作。")


class UnconfirmedLines(Refused):
    code = "unconfirmed_lines"
    message = _("预约单里还有%(count)s项没有确认。")
    next_step = _("请先确认或撤销，再叫下一位；锁号到时会自动放回。")


class StoppedMeanwhile(Stopped):
    """The slice that was chosen belongs to a clinic that stops: said to the patient on the page of slices."""

    message = _("这个时段刚刚停诊。")
    next_step = _("请换一天，或选同科室其他医生。")


class SpecialOnly(Refused):
    """P7: numbers are left, all of them of the special-group pool, and the patient is not known to be of the group."""

    code = "special_only"
    message = _("剩下的号留给 60 岁以上老人、残疾人、军人等优待对象。")
    next_step = _("请换一个时段；符合条件的，请带证件到窗口登记优待后再约。")


class AgreementEnded(Refused):
    """P3, R1: between the two there is no agreement in force any more, or not yet."""

    code = "agreement_ended"
    message = _("%(member)s与%(hospital)s的协作协议不在有效期内。")
    next_step = _("已约好的照常就诊；要继续预约和转诊，请联系上级医院续签协议。")
