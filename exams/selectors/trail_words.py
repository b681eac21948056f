"""What 操作留痕 calls the exams' acts, and whom and what they speak of by name."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from appointments.selectors import trail_names, trail_words
from exams.models import (
    Device,
    DeviceSession,
    DiagnosticReport,
    Downtime,
    DowntimeCase,
    ExamBooking,
    ExamGroup,
    ExamItem,
    ExamRequest,
    ExamSet,
    ExamVariant,
    ExamZone,
    Modality,
    OrderingRule,
    Preparation,
    ScreeningQuestion,
    StaffTeam,
)
from exams.models.requests import ContactNote
from exams.policies.devices import said
from hospital.models import Practitioner

ACTIONS = {
    "device.kept": _("保存设备"),
    "device.hours_kept": _("保存开机时间"),
    "device.taken_down": _("设备停机"),
    "device.brought_up": _("设备恢复"),
    "device.day_closed": _("关闭开机时段"),
    "device.day_reopened": _("重新开放开机时段"),
    "device.day_added": _("加开"),
    "device.day_released": _("提前放开预留"),
    "device.patients_listed": _("查看设备预约名单"),
    "downtime.patients_listed": _("查看停机患者名单"),
    "examzone.kept": _("保存检查区"),
    "walkingtime.kept": _("保存步行时间"),
    "staffteam.kept": _("保存检查班组"),
    "exam_case.phone_shown": _("查看患者电话"),
    "exam_case.called": _("电话联系患者"),
    "exam_case.answered_for": _("代患者答复"),
    "exam_item.written": _("新建检查项目"),
    "exam_item.changed": _("修改检查项目"),
    "exam_set.written": _("新建检查套餐"),
    "exam_set.changed": _("修改检查套餐"),
    "exam_group.written": _("新建规则分组"),
    "exam_group.renamed": _("规则分组改名"),
    "exam_signed.written": _("起草检查规则"),
    "exam_signed.approved": _("复核通过检查规则"),
    "exam_signed.retired": _("停用检查规则"),
    "exam_signed.discarded": _("放弃检查规则草稿"),
    "exam_catalogue.given": _("建立起始检查目录"),
    "exams.imported": _("导入检查设备和项目"),
    "exam.requested": _("申请检查"),
    "exam.requested_on_paper": _("代录纸质检查申请"),
    "exam.withdrawn": _("撤回检查申请"),
    "exam.repeat_avoided": _("采用已有检查结果"),
    "exam.answered": _("回答检查准备问题"),
    "exam.answered_for": _("代患者回答准备问题"),
    "exam.preparation_read": _("已读检查准备"),
    "exam.called_patient": _("电话联系患者"),
    "exam.checked_in_against_an_answer": _("医生同意后报到"),
    "exam.noshow_excused": _("撤销检查爽约"),
    "report.registered": _("登记检查报告"),
    "report.revised": _("修改报告草稿"),
    "report.released": _("发布检查报告"),
    "report.corrected": _("更正检查报告"),
    "report.withdrawn": _("撤回检查报告"),
    "report.critical_acknowledged": _("确认危急值"),
    "report.slip_printed": _("打印检查单"),
    "report.link_missed": _("报告链接核对不符"),
}

SUBJECTS = {
    "reportlink": _("检查单"),
    "report": _("检查报告"),
    "critical": _("危急值通知"),
    "exam": _("检查预约"),
}

KEYS = {
    "staff": _("班组"),
    "waited": _("等了几分钟"),
    "zone": _("检查区"),
    "device": _("设备"),
    "doctor": _("同意的医生"),
    "during": _("时间"),
    "starts": _("开始"),
    "ends": _("结束"),
    "window": _("预留时间"),
    "cases": _("改约患者数"),
    "back": _("恢复原时间"),
    "abilities": _("可做检查"),
    "reserves": _("预留"),
    "questions": _("准备问题"),
    "outcome": _("结果"),
    "requests": _("检查申请"),
    "misses": _("不符次数"),
    "version": _("版本"),
}

CODES = {
    "cause": dict(Downtime.Cause.choices),
    "outcome": dict(ContactNote.Outcome.choices),
    "modality": dict(Modality.choices),
    "kind": {"exams": _("检查设备和项目")},
    "what": {"exam_devices": _("检查设备和项目")},
}


def _by_name(rows: QuerySet, name: Callable[[object], str] = str) -> Callable[[set[int]], dict[int, str]]:
    return lambda pks: {row.pk: name(row) for row in rows.filter(pk__in=pks)}


def _exam(row: ExamBooking) -> str:
    return f"{row.variant.name} {said(row.during)}"


def _on_device(row: DeviceSession | Downtime) -> str:
    return f"{row.device.name} {said(row.during)}"


OTHERS = {
    "device": _by_name(Device.objects.all(), lambda row: row.name),
    "devicesession": _by_name(DeviceSession.objects.select_related("device"), _on_device),
    "downtime": _by_name(Downtime.objects.select_related("device"), _on_device),
    "downtimecase": _by_name(
        DowntimeCase.objects.select_related("booking__variant__item"), lambda row: _exam(row.booking)
    ),
    "examzone": _by_name(ExamZone.objects.select_related("campus")),
    "staffteam": _by_name(StaffTeam.objects.all()),
    "orderingrule": _by_name(OrderingRule.objects.all(), lambda row: row.name),
    "preparation": _by_name(Preparation.objects.all(), lambda row: row.name),
    "screeningquestion": _by_name(ScreeningQuestion.objects.all(), lambda row: row.text),
    "examitem": _by_name(ExamItem.objects.all(), lambda row: row.name),
    "examset": _by_name(ExamSet.objects.all(), lambda row: row.name),
    "examgroup": _by_name(ExamGroup.objects.all(), lambda row: row.name),
    "examrequest": _by_name(ExamRequest.objects.select_related("variant__item"), lambda row: row.variant.name),
    "exambooking": _by_name(ExamBooking.objects.select_related("variant__item"), _exam),
    "report": _by_name(DiagnosticReport.objects.select_related("variant__item"), lambda row: row.variant.name),
    "variant": _by_name(ExamVariant.objects.select_related("item"), lambda row: row.name),
    "doctor": _by_name(Practitioner.objects.all()),
}

trail_words.learn(app="exams", actions=ACTIONS, subjects=SUBJECTS, keys=KEYS, codes=CODES)
trail_names.OTHERS.update(OTHERS)
