"""预约: a patient's claim on one number, and what follows from not coming."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hospital.models import CareTeam, Department, Organization, Patient, Practitioner, User
from hospital.models.history import keeps_history

from .rules import Channel
from .schedule import Schedule
from .slot import Slot


class Appointment(models.Model):
    """预约. *Live* means not cancelled. The hold's clock is slot.hold_until; request keys live on Facts."""

    class Status(models.TextChoices):
        PENDING = "pending", _("待确认")
        BOOKED = "booked", _("已预约")
        ARRIVED = "arrived", _("已报到")
        FULFILLED = "fulfilled", _("已就诊")
        CANCELLED = "cancelled", _("已退号")
        NOSHOW = "noshow", _("爽约")

    class VisitType(models.TextChoices):
        FIRST = "first", _("初诊")
        FOLLOWUP = "followup", _("复诊")

    MOVES = {
        Status.PENDING: {Status.BOOKED, Status.CANCELLED},
        Status.BOOKED: {Status.ARRIVED, Status.CANCELLED, Status.NOSHOW},
        Status.ARRIVED: {Status.FULFILLED, Status.BOOKED, Status.CANCELLED},
        Status.NOSHOW: {Status.ARRIVED},
        Status.FULFILLED: set(),
        Status.CANCELLED: set(),
    }

    slot = models.ForeignKey(Slot, models.PROTECT, db_index=False, related_name="appointments")
    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="appointments")
    patient = models.ForeignKey(Patient, models.PROTECT, db_index=False, related_name="appointments")
    department = models.ForeignKey(Department, models.PROTECT, db_index=False, related_name="+")
    day = models.DateField(_("就诊日"))  # in the hospital's zone
    start = models.DateTimeField(_("时间"))
    channel = models.CharField(_("渠道"), max_length=10, choices=Channel)
    self_service = models.BooleanField()
    counts = models.BooleanField(_("计入限额"), default=True)  # self-service and the service not exempt
    visit_type = models.CharField(_("初复诊"), max_length=8, choices=VisitType, default=VisitType.FIRST)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.PENDING)
    extra = models.BooleanField(_("加号"), default=False)
    fee = models.DecimalField(_("挂号费（元）"), max_digits=10, decimal_places=2)  # copied at booking
    basket = models.UUIDField(_("预约单"), null=True)  # what one person holds together, across apps
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    partner = models.ForeignKey(  # the lower institution that booked it, whatever becomes of the account's roles
        Organization, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("下级机构")
    )
    booked_from = models.ForeignKey(  # the consultation in which it was booked (诊间预约)
        "appointments.Encounter", models.PROTECT, null=True, related_name="follow_ups"
    )
    referral = models.ForeignKey("TeamReferral", models.PROTECT, null=True, db_index=False, related_name="appointments")
    note = models.CharField(_("说明"), max_length=200, blank=True)  # reason of an add-on or a cancellation
    created_at = models.DateTimeField(_("锁号时间"))
    opened_at = models.DateTimeField(_("打开时间"), null=True)  # when the booker opened the page for this patient
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)
    cancelled_at = models.DateTimeField(_("退号时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("预约")
        constraints = [
            models.UniqueConstraint(
                fields=["slot"], condition=~Q(status="cancelled"), name="appointment_one_live_per_slot"
            ),
            models.UniqueConstraint(
                fields=["patient", "day", "department"],
                condition=~Q(status="cancelled") & Q(self_service=True),
                name="appointment_one_self_service_per_day_and_department",
            ),
            models.CheckConstraint(
                condition=Q(partner__isnull=True) | Q(channel="partner"), name="appointment_partner_books_as_partner"
            ),
            models.CheckConstraint(condition=Q(fee__gte=0), name="appointment_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "cancelled"]) | Q(confirmed_at__isnull=False),
                name="appointment_confirmed_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                | (~Q(status="cancelled") & Q(cancelled_at__isnull=True)),
                name="appointment_cancelled_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "day"], name="appointment_patient_day"),
            models.Index(fields=["patient"], condition=Q(status="pending"), name="appointment_patient_held"),
            models.Index(fields=["basket"], condition=Q(basket__isnull=False), name="appointment_basket"),
            models.Index(fields=["day"], condition=Q(status="booked"), name="appointment_due"),
            models.Index(fields=["created_at"], condition=Q(status="pending"), name="appointment_pending"),
            models.Index(
                fields=["cancelled_at"],
                condition=Q(status="cancelled", confirmed_at__isnull=False),
                name="appointment_given_back",
            ),
            models.Index(fields=["slot"], name="appointment_slot"),  # who had it, and may it be deleted
        ]
        triggers = [
            pgtrigger.FSM(
                name="moves",
                field="status",
                transitions=[
                    ("pending", "booked"),
                    ("pending", "cancelled"),
                    ("booked", "arrived"),
                    ("booked", "cancelled"),
                    ("booked", "noshow"),
                    ("arrived", "fulfilled"),
                    ("arrived", "booked"),
                    ("arrived", "cancelled"),
                    ("noshow", "arrived"),
                ],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self):
        return f"{self.day} {self.get_status_display()}"

    @property
    def live(self) -> bool:
        return self.status != self.Status.CANCELLED


class TeamReferral(models.Model):
    """组内转诊: a team member, having seen the patient, opens the leading expert's numbers for this patient (B11)."""

    team = models.ForeignKey(CareTeam, models.PROTECT, related_name="referrals")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="team_referrals")
    encounter = models.ForeignKey("appointments.Encounter", models.PROTECT, related_name="team_referrals")
    by = models.ForeignKey(Practitioner, models.PROTECT, related_name="+")
    reason = models.CharField(_("转诊理由"), max_length=200)
    created_at = models.DateTimeField()
    valid_until = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = _("组内转诊")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="teamreferral_has_a_reason"),
            models.CheckConstraint(condition=Q(valid_until__gt=F("created_at")), name="teamreferral_in_order"),
            models.UniqueConstraint(fields=["team", "encounter"], name="teamreferral_once_per_encounter"),
        ]


class NoShow(models.Model):
    """爽约, written at the schedule's end. `excused_at`: an appeal was granted, or the patient came after all."""

    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="noshow")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="noshows")
    day = models.DateField(_("就诊日"))
    marked_at = models.DateTimeField()
    excused_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("爽约")


@keeps_history
class PatientSuspension(models.Model):
    """暂停自助预约: after too many no-shows. Consult-room and partner booking stay open."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="suspensions")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(_("原因"), max_length=100)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("暂停预约")
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="suspension_in_order")]
