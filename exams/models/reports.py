"""检查报告 (E7): registered, released, corrected; who read it; and values that a doctor must hear of at once."""

import pgtrigger
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Organization, Patient, Practitioner, User

from .catalogue import ExamVariant
from .requests import ExamBooking


def private_storage():
    """Outside the web root: files are only served by views that ask who reads."""
    return storages["reports"]


class DiagnosticReport(models.Model):
    """检查报告. `booking` is null for a result from a partner institution. What it says is in its versions;
    `current` is the released one that patients read."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("待审核")
        RELEASED = "released", _("已发布")
        WITHDRAWN = "withdrawn", _("已撤回")

    organization = models.ForeignKey(  # who did the exam: the house, or a partner
        Organization, models.PROTECT, related_name="reports", verbose_name=_("检查机构")
    )
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="reports")
    variant = models.ForeignKey(ExamVariant, models.PROTECT, related_name="reports", verbose_name=_("检查"))
    booking = models.OneToOneField(ExamBooking, models.PROTECT, null=True, related_name="report")
    performed_at = models.DateTimeField(_("检查时间"))
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.DRAFT)
    current = models.ForeignKey("ReportVersion", models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(_("首次发布"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("检查报告")
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="released") | Q(current__isnull=False, released_at__isnull=False),
                name="report_released_says_something",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-performed_at"], name="report_patient"),
            models.Index(fields=["-released_at"], condition=Q(released_at__isnull=False), name="report_released"),
            models.Index(fields=["-id"], condition=Q(status="draft"), name="report_drafts"),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self):
        return f"{self.variant} {self.get_status_display()}"


class ReportVersion(models.Model):
    """A report as it was written. A released version never changes: a correction is the next one, with its reason.

    `measurements`: [{"name", "value", "unit", "low", "high", "flag"}]; `file`: a PDF, if one was uploaded.
    """

    report = models.ForeignKey(DiagnosticReport, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(_("版本"))
    findings = models.TextField(_("检查所见"), max_length=10000, blank=True)
    conclusion = models.TextField(_("诊断意见"), max_length=4000, blank=True)
    measurements = models.JSONField(_("测量值"), default=list)
    file = models.FileField(_("报告文件"), storage=private_storage, upload_to="%Y/%m/", blank=True)
    file_digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the file
    critical = models.BooleanField(_("危急值"), default=False)
    reason = models.CharField(_("更正原因"), max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("报告人"))
    written_at = models.DateTimeField(_("书写时间"))
    released_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("审核人"))
    released_at = models.DateTimeField(_("发布时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("报告版本")
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="reportversion_once"),
            models.UniqueConstraint(
                fields=["report"], condition=Q(released_at__isnull=True), name="reportversion_one_draft"
            ),
            models.CheckConstraint(condition=Q(number=1) | ~Q(reason=""), name="reportversion_correction_has_a_reason"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | ~Q(conclusion="") | ~Q(file="") | ~Q(measurements=[]),
                name="reportversion_released_says_something",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="released_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__released_at__isnull=False),
                func="RAISE EXCEPTION 'a released report is never changed' USING ERRCODE = 'check_violation', "
                "CONSTRAINT = 'reportversion_released_stays';",
            ),
        ]


class ReportLink(models.Model):
    """报告二维码: a short-lived link on paper. It opens with the last four of the document; too many misses end it."""

    booking = models.ForeignKey(ExamBooking, models.PROTECT, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    misses = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)


class ReportAccess(models.Model):
    """Who read which version, when and how. Append-only."""

    class Way(models.TextChoices):
        ACCOUNT = "account", _("患者账号")
        LINK = "link", _("二维码")
        STAFF = "staff", _("工作人员")

    version = models.ForeignKey(ReportVersion, models.PROTECT, related_name="accesses")
    way = models.CharField(max_length=10, choices=Way)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    link = models.ForeignKey(ReportLink, models.PROTECT, null=True, related_name="accesses")
    file = models.BooleanField(default=False)  # the PDF, not the page
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(way="link", link__isnull=False) | (~Q(way="link") & Q(user__isnull=False)),
                name="reportaccess_by_somebody",
            )
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


class CriticalNotice(models.Model):
    """危急值通知: told to the requesting doctor at release; open until somebody acknowledges what was done."""

    version = models.OneToOneField(ReportVersion, models.PROTECT, related_name="critical_notice")
    doctor = models.ForeignKey(Practitioner, models.PROTECT, null=True, related_name="critical_notices")
    told_at = models.DateTimeField(_("通知时间"))
    due_at = models.DateTimeField(_("应确认"))
    escalated_at = models.DateTimeField(_("升级时间"), null=True)
    acknowledged_at = models.DateTimeField(_("确认时间"), null=True)
    acknowledged_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("确认人"))
    note = models.CharField(_("处置"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("危急值通知")
        constraints = [
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True, acknowledged_by__isnull=True)
                | (Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False) & ~Q(note="")),
                name="criticalnotice_acknowledged_by_somebody",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(acknowledged_at__isnull=True), name="criticalnotice_open")
        ]
