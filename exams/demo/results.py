"""Reports of the exams that were done: invented, ordinary, and nobody's."""

from datetime import datetime, timedelta

from django.db import connection

from exams.models import DiagnosticReport, ExamBooking, Modality, ReportVersion
from exams.policies.reports import Measured
from hospital.models import User

BATCH = 1_000
SAYS = {
    Modality.ULTRASOUND: ("探查部位大小形态正常，内部回声均匀，未见异常血流信号。", "超声检查未见明显异常。"),
    Modality.CT: ("扫描层面内结构清晰，密度均匀，未见占位。", "CT 检查未见明显异常。"),
    Modality.MRI: ("各序列信号未见异常，未见占位。", "磁共振检查未见明显异常。"),
    Modality.XRAY: ("骨质及软组织未见异常。", "X 线检查未见明显异常。"),
    Modality.ENDOSCOPY: ("所见黏膜光滑，未见溃疡及新生物。", "慢性浅表性改变。"),
    Modality.ECG: ("窦性心律，各导联波形正常。", "正常心电图。"),
    Modality.TREADMILL: ("运动中未见缺血性 ST 段改变。", "平板运动试验阴性。"),
    Modality.NUCLEAR: ("显像清晰，放射性分布均匀。", "显像未见明显异常。"),
    Modality.LUNG: ("用力肺活量及一秒量在预计值范围。", "肺通气功能正常。"),
}
MEASURED = {  # name, unit, low, high, value
    "LB01": (("白细胞", "10⁹/L", "3.5", "9.5", "6.2"), ("血红蛋白", "g/L", "115", "175", "138")),
    "LB02": (("丙氨酸氨基转移酶", "U/L", "7", "50", "22"), ("总胆红素", "μmol/L", "3.4", "20.5", "11.3")),
    "LB03": (("肌酐", "μmol/L", "41", "111", "72"), ("尿素", "mmol/L", "2.6", "8.0", "5.1")),
    "LB04": (("葡萄糖", "mmol/L", "3.9", "6.1", "6.4"),),
    "LB05": (("总胆固醇", "mmol/L", "2.8", "5.2", "4.6"), ("甘油三酯", "mmol/L", "0.4", "1.7", "1.2")),
    "LB06": (("凝血酶原时间", "s", "9.4", "12.5", "11.0"),),
    "LB07": (("促甲状腺激素", "mIU/L", "0.27", "4.2", "2.1"),),
}

RELEASE = """
UPDATE exams_diagnosticreport r SET status = 'released', current_id = v.id, released_at = v.released_at
  FROM exams_reportversion v WHERE v.id = ANY (%s) AND r.id = v.report_id
"""


def write_reports(bookings: list[ExamBooking], *, by: User, now: datetime) -> dict[int, int]:
    """Released when the item's time is over. Booking → report."""
    due = [row for row in bookings if row.status == ExamBooking.Status.DONE and _ready(row) <= now]
    reports = [
        DiagnosticReport(
            organization_id=row.request.organization_id, patient_id=row.patient_id, variant=row.variant, booking=row,
            performed_at=row.finished_at,
        )
        for row in due
    ]  # fmt: skip
    DiagnosticReport.objects.bulk_create(reports, batch_size=BATCH)
    versions = [_version(report, row, by) for report, row in zip(reports, due, strict=True)]
    ReportVersion.objects.bulk_create(versions, batch_size=BATCH)
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, [[version.pk for version in versions]])
    return {row.pk: report.pk for row, report in zip(due, reports, strict=True)}


def _ready(row: ExamBooking) -> datetime:
    return row.finished_at + timedelta(minutes=row.variant.item.result_minutes)


def _version(report: DiagnosticReport, row: ExamBooking, by: User) -> ReportVersion:
    item, at = row.variant.item, _ready(row)
    findings, conclusion = SAYS.get(item.modality, ("", ""))
    return ReportVersion(
        report=report, number=1, findings=findings, conclusion=conclusion, by=by, written_at=at, released_by=by,
        released_at=at, measurements=[
            Measured(name, value, unit, low, high).row() for name, unit, low, high, value in MEASURED.get(item.code, ())
        ],
    )  # fmt: skip
