"""停机: a device is down, and what becomes of each booked patient (as 停诊 does for consultations)."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Patient, User
from hospital.models.history import keeps_history

from .devices import Device
from .requests import ExamBooking
from .triggers import NOBODY_IS_ON_IT


@keeps_history
class Downtime(models.Model):
    """停机: from when to when, and why. `stands` is false once it was taken back. Bookings in it no longer hold
    (ExamBooking.holds) before the row is written: PostgreSQL refuses it else."""

    class Cause(models.TextChoices):
        FAULT = "fault", _("故障")
        MAINTENANCE = "maintenance", _("保养或质控")
        STAFF = "staff", _("人员不足")
        OTHER = "other", _("其他")

    device = models.ForeignKey(Device, models.PROTECT, related_name="downtimes", verbose_name=_("设备"))
    during = DateTimeRangeField(_("时间"))
    cause = models.CharField(_("原因"), max_length=12, choices=Cause)
    reason = models.CharField(_("说明"), max_length=200, blank=True)  # for the house
    stands = models.BooleanField(default=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办"))
    created_at = models.DateTimeField(_("登记时间"))
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(_("恢复时间"), null=True)  # taken back, or the device runs again sooner

    class Meta:
        verbose_name = verbose_name_plural = _("停机")
        constraints = [
            ExclusionConstraint(
                name="downtime_once",
                expressions=[("device", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(stands=True),
            ),
        ]
        triggers = [NOBODY_IS_ON_IT]


class DowntimeCase(models.Model):
    """检查改约单: one booked patient of a downtime, from the first message to the end. `offer`: another time that is
    held for them until the deadline; one tap takes it. The link's token is kept as a digest."""

    class Answer(models.TextChoices):
        NONE = "", _("未答复")
        ACCEPT = "accept", _("接受新时间")
        MOVE = "move", _("自选时间")
        CANCEL = "cancel", _("取消")
        GONE = "gone", _("已无需答复")

    downtime = models.ForeignKey(Downtime, models.PROTECT, related_name="cases")
    booking = models.ForeignKey(ExamBooking, models.PROTECT, related_name="cases")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    offer = models.ForeignKey(ExamBooking, models.PROTECT, null=True, related_name="offered_in")
    token_hash = models.CharField(max_length=64, unique=True)
    deadline = models.DateTimeField(_("答复截止"))
    opened_at = models.DateTimeField(_("建单时间"))
    answer = models.CharField(_("答复"), max_length=10, choices=Answer, default=Answer.NONE, blank=True)
    answered_at = models.DateTimeField(_("答复时间"), null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # null: by the link

    class Meta:
        verbose_name = verbose_name_plural = _("检查改约单")
        constraints = [
            models.UniqueConstraint(fields=["booking"], condition=Q(answer=""), name="downtimecase_one_question"),
            models.UniqueConstraint(fields=["booking", "downtime"], name="downtimecase_once"),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="downtimecase_answered_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["deadline"], condition=Q(answer=""), name="downtimecase_waiting")]
