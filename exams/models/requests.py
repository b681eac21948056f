"""检查申请与预约: what a doctor asked for, when and where it is done, and what came of it (E2, E3, E5)."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.models import Encounter
from appointments.models.rules import Channel
from hospital.models import Organization, Patient, Practitioner, User
from hospital.models.history import keeps_history

from .catalogue import ExamSet, ExamVariant
from .devices import Device, DeviceSession, StaffTeam
from .triggers import INSIDE_ITS_SESSION, NOT_DURING_DOWNTIME, WITHIN_THE_TEAM


@keeps_history
class ExamRequest(models.Model):
    """检查申请 (ServiceRequest). `answers`: question code → answer code, as given before booking."""

    class Status(models.TextChoices):
        OPEN = "open", _("待预约")
        BOOKED = "booked", _("已预约")
        DONE = "done", _("已检查")
        CANCELLED = "cancelled", _("已撤销")

    MOVES = {
        Status.OPEN: {Status.BOOKED, Status.DONE, Status.CANCELLED},
        Status.BOOKED: {Status.OPEN, Status.DONE, Status.CANCELLED},
        Status.DONE: set(),
        Status.CANCELLED: set(),
    }

    class Priority(models.TextChoices):
        ROUTINE = "routine", _("常规")
        URGENT = "urgent", _("优先")
        EMERGENCY = "emergency", _("急诊")  # opens the emergency reserve

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exam_requests")
    variant = models.ForeignKey(ExamVariant, models.PROTECT, related_name="requests", verbose_name=_("检查"))
    from_set = models.ForeignKey(ExamSet, models.PROTECT, null=True, db_index=False, related_name="+")
    encounter = models.ForeignKey(Encounter, models.PROTECT, null=True, related_name="exam_requests")
    requester = models.ForeignKey(
        Practitioner, models.PROTECT, null=True, related_name="exam_requests", verbose_name=_("申请医生")
    )
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    priority = models.CharField(_("优先级"), max_length=10, choices=Priority, default=Priority.ROUTINE)
    inpatient = models.BooleanField(_("住院患者"), default=False)  # opens the inpatient reserve
    reason = models.CharField(_("检查目的"), max_length=200, blank=True)
    wanted_by = models.DateField(_("希望完成日"), null=True, blank=True)
    answers = models.JSONField(_("准备问题"), default=dict)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.OPEN)
    asked_at = models.DateTimeField(_("申请时间"))
    ended_at = models.DateTimeField(_("结束时间"), null=True)
    # a doctor lets it be booked against a "needs a check first" answer
    cleared_note = models.CharField(_("医生说明"), max_length=200, blank=True)
    cleared_by = models.ForeignKey(
        Practitioner, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("同意的医生")
    )
    note = models.CharField(_("说明"), max_length=200, blank=True)  # why withdrawn, or not done and open again

    class Meta:
        verbose_name = verbose_name_plural = _("检查申请")
        constraints = [
            models.UniqueConstraint(
                fields=["encounter", "variant"],
                condition=Q(status__in=["open", "booked"]),
                name="examrequest_once_per_visit",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "booked"], ended_at__isnull=True)
                | (~Q(status__in=["open", "booked"]) & Q(ended_at__isnull=False)),
                name="examrequest_ended_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(cleared_note="", cleared_by__isnull=True)
                | (~Q(cleared_note="") & Q(cleared_by__isnull=False)),
                name="examrequest_cleared_by_a_doctor",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "asked_at"], condition=Q(status="open"), name="examrequest_open"),
            models.Index(fields=["asked_at"], name="examrequest_asked"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="moves",
                field="status",
                transitions=[
                    ("open", "booked"),
                    ("open", "done"),
                    ("open", "cancelled"),
                    ("booked", "open"),
                    ("booked", "done"),
                    ("booked", "cancelled"),
                ],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self):
        return f"{self.variant} {self.get_status_display()}"


class ExamPlan(models.Model):
    """一次就诊方案: what was booked together. Its bookings carry `basket`. `first_come_trips`: how many trips booking
    each exam first-come would have taken at that moment; what was saved is counted from both."""

    basket = models.UUIDField(unique=True)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exam_plans")
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")
    channel = models.CharField(_("渠道"), max_length=10, choices=Channel)
    exams = models.PositiveSmallIntegerField(_("检查数"))
    trips = models.PositiveSmallIntegerField(_("来院次数"))
    minutes = models.PositiveIntegerField(_("在院分钟"))
    first_come_trips = models.PositiveSmallIntegerField(_("先到先得的次数"), null=True)
    reasons = models.JSONField(default=list)  # why not one trip: codes and parameters, worded where shown
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("一次就诊方案")
        constraints = [models.CheckConstraint(condition=Q(exams__gte=1, trips__gte=1), name="examplan_of_something")]
        indexes = [models.Index(fields=["confirmed_at"], name="examplan_confirmed")]


class ExamBooking(models.Model):
    """检查预约: an exam on a device, `during` its own minutes; the patient is there `stay` (before and after too).

    `holds`: it takes the device's and the patient's time. Not when it is over without an exam, nor when the device went
    down and the patient has not answered yet. A pending one past `hold_until` is nobody's: whoever books takes it over.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("待确认")
        BOOKED = "booked", _("已预约")
        ARRIVED = "arrived", _("已报到")
        CALLED = "called", _("已叫号")
        RUNNING = "running", _("检查中")
        DONE = "done", _("已检查")
        NOT_DONE = "not_done", _("未做")
        CANCELLED = "cancelled", _("已取消")
        NOSHOW = "noshow", _("爽约")

    MOVES = {
        Status.PENDING: {Status.BOOKED, Status.CANCELLED},
        Status.BOOKED: {Status.ARRIVED, Status.CANCELLED, Status.NOSHOW, Status.NOT_DONE},
        Status.ARRIVED: {Status.CALLED, Status.RUNNING, Status.BOOKED, Status.NOT_DONE, Status.CANCELLED},
        Status.CALLED: {Status.ARRIVED, Status.RUNNING, Status.NOT_DONE},
        Status.RUNNING: {Status.DONE, Status.NOT_DONE},
        Status.DONE: set(),
        Status.NOT_DONE: set(),
        Status.CANCELLED: set(),
        Status.NOSHOW: set(),
    }
    OVER = (Status.CANCELLED, Status.NOSHOW, Status.NOT_DONE)
    WAITING = (Status.ARRIVED, Status.CALLED)

    request = models.ForeignKey(ExamRequest, models.PROTECT, related_name="bookings")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exam_bookings")
    variant = models.ForeignKey(ExamVariant, models.PROTECT, related_name="bookings", verbose_name=_("检查"))
    device = models.ForeignKey(Device, models.PROTECT, related_name="bookings", verbose_name=_("设备"))
    team = models.ForeignKey(StaffTeam, models.PROTECT, null=True, related_name="bookings")  # the device's, copied
    session = models.ForeignKey(DeviceSession, models.PROTECT, null=True, related_name="bookings")  # null: walk-in
    plan = models.ForeignKey(ExamPlan, models.PROTECT, null=True, related_name="bookings")
    day = models.DateField(_("日期"))
    during = DateTimeRangeField(_("检查时间"))
    stay = DateTimeRangeField(_("在检查区"))
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.PENDING)
    holds = models.BooleanField(default=True)
    hold_until = models.DateTimeField(_("锁定到"), null=True)
    channel = models.CharField(_("渠道"), max_length=10, choices=Channel)
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    partner = models.ForeignKey(Organization, models.PROTECT, null=True, db_index=False, related_name="+")
    walk_in = models.BooleanField(_("现场检查"), default=False)  # nobody booked a segment
    fee = models.DecimalField(_("检查费（元）"), max_digits=10, decimal_places=2)  # copied at booking
    basket = models.UUIDField(_("预约单"), null=True)
    answers = models.JSONField(_("报到时的回答"), default=dict)
    priority = models.PositiveSmallIntegerField(_("次序"), default=0)  # 0 in turn, 1 served first, 2 urgent
    # a doctor lets the exam go on against an answer given at check-in
    override = models.CharField(_("仍可检查的理由"), max_length=200, blank=True)
    override_by = models.ForeignKey(
        Practitioner, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("同意的医生")
    )
    note = models.CharField(_("说明"), max_length=200, blank=True)  # of a cancellation or an exam not done
    created_at = models.DateTimeField(_("锁定时间"))
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)
    ended_at = models.DateTimeField(_("取消或未做时间"), null=True)
    checked_in_at = models.DateTimeField(_("报到时间"), null=True)
    called_at = models.DateTimeField(_("叫号时间"), null=True)  # the first call
    calls = models.PositiveSmallIntegerField(_("叫号次数"), default=0)
    passed_at = models.DateTimeField(_("过号时间"), null=True)
    started_at = models.DateTimeField(_("开始时间"), null=True)
    finished_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("检查预约")
        constraints = [
            ExclusionConstraint(
                name="a_device_does_one_exam_at_a_time",
                expressions=[("device", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(holds=True),
            ),
            models.UniqueConstraint(fields=["request"], condition=Q(holds=True), name="exambooking_one_per_request"),
            models.UniqueConstraint(fields=["device"], condition=Q(status="running"), name="one_patient_on_a_device"),
            models.CheckConstraint(
                condition=Q(holds=False) | ~Q(status__in=["cancelled", "noshow", "not_done"]),
                name="exambooking_over_holds_nothing",
            ),
            models.CheckConstraint(
                condition=Q(status="pending", hold_until__isnull=False)
                | (~Q(status="pending") & Q(hold_until__isnull=True)),
                name="exambooking_hold_has_a_clock",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "cancelled"]) | Q(confirmed_at__isnull=False),
                name="exambooking_confirmed_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["cancelled", "noshow", "not_done"], ended_at__isnull=False)
                | (~Q(status__in=["cancelled", "noshow", "not_done"]) & Q(ended_at__isnull=True)),
                name="exambooking_over_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | Q(started_at__isnull=False, finished_at__isnull=False),
                name="exambooking_done_has_times",
            ),
            models.CheckConstraint(
                condition=Q(session__isnull=False) | Q(walk_in=True), name="exambooking_booked_in_a_session"
            ),
            models.CheckConstraint(condition=Q(fee__gte=0), name="exambooking_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(override="", override_by__isnull=True) | (~Q(override="") & Q(override_by__isnull=False)),
                name="exambooking_override_by_a_doctor",
            ),
            models.CheckConstraint(condition=~Q(status="not_done") | ~Q(note=""), name="exambooking_not_done_says_why"),
        ]
        indexes = [
            models.Index(fields=["device", "day"], name="exambooking_device_day"),
            models.Index(fields=["patient", "day"], name="exambooking_patient_day"),
            models.Index(fields=["basket"], condition=Q(basket__isnull=False), name="exambooking_basket"),
            models.Index(
                fields=["team", "day"], condition=Q(holds=True, team__isnull=False), name="exambooking_team_day"
            ),
            models.Index(fields=["hold_until"], condition=Q(status="pending"), name="exambooking_pending"),
            models.Index(fields=["day"], condition=Q(status="booked"), name="exambooking_due"),
            models.Index(fields=["day"], name="exambooking_day"),
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
                    ("booked", "not_done"),
                    ("arrived", "called"),
                    ("arrived", "running"),
                    ("arrived", "booked"),
                    ("arrived", "not_done"),
                    ("arrived", "cancelled"),
                    ("called", "arrived"),
                    ("called", "running"),
                    ("called", "not_done"),
                    ("running", "done"),
                    ("running", "not_done"),
                ],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            INSIDE_ITS_SESSION,
            WITHIN_THE_TEAM,
            NOT_DURING_DOWNTIME,
        ]

    def __str__(self):
        return f"{self.variant} {self.day} {self.get_status_display()}"

    @property
    def start(self):
        return self.during.lower

    @property
    def end(self):
        return self.during.upper


class ExamNoShow(models.Model):
    """检查爽约 (E5). `excused_at`: an appeal was granted, or the patient came after all."""

    booking = models.OneToOneField(ExamBooking, models.PROTECT, related_name="no_show")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exam_noshows")
    day = models.DateField(_("检查日"))
    marked_at = models.DateTimeField()
    excused_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("检查爽约")


class ContactNote(models.Model):
    """联系记录 of the exam booking centre: whom it called about what, and what it heard."""

    class Outcome(models.TextChoices):
        NO_ANSWER = "no_answer", _("无人接听")
        WRONG_NUMBER = "wrong", _("号码有误")
        THINKING = "thinking", _("再考虑")
        SETTLED = "settled", _("已办理")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    request = models.ForeignKey(ExamRequest, models.PROTECT, related_name="contacts")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办"))
    at = models.DateTimeField(_("时间"))
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome)
    note = models.CharField(_("备注"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("联系记录")


class RepeatCheck(models.Model):
    """重复检查提醒 (E6): a valid result was there when the doctor asked; `reason`: why it is done anyway."""

    class Outcome(models.TextChoices):
        AVOIDED = "avoided", _("采用已有结果")
        WENT_ON = "went_on", _("仍需检查")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    variant = models.ForeignKey(ExamVariant, models.PROTECT, related_name="+")
    report = models.ForeignKey("DiagnosticReport", models.PROTECT, related_name="+")
    encounter = models.ForeignKey(Encounter, models.PROTECT, null=True, related_name="+")
    request = models.OneToOneField(ExamRequest, models.PROTECT, null=True, related_name="repeat_check")
    by = models.ForeignKey(Practitioner, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason = models.CharField(_("理由"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("重复检查提醒")
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="avoided", request__isnull=True)
                | (Q(outcome="went_on", request__isnull=False) & ~Q(reason="")),
                name="repeatcheck_goes_on_with_a_reason",
            ),
            models.UniqueConstraint(
                fields=["encounter", "variant"],
                condition=Q(outcome="avoided", encounter__isnull=False),
                name="repeatcheck_avoided_once_per_visit",
            ),
        ]
        indexes = [models.Index(fields=["at"], name="repeatcheck_at")]
