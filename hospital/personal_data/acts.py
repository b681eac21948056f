"""What the trail's words mean to the person that they are about."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "account.opened": _("开通账号"),
    "account.signed_in": _("登录"),
    "account.signed_out": _("退出登录"),
    "account.idle_signed_out": _("空闲自动退出"),
    "account.phone_changed": _("更换登录手机"),
    "account.phone_released": _("登录手机已不属于本人"),
    "consent.given": _("同意告知书"),
    "consent.withdrawn": _("撤回同意"),
    "family.added": _("添加就诊人"),
    "family.changed": _("更改关系"),
    "family.ended": _("解除绑定"),
    "family.refused": _("添加就诊人时姓名和证件对不上"),
    "patient.registered": _("建档"),
    "patient.document_added": _("添加证件"),
    "patient.phone_changed": _("更改联系手机"),
    "patient.corrected": _("更正资料"),
    "patient.received": _("从院内系统接收资料"),
    "patient.merged": _("合并两份档案"),
    "patient.unmerged": _("撤销合并档案"),
    "patient.seen.desk": _("窗口查看"),
    "patient.seen.consult": _("诊间查看"),
    "patient.seen.admin": _("后台查看"),
    "patient.seen.phone": _("电话预约员查看"),
    "patient.seen.ward": _("病区查看"),
    "patient.seen.partner": _("下级机构查看"),
    "patient.seen.kiosk": _("自助机查看"),
    "patient.seen.report": _("查看检查报告"),
    "patient.seen.duplicates": _("核对疑似重复档案"),
    "patient.seen.referral": _("查看转诊单"),
    "patient.seen.admission": _("查看住院申请"),
    "patient.seen.my_admissions": _("本人查看住院申请"),
    "resident.signed": _("登记家庭医生签约"),
    "resident.ended": _("结束家庭医生签约"),
    "report.registered": _("书写检查报告"),
    "report.revised": _("修改检查报告草稿"),
    "report.released": _("发布检查报告"),
    "report.corrected": _("更正检查报告"),
    "report.withdrawn": _("撤回检查报告"),
    "report.critical_acknowledged": _("确认危急值"),
    "report.slip_printed": _("打印取报告条"),
    "report.link_missed": _("取报告二维码填错证件后四位"),
    "patient.identified": _("核对姓名和证件后四位"),
    "exam.answered": _("回答检查前的问题"),
    "exam.preparation_read": _("确认看过检查准备"),
    "personal_data.asked": _("提出个人信息请求"),
    "personal_data.dropped": _("撤回个人信息请求"),
    "personal_data.decided": _("处理个人信息请求"),
    "personal_data.exported": _("查阅或复制个人信息"),
}


def means(words: dict[str, str]) -> None:
    """Words of an app above, for its own acts."""
    WORDS.update(words)


def words_for(action: str) -> str:
    """In plain words; an act of a newer part of the house by its own name."""
    return str(WORDS.get(action, action))
