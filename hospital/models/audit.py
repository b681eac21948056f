"""操作留痕: who did what, when, and whose data they looked at. Append-only, enforced by PostgreSQL."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from .people import Patient, User


class AuditEvent(models.Model):
    at = models.DateTimeField(_("时间"))
    actor = models.ForeignKey(
        User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("操作人")
    )
    action = models.CharField(_("动作"), max_length=60)
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, db_index=False, related_name="audit_events", verbose_name=_("就诊人")
    )
    subject = models.CharField(_("对象"), max_length=60, blank=True)  # e.g. "schedule:12"
    detail = models.JSONField(_("明细"), default=dict)
    address = models.GenericIPAddressField(_("来源地址"), null=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("操作留痕")
        indexes = [
            models.Index(fields=["subject", "at"], name="auditevent_subject"),
            models.Index(fields=["patient", "at"], name="auditevent_patient"),
            models.Index(fields=["actor", "at"], name="auditevent_actor"),
            models.Index(fields=["at"], name="auditevent_at"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self):
        return f"{self.at:%F %T} {self.action}"
