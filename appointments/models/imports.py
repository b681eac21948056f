"""导入记录: what was uploaded, what its preview said, who applied it and what came of it (O2)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.fields import EncryptedTextField
from hospital.models import Organization, User


class ImportRun(models.Model):
    """One uploaded file. Its content is kept, encrypted, only from the preview until it is applied or given up.

    A workbook of the hospital is applied all or nothing and at once; a cutover row by row, by a worker that may die
    and go on: it is `running` until every line has its outcome.
    """

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", _("医院基础数据")
        CUTOVER = "cutover", _("切换数据")
        EXAMS = "exams", _("检查设备和项目")

    class Status(models.TextChoices):
        REFUSED = "refused", _("有错误")
        CHECKED = "checked", _("待执行")
        RUNNING = "running", _("执行中")
        APPLIED = "applied", _("已执行")
        DISCARDED = "discarded", _("已放弃")

    organization = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    name = models.CharField(_("文件名"), max_length=120)
    digest = models.CharField(max_length=64)  # SHA-256 of the file
    content = EncryptedTextField(blank=True)  # base64
    rows = models.PositiveIntegerField(_("行数"), default=0)
    status = models.CharField(_("状态"), max_length=10, choices=Status)
    report = models.JSONField(default=dict)  # hospital: problems or changes; cutover: how it was asked for, no people
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办"))
    created_at = models.DateTimeField(_("上传时间"))
    applied_at = models.DateTimeField(_("执行时间"), null=True)
    applied_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("导入记录")
        indexes = [models.Index(fields=["-created_at"], name="importrun_latest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["checked", "running"]) | Q(content=""),
                name="importrun_keeps_no_file_once_decided",
            ),
            models.CheckConstraint(
                condition=Q(status="applied", applied_at__isnull=False)
                | (~Q(status="applied") & Q(applied_at__isnull=True)),
                name="importrun_applied_has_a_time",
            ),
        ]

    def __str__(self):
        return f"{self.name} {self.created_at:%F %T}"


class ImportLine(models.Model):
    """核对明细: one row of a cutover file and what became of it. The reconciliation report is counted from these.

    Written in the transaction of what it reports. Row numbers and codes only: what the row says stays in the file.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("待导入")
        IMPORTED = "imported", _("已导入")
        THERE = "there", _("系统中已有")
        REFUSED = "refused", _("未导入")

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="lines")
    place = models.PositiveSmallIntegerField()  # of the sheet: people before their bookings
    row = models.PositiveIntegerField(_("行"))  # as Excel counts
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome)
    code = models.CharField(_("原因"), max_length=40, blank=True)
    column = models.CharField(_("列"), max_length=40, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("核对明细")
        constraints = [
            models.UniqueConstraint(fields=["run", "place", "row"], name="importline_once"),
            models.CheckConstraint(
                condition=~Q(outcome="refused") | ~Q(code=""), name="importline_refused_has_a_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["run", "place", "row"], condition=Q(outcome="waiting"), name="importline_waiting")
        ]
