"""住院与日间手术申请 (B23): a request with a status, dates and what is still missing. Beds are the ward system's."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models import Encounter
from hospital.models import Department, Organization, Patient, Practitioner, User
from hospital.models.history import keeps_history

from .referral import Referral


class AdmissionStatus(models.TextChoices):
    ASKED = "asked", _("待审核")
    PREPARING = "preparing", _("准备中")  # something is still missing
    READY = "ready", _("待安排")
    SCHEDULED = "scheduled", _("已安排")
    ADMITTED = "admitted", _("已入院")
    REFUSED = "refused", _("未通过")
    CANCELLED = "cancelled", _("已取消")


ADMISSION_MOVES = {
    AdmissionStatus.ASKED: {
        AdmissionStatus.PREPARING, AdmissionStatus.READY, AdmissionStatus.REFUSED, AdmissionStatus.CANCELLED
    },
    AdmissionStatus.PREPARING: {AdmissionStatus.READY, AdmissionStatus.REFUSED, AdmissionStatus.CANCELLED},
    AdmissionStatus.READY: {AdmissionStatus.PREPARING, AdmissionStatus.SCHEDULED, AdmissionStatus.CANCELLED},
    AdmissionStatus.SCHEDULED: {
        AdmissionStatus.READY, AdmissionStatus.PREPARING, AdmissionStatus.ADMITTED, AdmissionStatus.CANCELLED
    },
    AdmissionStatus.ADMITTED: set(),
    AdmissionStatus.REFUSED: set(),
    AdmissionStatus.CANCELLED: set(),
}  # fmt: skip
ADMISSION_OVER = (AdmissionStatus.ADMITTED, AdmissionStatus.REFUSED, AdmissionStatus.CANCELLED)


@keeps_history
class AdmissionRequest(models.Model):
    """住院申请: from a consultation or a referral, to a ward or to day surgery. `scheduled_on`: the day told."""

    class Kind(models.TextChoices):
        WARD = "ward", _("住院")
        DAY_SURGERY = "day", _("日间手术")

    class Urgency(models.TextChoices):
        ROUTINE = "routine", _("择期")
        SOON = "soon", _("限期")
        URGENT = "urgent", _("急")

    Status, MOVES = AdmissionStatus, ADMISSION_MOVES

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="admission_requests", verbose_name=_("就诊人"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("收治科室"))
    kind = models.CharField(_("类型"), max_length=10, choices=Kind)
    urgency = models.CharField(_("缓急"), max_length=10, choices=Urgency, default=Urgency.ROUTINE)
    encounter = models.ForeignKey(Encounter, models.PROTECT, null=True, related_name="admission_requests")
    referral = models.ForeignKey(Referral, models.PROTECT, null=True, related_name="admission_requests")
    doctor = models.ForeignKey(
        Practitioner, models.PROTECT, null=True, related_name="admission_requests", verbose_name=_("申请医生")
    )
    by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+", verbose_name=_("经办"))
    diagnosis_code = models.CharField(_("ICD-10"), max_length=10, blank=True)
    diagnosis = models.CharField(_("入院诊断"), max_length=120)
    purpose = models.CharField(_("入院目的或拟行手术"), max_length=200)
    wished_from = models.DateField(_("希望从"))
    wished_to = models.DateField(_("希望到"), null=True, blank=True)  # last day included
    status = models.CharField(_("状态"), max_length=10, choices=AdmissionStatus, default=AdmissionStatus.ASKED)
    scheduled_on = models.DateField(_("安排日"), null=True, blank=True)
    place = models.CharField(_("报到地点"), max_length=100, blank=True)
    note = models.CharField(_("说明"), max_length=200, blank=True)  # why refused or cancelled
    asked_at = models.DateTimeField(_("申请时间"))
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("住院申请")
        constraints = [
            models.CheckConstraint(
                condition=Q(wished_to=None) | Q(wished_to__gte=F("wished_from")), name="admission_dates_in_order"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["scheduled", "admitted"]) | Q(scheduled_on__isnull=False),
                name="admission_scheduled_has_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["refused", "cancelled"]) | ~Q(note=""), name="admission_refused_says_why"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[*ADMISSION_OVER], ended_at__isnull=False)
                | (~Q(status__in=[*ADMISSION_OVER]) & Q(ended_at=None)),
                name="admission_ended_has_a_time",
            ),
            models.UniqueConstraint(
                fields=["patient", "department", "kind"],
                condition=~Q(status__in=[*ADMISSION_OVER]),
                name="admission_one_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "asked_at"], condition=~Q(status__in=[*ADMISSION_OVER]), name="admission_open"
            )
        ]
        triggers = [
            pgtrigger.FSM(
                name="moves",
                field="status",
                transitions=[(str(a), str(b)) for a, after in ADMISSION_MOVES.items() for b in sorted(after)],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.get_status_display()}"


@keeps_history
class AdmissionNeed(models.Model):
    """入院前准备: one thing that must be there before the day. Exams are requested in their own app, by URL."""

    class Kind(models.TextChoices):
        EXAM = "exam", _("检查检验")
        ASSESSMENT = "assessment", _("麻醉或专科评估")
        CONSENT = "consent", _("知情同意书")
        PAPERS = "papers", _("证件与医保手续")
        OTHER = "other", _("其他")

    request = models.ForeignKey(AdmissionRequest, models.CASCADE, related_name="needs")
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    text = models.CharField(_("内容"), max_length=100)
    done_at = models.DateTimeField(_("完成时间"), null=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("经办"))
    waived = models.BooleanField(_("免"), default=False)  # done without it, by whoever ticked it

    class Meta:
        verbose_name = verbose_name_plural = _("入院前准备")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "text"], name="admissionneed_once"),
            models.CheckConstraint(
                condition=Q(done_at=None, done_by=None) | Q(done_at__isnull=False, done_by__isnull=False),
                name="admissionneed_done_by_somebody",
            ),
        ]
