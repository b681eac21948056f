"""导入记录: what was uploaded, what its preview said, who applied it and what came of it (O2)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.fields import EncryptedTextField
from hospital.models import Organization, User


class ImportRun(models.Model):
    """One uploaded file. Its content is kept, encrypted, only from the preview until it is applied or given up."""

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", _("医院基础数据")
        CUTOVER = "cutover", _("切换数据")

    class Status(models.TextChoices):
        REFUSED = "refused", _("有错误")
        CHECKED = "checked", _("待执行")
        APPLIED = "applied", _("已执行")
        DISCARDED = "discarded", _("已放弃")

    organization = models.ForeignKey(Organization, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    name = models.CharField(_("文件名"), max_length=120)
    digest = models.CharField(max_length=64)  # SHA-256 of the file
    content = EncryptedTextField(blank=True)  # base64
    rows = models.PositiveIntegerField(_("行数"), default=0)
    status = models.CharField(_("状态"), max_length=10, choices=Status)
    report = models.JSONField(default=dict)  # of cutover: in file, imported, refused and why, by sheet and row number
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办"))
    created_at = models.DateTimeField(_("上传时间"))
    applied_at = models.DateTimeField(_("执行时间"), null=True)
    applied_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("导入记录")
        indexes = [models.Index(fields=["-created_at"], name="importrun_latest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="checked") | Q(content=""), name="importrun_keeps_no_file_once_decided"
            ),
            models.CheckConstraint(
                condition=Q(status="applied", applied_at__isnull=False)
                | (~Q(status="applied") & Q(applied_at__isnull=True)),
                name="importrun_applied_has_a_time",
            ),
        ]

    def __str__(self):
        return f"{self.name} {self.created_at:%F %T}"
