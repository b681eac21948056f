"""What this app holds of a person, for the copy that people may ask for, and what they still have coming (O4)."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from hospital import family, masking, messages
from hospital.models import Patient, User
from hospital.personal_data import Entry, Field, Section, holds, lies_ahead

from .models import DiagnosticReport, ExamBooking, ExamNoShow, ExamRequest, ReportVersion, ScreeningAnswer
from .selectors import mine

Words = dict[tuple[str, str], str]


@holds
def exam_requests(patient: Patient, whole: bool, by: User | None) -> Section:
    """With what was answered before booking: a record, so another adult's is theirs to ask for."""
    rows = ExamRequest.objects.filter(patient=patient).select_related("variant__item", "requester")
    rows = rows.filter(by=by) if by else rows
    found = list(rows.order_by("asked_at", "pk")) if whole else []
    words = _words(found)
    return Section("exam_requests", _("检查申请"), [_request(row, words) for row in found])


@holds
def exam_bookings(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = ExamBooking.objects.filter(patient=patient).select_related(*mine.RELATED)
    found = list((rows.filter(by=by) if by else rows).order_by("during", "pk"))
    words = _words(found)
    return Section("exam_bookings", _("检查预约"), [_booking(row, words, whole=whole) for row in found])


@holds
def exam_noshows(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = ExamNoShow.objects.filter(patient=patient).order_by("day", "pk") if by is None else []
    entries = [[Field("day", _("检查日"), row.day), Field("excused_at", _("免记时间"), row.excused_at)] for row in rows]
    return Section("exam_noshows", _("检查爽约记录"), entries)


@holds
def exam_reports(patient: Patient, whole: bool, by: User | None) -> Section:
    """Every released version, as it was read: a record, so another adult's is theirs to ask for."""
    rows = ReportVersion.objects.filter(report__patient=patient, released_at__isnull=False)
    rows = rows.exclude(report__status=DiagnosticReport.Status.DRAFT) if whole and by is None else rows.none()
    rows = rows.select_related("report__variant__item", "report__organization")
    return Section("exam_reports", _("检查报告"), [_report(row) for row in rows.order_by("released_at", "pk")])


@lies_ahead
def exams_to_come(patients: list[int], now: datetime, account: User | None) -> list[str]:
    """周*明 11月26日 星期四 08:30 腹部超声: every time that is held or booked."""
    live = ExamBooking.objects.filter(
        patient__in=patients, status__in=["pending", "booked"], during__startswith__gt=now
    )
    live = live.filter(family.seen(account, own=Q(by=account))) if account else live
    language = translation.get_language() or ""
    return [
        f"{masking.name(row.patient.name)} {messages.moment(row.start.isoformat(), language)} {row.variant.name}"
        for row in live.select_related("patient", "variant__item").order_by("during", "pk")
    ]


def _words(rows: Iterable[ExamRequest | ExamBooking]) -> Words:
    """Question and answer by their codes, in the words they were last asked in. One query, none without answers."""
    codes = {code for row in rows for code in row.answers}
    found = ScreeningAnswer.objects.filter(question__code__in=codes).select_related("question").order_by("pk")
    return {(each.question.code, each.code): f"{each.question.text} {each.text}" for each in found} if codes else {}


def _said(answers: dict[str, str], words: Words) -> str:
    return _("；").join(words.get((code, said), f"{code} {said}") for code, said in sorted(answers.items()))


def _request(row: ExamRequest, words: Words) -> Entry:
    return [
        Field("exam", _("检查"), row.variant.name),
        Field("asked_at", _("申请时间"), row.asked_at),
        Field("requester", _("申请医生"), row.requester.name if row.requester else None),
        Field("reason", _("检查目的"), row.reason),
        Field("answers", _("准备问题的回答"), _said(row.answers, words)),
        Field("status", _("状态"), row.get_status_display()),
        Field("ended_at", _("结束时间"), row.ended_at),
    ]


def _booking(row: ExamBooking, words: Words, *, whole: bool) -> Entry:
    return [
        Field("start", _("检查时间"), row.start),
        Field("exam", _("检查"), row.variant.name),
        Field("place", _("地点"), mine.place_of(row.device)),
        Field("status", _("状态"), row.get_status_display()),
        Field("channel", _("渠道"), row.get_channel_display()),
        Field("fee", _("检查费（元）"), str(row.fee)),
        Field("booked_at", _("预约时间"), row.created_at),
        Field("checked_in_at", _("报到时间"), row.checked_in_at),
        Field("answers", _("报到时的回答"), _said(row.answers, words) if whole else ""),
        Field("started_at", _("检查开始"), row.started_at),
        Field("finished_at", _("检查结束"), row.finished_at),
        Field("ended_at", _("取消或未做时间"), row.ended_at),
    ]


def _report(row: ReportVersion) -> Entry:
    said = [
        f"{each.get('name', '')} {each.get('value', '')} {each.get('unit', '')}".strip() for each in row.measurements
    ]
    return [
        Field("exam", _("检查"), row.report.variant.name),
        Field("performed_at", _("检查时间"), row.report.performed_at),
        Field("organization", _("检查机构"), row.report.organization.name),
        Field("version", _("版本"), row.number),
        Field("released_at", _("发布时间"), row.released_at),
        Field("findings", _("检查所见"), row.findings),
        Field("conclusion", _("诊断意见"), row.conclusion),
        Field("measurements", _("测量值"), _("；").join(said)),
        Field("file", _("报告文件"), _("有") if row.file else ""),
        Field("reason", _("更正原因"), row.reason),
    ]
