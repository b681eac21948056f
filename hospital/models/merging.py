"""One patient index (P10): probable duplicates, and merges that can be taken back."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .people import Patient, User


class DuplicateSuspect(models.Model):
    """疑似重复: two records that may be one person; `first` is the older. Decided once, by a person, with a reason."""

    class Why(models.TextChoices):
        NAME_AND_BIRTH = "name_birth", _("姓名读音和出生日期相同")
        NAME_AND_PHONE = "name_phone", _("姓名读音和手机相同")
        BIRTH_AND_PHONE = "birth_phone", _("出生日期和手机相同")
        SAME_DOCUMENT = "document", _("证件号码相同")

    class Status(models.TextChoices):
        OPEN = "open", _("待核对")
        SAME = "same", _("已合并")
        DIFFERENT = "different", _("不是同一人")

    first = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    second = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    why = ArrayField(models.CharField(max_length=12, choices=Why), verbose_name=_("依据"))
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.OPEN)
    found_at = models.DateTimeField(_("发现时间"))
    decided_at = models.DateTimeField(_("处理时间"), null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("处理人"))
    note = models.CharField(_("说明"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("疑似重复")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicatesuspect_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="duplicatesuspect_in_order"),
            models.CheckConstraint(
                condition=Q(status="open", decided_at=None) | (~Q(status="open") & Q(decided_at__isnull=False)),
                name="duplicatesuspect_decided_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["-found_at"], condition=Q(status="open"), name="duplicatesuspect_open")]


class PatientMerge(models.Model):
    """合并: everything of `merged` hangs on `kept` from here on; `merged` is switched off. Undone, never deleted."""

    kept = models.ForeignKey(Patient, models.PROTECT, related_name="merges", verbose_name=_("保留"))
    merged = models.ForeignKey(Patient, models.PROTECT, related_name="merged_into", verbose_name=_("并入"))
    reason = models.CharField(_("理由"), max_length=200)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办"))
    merged_at = models.DateTimeField(_("合并时间"))
    undone_at = models.DateTimeField(_("撤销时间"), null=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("撤销人"))
    undo_reason = models.CharField(_("撤销理由"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("合并记录")
        constraints = [
            models.CheckConstraint(condition=~Q(kept=F("merged")), name="patientmerge_of_two"),
            models.CheckConstraint(condition=~Q(reason=""), name="patientmerge_has_a_reason"),
            models.UniqueConstraint(fields=["merged"], condition=Q(undone_at=None), name="patientmerge_once"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None)
                | (Q(undone_at__isnull=False, undone_by__isnull=False) & ~Q(undo_reason="")),
                name="patientmerge_undone_by_somebody",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]


class MergedRow(models.Model):
    """A row that a merge hung on the kept record: what undoing hangs back, if nobody else has moved it since."""

    merge = models.ForeignKey(PatientMerge, models.PROTECT, related_name="rows")
    table = models.CharField(max_length=63)  # of the database
    column = models.CharField(max_length=63)
    row = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merge", "table", "column", "row"], name="mergedrow_once")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
