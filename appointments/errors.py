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
    next_step = _("请在“我的预约”里改约，或换一天。")


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


class ImportUnderWay(Refused):
    code = "import_under_way"
    message = _("另一个导入正在进行，这次什么都没有改。")
    next_step = _("请等一两分钟再试；导入记录里能看到是谁在导入。")


class ImportDecided(Refused):
    """Applied or given up already, perhaps by a colleague in this very moment."""

    code = "import_decided"
    message = _("这次导入已经是“%(state)s”，没有再做一遍。")
    next_step = _("要再导入，请重新上传文件。")


class WholeHouseOnly(Refused):
    code = "whole_house_only"
    status = 403
    message = _("您的岗位只管一个科室，这里的数据是全院的。")
    next_step = _("请交给门诊办公室里管全院的同事办理。")


class HoursOverlap(Refused):
    code = "hours_overlap"
    message = _("%(half)s：和已登记的 %(first)s 至 %(last)s（%(hours)s）只有一部分重叠，不知道该保留哪一段。")
    next_step = _("请把日期改到那一段之内，或从 %(first)s 开始、到 %(last)s 结束；也可以分两次登记。")


class HoursGap(Refused):
    code = "hours_gap"
    message = _("%(half)s：%(first)s 至 %(last)s 会没有作息时间，那几天排不出班。")
    next_step = _("请改日期，让前后两段接上。")


class HoursAsBefore(Refused):
    code = "hours_as_before"
    message = _("这段日期的作息时间已经是这样，没有要改的。")
    next_step = _("请核对日期和时间。")


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


class SpecialOnly(Refused):
    """P7: numbers are left, all of them of the special-group pool, and the patient is not known to be of the group."""

    code = "special_only"
    message = _("剩下的号留给 60 岁以上老人、残疾人、军人等优待对象。")
    next_step = _("请换一个时段；符合条件的，请带证件到窗口登记优待后再约。")


# 停诊与替诊 (B13, O9)


class SessionOver(Refused):
    code = "session_over"
    message = _("这次出诊已经结束。")
    next_step = _("请选还没有结束的出诊。")


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


class DraftDays(Refused):
    code = "draft_days"
    message = _("只能从今天起、往后%(days)s天以内排班，结束日不能早于开始日。")
    next_step = _("请改日期后再生成。")


class DraftStale(Refused):
    """What the draft was made from is not what stands any more."""

    code = "draft_stale"
    message = _("生成草稿之后模板或排班已有变化（%(what)s），没有发布任何内容。")
    next_step = _("请重新生成，核对后再发布。")


class DraftDecided(Refused):
    code = "draft_decided"
    message = _("这份草稿%(state)s，不能再处理。")
    next_step = _("请刷新页面查看结果，需要时重新生成。")


class TemplateRefused(Refused):
    """The first of what policies.template found, for callers other than the form, which shows each at its field."""

    code = "template_refused"
    message = _("%(problem)s")
    next_step = _("请改正后再保存。")


class ContractRefused(Refused):
    code = "contract_refused"
    message = _("%(problem)s")
    next_step = _("请改正后再保存。")


# 暂缓放号与追加放号 (P6)


class MomentPassed(Refused):
    code = "moment_passed"
    message = _("%(at)s 已经过去，或不到 1 分钟就到。")
    next_step = _("请选再晚一些的时刻。")


class VisitBegins(Refused):
    code = "visit_begins"
    message = _("这个时刻不早于开诊（%(at)s）。")
    next_step = _("请选开诊以前的时刻，或不选这个半天。")


class OpenAlready(Refused):
    """Nothing that patients can book already is taken back."""

    code = "open_already"
    message = _("%(pool)s号 %(at)s 已经放出，不能收回。")
    next_step = _("要停止预约，请用停诊；要改用途，请用“调整号池”。")


class NotLater(Refused):
    code = "not_later"
    message = _("%(pool)s号原定 %(at)s 放号，新的时刻没有更晚。")
    next_step = _("请选更晚的时刻；要提前，请用“追加放号”。")


class RecalledBefore(Refused):
    code = "recalled_before"
    message = _("%(pool)s号 %(at)s 就回收到公共，推迟到那以后等于不放。")
    next_step = _("请选回收以前的时刻。")


class SharedAlready(Refused):
    code = "shared_already"
    message = _("%(pool)s余号 %(at)s 已回收到公共，患者可以约，不能再收回。")
    next_step = _("请不选这个半天；只推迟还没有放出的。")


class PublicStillClosed(Refused):
    code = "public_still_closed"
    message = _("公共号要到 %(at)s 才放号，回收过去也没人能约。")
    next_step = _("请同时选上公共号池，或选公共放号以后的时刻。")


class StillClosed(Refused):
    code = "still_closed"
    message = _("%(pool)s号 %(at)s 才开放，不能在这之前就归公共。")
    next_step = _("请选它开放以后的时刻，或不选这个号池。")


class NothingToBringForward(Refused):
    code = "nothing_to_bring_forward"
    message = _("所选号池在 %(at)s 之前都已归公共，没有可以追加的。")
    next_step = _("请换号池、就诊日，或更早的时刻。")


class FileTooLong(Refused):
    code = "file_too_long"
    status = 413
    message = _("文件太大，没有接收。")
    next_step = _("最大 10 MB。请删去图片和多余的格式，或拆成几个文件。")


class SharedAlready(Refused):
    """Of a schedule whose numbers are as the rule wants them."""

    code = "shared_already"
    message = _("已经符合规则，没有要动的号。")
    next_step = _("不用处理。")


class TooManySchedules(Refused):
    code = "too_many_schedules"
    status = 422
    message = _("这些日子里有 %(count)s 个出诊单元，一次最多重分 %(most)s 个。")
    next_step = _("请把日期缩短，分几次做。")


class CalendarRefused(Refused):
    code = "calendar_refused"
    message = _("%(problem)s")
    next_step = _("请改正后再保存。")


class HoursBegun(Refused):
    code = "hours_begun"
    message = _("这次调整从 %(first)s 开始，那天已经到了，没有执行。")
    next_step = _("请从明天或以后重新登记一段。")
