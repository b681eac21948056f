"""The words of 操作留痕: acts, subjects, keys and codes as the office says them. Apps above teach it theirs."""

from django.utils.translation import gettext_lazy

from appointments.models import Pool, Suspension
from hospital.models import HalfDay

ACTIONS = {
    "resale.seen": gettext_lazy("核实倒号线索"),
    "resale.listed": gettext_lazy("查看倒号线索"),
    "rule.written": gettext_lazy("新建规则"),
    "rule.replaced": gettext_lazy("更换规则"),
    "rule.ended": gettext_lazy("规则到期"),
    "rule.resumed": gettext_lazy("恢复原规则"),
    "rule.withdrawn": gettext_lazy("撤回规则"),
    "partner_group.saved": gettext_lazy("保存协作单位组"),
    "draft.made": gettext_lazy("生成排班草稿"),
    "draft.published": gettext_lazy("发布排班草稿"),
    "draft.discarded": gettext_lazy("放弃排班草稿"),
    "template.created": gettext_lazy("新建出诊模板"),
    "template.changed": gettext_lazy("修改出诊模板"),
    "template.ended": gettext_lazy("停用出诊模板"),
    "calendar.kept": gettext_lazy("保存节假日"),
    "calendar.removed": gettext_lazy("删除节假日"),
    "agreement.made": gettext_lazy("登记协作协议"),
    "agreement.ended": gettext_lazy("结束协作协议"),
    "contract.granted": gettext_lazy("登记多点执业"),
    "contract.ended": gettext_lazy("结束多点执业"),
    "import.looked": gettext_lazy("上传并检查文件"),
    "import.started": gettext_lazy("开始导入"),
    "import.applied": gettext_lazy("导入完成"),
    "import.discarded": gettext_lazy("放弃导入"),
    "hospital.imported": gettext_lazy("导入医院资料"),
    "office.exported": gettext_lazy("导出表格"),
    "stop.asked": gettext_lazy("申请停诊"),
    "stop.ordered": gettext_lazy("停诊或替诊"),
    "stop.rejected": gettext_lazy("不批准停诊"),
    "stop.withdrawn": gettext_lazy("撤回停诊申请"),
    "stop.retried": gettext_lazy("重试停诊"),
    "stop.undone": gettext_lazy("撤销停诊"),
    "stop.called": gettext_lazy("电话联系患者"),
    "stop.phone_shown": gettext_lazy("查看患者电话"),
    "stop.answered_for": gettext_lazy("代患者答复"),
    "retime.patients_listed": gettext_lazy("查看调整时间的名单"),
    "bulk.retimed": gettext_lazy("调整时间完成"),
    "bulk.retime_undone": gettext_lazy("撤销调整时间"),
    "account.signed_in": gettext_lazy("登录"),
    "account.signed_out": gettext_lazy("退出"),
    "account.idle_signed_out": gettext_lazy("闲置自动退出"),
    "account.refused": gettext_lazy("登录被拒"),
    "account.locked_out": gettext_lazy("登录被锁定"),
    "account.code_refused": gettext_lazy("验证码不对"),
    "account.password_changed": gettext_lazy("修改密码"),
    "account.phone_changed": gettext_lazy("更换登录手机"),
    "account.phone_released": gettext_lazy("手机不再登录原账号"),
    "account.opened": gettext_lazy("开通账号"),
    "account.person_refused": gettext_lazy("核对本人未通过"),
    "family.refused": gettext_lazy("家人证件不对"),
    "account.erased": gettext_lazy("注销账号"),
    "patient.registered": gettext_lazy("登记患者"),
    "patient.corrected": gettext_lazy("更正患者资料"),
    "patient.identified": gettext_lazy("核对患者证件"),
    "patient.last_four_missed": gettext_lazy("证件后四位不符"),
    "patient.last_four_refused": gettext_lazy("证件后四位停止核对"),
    "patient.document_added": gettext_lazy("补录证件"),
    "patient.phone_changed": gettext_lazy("更改患者电话"),
    "patient.received": gettext_lazy("接收患者资料"),
    "patient.merged": gettext_lazy("合并患者档案"),
    "patient.unmerged": gettext_lazy("撤销合并患者档案"),
    "duplicate.proposed": gettext_lazy("提出疑似重复档案"),
    "duplicate.different": gettext_lazy("认定不是同一人"),
    "family.bound": gettext_lazy("窗口绑定家人"),
    "family.added": gettext_lazy("添加家人"),
    "family.changed": gettext_lazy("更改家人"),
    "family.ended": gettext_lazy("解除家人"),
    "consent.given": gettext_lazy("同意告知书"),
    "consent.withdrawn": gettext_lazy("撤回同意"),
    "suspension.imported": gettext_lazy("导入暂停预约"),
    "link.opened": gettext_lazy("从工作站打开患者"),
    "link.refused": gettext_lazy("工作站链接被拒"),
    "admin.added": gettext_lazy("后台新增"),
    "admin.changed": gettext_lazy("后台修改"),
    "admin.removed": gettext_lazy("后台移除"),
    "admin.revoked": gettext_lazy("吊销令牌"),
    "admin.redelivered": gettext_lazy("重新投递"),
    "admin.unlocked": gettext_lazy("解除锁定"),
}
"""An action as the office says it; those of a schedule are in drawer.TOPICS, bulk acts by their kind."""

BEGINNINGS = {
    "patient.seen.": gettext_lazy("查看患者"),
    "patient.searched.": gettext_lazy("查找患者"),
}

SUBJECTS = {
    "schedule": gettext_lazy("出诊单元"),
    "appointment": gettext_lazy("预约"),
    "bulkact": gettext_lazy("批量操作"),
    "stop": gettext_lazy("停诊"),
    "stopcase": gettext_lazy("停诊患者"),
    "draft": gettext_lazy("排班草稿"),
    "template": gettext_lazy("出诊模板"),
    "importrun": gettext_lazy("导入"),
    "calendar": gettext_lazy("节假日"),
    "agreement": gettext_lazy("协作协议"),
    "patientmerge": gettext_lazy("合并档案"),
    "duplicatesuspect": gettext_lazy("疑似重复档案"),
    "contract": gettext_lazy("多点执业"),
    "partnergroup": gettext_lazy("协作单位组"),
    "user": gettext_lazy("账号"),
    "consent": gettext_lazy("同意书"),
    "datarequest": gettext_lazy("个人信息申请"),
    "family": gettext_lazy("家人绑定"),
    "code": gettext_lazy("验证码"),
}

KEYS = {
    "why": gettext_lazy("原因"),
    "note": gettext_lazy("说明"),
    "from": gettext_lazy("生效日"),
    "rows": gettext_lazy("行数"),
    "kept_record": gettext_lazy("保留的档案"),
    "merged_record": gettext_lazy("并入的档案"),
    "member": gettext_lazy("下级机构"),
    "patients": gettext_lazy("患者数"),
    "schedules": gettext_lazy("出诊单元"),
    "numbers": gettext_lazy("号数"),
    "kept": gettext_lazy("未能撤回"),
    "lines": gettext_lazy("变动"),
    "what": gettext_lazy("内容"),
    "filters": gettext_lazy("筛选"),
    "by": gettext_lazy("方式"),
    "shown": gettext_lazy("显示的患者"),
    "system": gettext_lazy("系统"),
    "fields": gettext_lazy("字段"),
    "changed": gettext_lazy("更改了"),
    "gave": gettext_lazy("退掉的预约"),
    "code": gettext_lazy("代码"),
    "left": gettext_lazy("保留原样"),
    "clues": gettext_lazy("线索"),
    "sessions": gettext_lazy("出诊单元"),
    "substitutes": gettext_lazy("替诊"),
    "cause": gettext_lazy("事由"),
    "params": gettext_lazy("条件"),
    "moment": gettext_lazy("时刻"),
    "kinds": gettext_lazy("号池"),
    "day": gettext_lazy("日期"),
    "count": gettext_lazy("数量"),
}
CODES = {
    "cause": dict(Suspension.Cause.choices),
    "status": dict(Suspension.Status.choices),
    "kinds": dict(Pool.Kind.choices),
    "kind": dict(Pool.Kind.choices),
    "half": dict(HalfDay.choices),
    "by": {
        "phone": gettext_lazy("手机号"),
        "pinyin": gettext_lazy("拼音"),
        "name": gettext_lazy("姓名"),
        "document": gettext_lazy("证件号"),
        "code": gettext_lazy("凭证码"),
    },
    "what": {
        "week": gettext_lazy("号源周表"),
        "numbers": gettext_lazy("号源明细"),
        "patients": gettext_lazy("就诊名单"),
        "templates": gettext_lazy("出诊模板"),
        "drafts": gettext_lazy("排班变动"),
        "calendar": gettext_lazy("节假日与调休"),
        "hours": gettext_lazy("作息时间"),
        "contracts": gettext_lazy("执业合约"),
        "rules": gettext_lazy("号源与预约规则"),
        "partners": gettext_lazy("下级机构号源"),
        "releases": gettext_lazy("放号日历"),
        "stops": gettext_lazy("停诊替诊"),
        "calls": gettext_lazy("电话通知"),
        "acts": gettext_lazy("批量操作记录"),
        "runs": gettext_lazy("自动执行记录"),
        "imports": gettext_lazy("导入记录"),
        "balance": gettext_lazy("号源结构"),
        "resale": gettext_lazy("倒号线索"),
        "audit": gettext_lazy("操作留痕"),
    },
}
"""Codes of a detail by the words of their choices, key by key."""

UNSAID = frozenset({"digest"})
"""For machines."""

MORE_KEYS = {}
"""Of apps above."""

APPS = ["appointments", "hospital"]
"""Whose models and fields are called by their names; of a field that both have, the first one's."""


def learn(*, app: str, actions: dict, subjects: dict, keys: dict, codes: dict) -> None:
    """An app above this one says its own acts in words, once, when it is ready. A key that has a word here, or names a
    field here, keeps it."""
    APPS.append(app)
    ACTIONS.update(actions)
    SUBJECTS.update(subjects)
    MORE_KEYS.update(keys)
    for key, words in codes.items():
        CODES[key] = words | CODES.get(key, {})
