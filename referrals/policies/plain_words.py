"""What a state means for the patient, in plain words. Pure."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from referrals.models import Referral

Status = Referral.Status


@dataclass(frozen=True)
class Said:
    """`state`: two or three characters for the tag; `what`: what it means; `todo`: what to do, if anything."""

    state: str
    tone: str
    what: str
    todo: str = ""


def said_of(row: Referral) -> Said:
    """`row` needs its origin and receiver loaded."""
    names = {"origin": row.origin.name, "receiver": row.receiver.name}
    down = row.direction == Referral.Direction.DOWN
    return (_down if down else _up)(row.status, names)


def _up(status: str, names: dict) -> Said:
    if status in (Status.SENT, Status.ANSWERED, Status.REDIRECTED):
        return Said(_("处理中"), "", _("转诊单已送到%(receiver)s，正在处理。") % names, _("有消息会通知您。"))
    if status == Status.ASKED:
        what = _("%(receiver)s需要补充资料，已请%(origin)s补充。") % names
        return Said(_("待补充"), "warn", what, _("您手里有检查结果或出院小结，请交给家庭医生。"))
    if status == Status.ACCEPTED:
        return Said(_("已接收"), "ok", _("%(receiver)s已接收，正在安排就诊时间。") % names, _("约好后会通知您。"))
    if status == Status.BOOKED:
        return Said(_("已约好"), "ok", _("就诊时间已约好。"), _("请按时带证件到院报到，不用重新挂号。"))
    if status in (Status.ARRIVED, Status.SEEN):
        return Said(_("已到院"), "ok", _("您已在%(receiver)s就诊。") % names)
    if status == Status.RETURNED:
        what = _("%(receiver)s已把您转回%(origin)s，后续治疗见下转计划。") % names
        return Said(_("已转回"), "ok", what)
    if status == Status.REJECTED:
        what = _("%(receiver)s没有接收这次转诊。") % names
        return Said(_("未接收"), "bad", what, _("请联系%(origin)s的家庭医生，另作安排。") % names)
    if status == Status.WITHDRAWN:
        return Said(_("已撤回"), "", _("%(origin)s撤回了这次转诊。") % names, _("有疑问请问家庭医生。"))
    return Said(_("已完成"), "ok", _("这次转诊已完成。"))


def _down(status: str, names: dict) -> Said:
    if status in (Status.SENT, Status.ASKED, Status.ANSWERED, Status.REDIRECTED):
        what = _("%(origin)s已把后续治疗计划交给%(receiver)s。") % names
        return Said(_("已转回"), "", what, _("请按计划用药和复诊；家庭医生会联系您随访。"))
    if status == Status.REJECTED:
        what = _("%(receiver)s暂时不能接收。") % names
        return Said(_("未接收"), "warn", what, _("请按计划用药，%(origin)s会继续联系您。") % names)
    if status == Status.WITHDRAWN:
        return Said(_("已撤回"), "", _("%(origin)s撤回了这次下转。") % names, _("有疑问请问%(origin)s的医生。") % names)
    if status == Status.COMPLETED:
        return Said(_("已完成"), "ok", _("随访已结束。"), _("不舒服随时找家庭医生。"))
    return Said(
        _("社区已接收"), "ok", _("%(receiver)s已接收，家庭医生会联系您随访。") % names, _("请按计划用药和复诊。")
    )
