"""After acceptance: the green channel, the plan that goes down with a patient, and who is followed up (R3, R5)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment
from hospital.models import Organization, Patient, User
from hospital.models.history import keeps_history

from .referral import Referral


@keeps_history
class GreenCall(models.Model):
    """绿色通道 (R5): rings at the receiver until somebody acknowledges; what is kept free is asked for, not booked."""

    class Capacity(models.TextChoices):
        NONE = "none", _("不需要")
        EMERGENCY = "emergency", _("急诊抢救位")
        SLOT = "slot", _("加号")
        BED = "bed", _("床位")

    class State(models.TextChoices):
        ASKED = "asked", _("协调中")
        RESERVED = "reserved", _("已预留")
        NONE_LEFT = "none_left", _("无法预留")

    referral = models.OneToOneField(Referral, models.PROTECT, related_name="green")
    rung_at = models.DateTimeField(_("呼叫时间"))
    due_at = models.DateTimeField(_("应确认"))
    escalated_at = models.DateTimeField(_("升级时间"), null=True)
    acknowledged_at = models.DateTimeField(_("确认时间"), null=True)
    acknowledged_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("确认人"))
    capacity = models.CharField(_("预留"), max_length=10, choices=Capacity, default=Capacity.NONE)
    state = models.CharField(_("预留状态"), max_length=10, choices=State, blank=True)
    note = models.CharField(_("说明"), max_length=200, blank=True)  # where to go, which bed
    team_told = models.CharField(_("已通知"), max_length=200, blank=True)  # who, by whom
    expected_at = models.DateTimeField(_("预计到达"), null=True)
    closed_at = models.DateTimeField(_("结束时间"), null=True)  # arrived, or the referral ended

    class Meta:
        verbose_name = verbose_name_plural = _("绿色通道呼叫")
        constraints = [
            models.CheckConstraint(
                condition=Q(acknowledged_at=None, acknowledged_by=None)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="greencall_acknowledged_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(capacity="none", state="") | (~Q(capacity="none") & ~Q(state="")),
                name="greencall_capacity_has_a_state",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(acknowledged_at=None, closed_at=None), name="greencall_ringing")
        ]


@keeps_history
class CarePlan(models.Model):
    """下转计划 (R3): what the lower institution does with the patient, and when whom to see. One per referral down."""

    referral = models.OneToOneField(Referral, models.PROTECT, related_name="plan")
    summary = models.TextField(_("诊疗经过"), max_length=4000, blank=True)
    medication = models.TextField(_("用药方案"), max_length=2000)
    rehabilitation = models.TextField(_("康复与护理"), max_length=2000, blank=True)
    warning_signs = models.TextField(_("预警情况（出现即上转或急诊）"), max_length=2000)
    discharged_on = models.DateField(_("出院日"), null=True, blank=True)
    follow_up_on = models.DateField(_("复诊日"))
    follow_up_at = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("复诊机构"))
    appointment = models.OneToOneField(
        Appointment, models.PROTECT, null=True, related_name="follow_up_of", verbose_name=_("复诊预约")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("下转计划")
        constraints = [models.CheckConstraint(condition=~Q(warning_signs=""), name="careplan_names_warning_signs")]


@keeps_history
class FollowUp(models.Model):
    """随访 (V4): on the list of `organization` until somebody did it. The first is due a week after discharge."""

    class Way(models.TextChoices):
        PHONE = "phone", _("电话")
        CLINIC = "clinic", _("门诊")
        HOME = "home", _("上门")

    class Outcome(models.TextChoices):
        BETTER = "better", _("好转")
        SAME = "same", _("平稳")
        WORSE = "worse", _("加重")  # the page offers to refer up
        DIED = "died", _("死亡")
        MOVED = "moved", _("失访")

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="follow_ups")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="follow_ups_due")
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    due_on = models.DateField(_("应随访日"))
    tries = models.PositiveSmallIntegerField(_("未联系上"), default=0)
    done_at = models.DateTimeField(_("随访时间"), null=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("随访人"))
    way = models.CharField(_("方式"), max_length=10, choices=Way, blank=True)
    outcome = models.CharField(_("情况"), max_length=10, choices=Outcome, blank=True)
    text = models.CharField(_("记录"), max_length=500, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("随访")
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None, outcome="")
                | (Q(done_at__isnull=False, by__isnull=False) & ~Q(way="") & ~Q(outcome="")),
                name="followup_done_by_somebody",
            ),
            models.UniqueConstraint(fields=["referral"], condition=Q(done_at=None), name="followup_one_open"),
        ]
        indexes = [
            models.Index(fields=["organization", "due_on"], condition=Q(done_at=None), name="followup_open"),
            models.Index(fields=["organization", "-done_at"], condition=Q(done_at__isnull=False), name="followup_done"),
        ]
