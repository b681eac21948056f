"""What 操作留痕 calls the acts around referrals, and whom and what they speak of by name."""

from django.utils.translation import gettext_lazy as _

from appointments.selectors import trail_names, trail_words
from referrals.models import AdmissionRequest, Attachment, FollowUp, Referral

ACTIONS = {
    "referral.created": _("起草转诊单"),
    "referral.sent": _("发出转诊单"),
    "referral.asked": _("要求补充资料"),
    "referral.answered": _("补充资料"),
    "referral.accepted": _("接收转诊"),
    "referral.redirected": _("改派转诊"),
    "referral.rejected": _("退回转诊"),
    "referral.booked": _("为转诊预约"),
    "referral.moved": _("转诊改约"),
    "referral.lost": _("转诊的号失效"),
    "referral.arrived": _("转诊到院"),
    "referral.seen": _("转诊已就诊"),
    "referral.completed": _("完成转诊"),
    "referral.returned": _("转回下级机构"),
    "referral.withdrawn": _("撤回转诊"),
    "referral.escalated": _("转诊逾期催办"),
    "referral.green": _("绿色通道"),
    "referral.followed_up": _("随访"),
    "referral.noted": _("转诊备注"),
    "referral.attached": _("添加转诊附件"),
    "referral.attachment_removed": _("移除转诊附件"),
    "referral.attachment.opened": _("打开转诊附件"),
    "referral.attachment.infected": _("附件发现病毒"),
    "referral.plan_printed": _("打印下转计划"),
    "patient.seen.down": _("写下转计划时查看"),
    "patient.seen.follow_up": _("随访时查看"),
    "patient.seen.my_referrals": _("本人查看转诊"),
    "resident.signed": _("签约居民"),
    "resident.ended": _("解约"),
    "admission.asked": _("申请住院"),
    "admission.approved": _("审核通过住院申请"),
    "admission.refused": _("未通过住院申请"),
    "admission.cancelled": _("取消住院申请"),
    "admission.need_added": _("加入院前准备"),
    "admission.need_done": _("完成入院前准备"),
    "admission.need_waived": _("免做入院前准备"),
    "admission.need_opened": _("重新打开入院前准备"),
    "admission.scheduled": _("安排入院"),
    "admission.put_off": _("暂缓入院安排"),
    "admission.admitted": _("登记入院"),
}
SUBJECTS = {"referral": _("转诊单"), "resident": _("签约居民"), "admission": _("住院申请"), "attachment": _("转诊附件")}
KEYS = {
    "referral": _("转诊单"),
    "attachment": _("附件"),
    "admission": _("住院申请"),
    "need": _("入院前准备"),
    "origin": _("转出机构"),
    "receiver": _("接收机构"),
    "direction": _("方向"),
    "from_department": _("原科室"),
    "from_receiver": _("原接收机构"),
    "down": _("下转单"),
    "follow_up": _("随访"),
    "outcome": _("情况"),
    "tries": _("未联系上"),
}
CODES = {
    "direction": dict(Referral.Direction.choices),
    "outcome": dict(FollowUp.Outcome.choices),
    "before": dict(AdmissionRequest.Status.choices),
    "after": dict(AdmissionRequest.Status.choices) | dict(Referral.Status.choices),
}


def _referrals(pks: set[int]) -> dict[int, str]:
    return {row.pk: row.number for row in Referral.objects.filter(pk__in=pks)}


def _admissions(pks: set[int]) -> dict[int, str]:
    rows = AdmissionRequest.objects.filter(pk__in=pks).select_related("department")
    return {row.pk: f"{row.get_kind_display()} {row.department.name}" for row in rows}


def _attachments(pks: set[int]) -> dict[int, str]:
    """By the referral's number: a file's name may be a person's."""
    rows = Attachment.objects.filter(pk__in=pks).select_related("referral")
    return {row.pk: row.referral.number for row in rows}


trail_words.learn(app="referrals", actions=ACTIONS, subjects=SUBJECTS, keys=KEYS, codes=CODES)
trail_names.OTHERS.update({"referral": _referrals, "admission": _admissions, "attachment": _attachments})
