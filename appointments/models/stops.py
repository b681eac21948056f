"""停诊与替诊 (B13, O9): what was stopped or given to another doctor, and what became of each booked patient."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from hospital.models import Department, HalfDay, Organization, Patient, Practitioner, PractitionerRole, Room, User
from hospital.models.history import keeps_history

from .appointment import Appointment
from .schedule import Schedule
from .slot import Pool, Slot


@keeps_history
class Suspension(models.Model):
    """停诊单: one decision about one session, a doctor's days or a department's half-day; asked for, then decided.

    The row says what is to be done. Each session of it is carried out in its own transaction, so that a killed worker
    loses nothing: what is left is found by looking which sessions in scope have no Substitution of this row.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("待审批")
        REJECTED = "rejected", _("未批准")
        WITHDRAWN = "withdrawn", _("已撤回")
        ACTIVE = "active", _("生效")
        UNDONE = "undone", _("已恢复")

    class Cause(models.TextChoices):
        ILLNESS = "illness", _("病假")
        LEAVE = "leave", _("休假")
        MEETING = "meeting", _("会议")
        DUTY = "duty", _("外派或急诊任务")
        EQUIPMENT = "equipment", _("设备或场地")
        OTHER = "other", _("其他")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    status = models.CharField(_("状态"), max_length=10, choices=Status)
    cause = models.CharField(_("事由"), max_length=10, choices=Cause)
    reason = models.CharField(_("说明"), max_length=200, blank=True)  # for the house; patients read the cause's words
    # what it was asked for, over these days; `half` empty: whole days. With `schedules` only those, by id; without,
    # whatever the doctor or the department holds then, also what is laid out later
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, null=True, blank=True, related_name="suspensions")
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True, related_name="+")
    first_day = models.DateField(_("从"))
    last_day = models.DateField(_("到"))  # included
    half = models.CharField(_("半日"), max_length=2, choices=HalfDay, blank=True)
    schedules = ArrayField(models.BigIntegerField(), default=list, blank=True)
    substitutes = models.JSONField(default=dict)  # schedule id → [practitioner role, room]: 替诊 instead of 停诊
    problems = models.JSONField(default=dict)  # schedule id → why it could not be done, for the office to read
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("申请人"))
    asked_at = models.DateTimeField(_("申请时间"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("审批人"))
    decided_at = models.DateTimeField(_("审批时间"), null=True)
    decision = models.CharField(_("审批意见"), max_length=200, blank=True)
    done_at = models.DateTimeField(_("办结时间"), null=True)  # every session that was there has been carried out
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(_("恢复时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("停诊单")
        constraints = [
            models.CheckConstraint(
                condition=Q(practitioner__isnull=False) | Q(department__isnull=False) | ~Q(schedules=[]),
                name="stop_has_a_scope",
            ),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="stop_days_in_order"),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "withdrawn"]) | Q(decided_at__isnull=False),
                name="stop_decided_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status="undone", undone_at__isnull=False)
                | (~Q(status="undone") & Q(undone_at__isnull=True)),
                name="stop_undone_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-asked_at"], name="stop_latest")]

    def __str__(self):
        return f"{self.who} {self.first_day:%m-%d}"

    @property
    def who(self) -> str:
        """Whom it is about."""
        return str(self.practitioner or self.department or self.organization)

    @property
    def one_day(self) -> bool:
        return self.first_day == self.last_day


@keeps_history
class Substitution(models.Model):
    """One session of a 停诊单: stopped, or with another doctor in it (替诊). At most one stands per session.

    `original` is the first doctor's role, however often it was given on. `sittings` and `room` are where the first
    doctor sat, `closed` the numbers that were closed before: what undoing puts back.
    """

    suspension = models.ForeignKey(Suspension, models.PROTECT, related_name="sessions")
    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="substitutions")
    original = models.ForeignKey(PractitionerRole, models.PROTECT, null=True, related_name="+")
    substitute = models.ForeignKey(  # null: stopped
        PractitionerRole, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("替诊医生")
    )
    stands = models.BooleanField(default=True)
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="replaced_by")
    sittings = ArrayField(models.BigIntegerField(), default=list)  # ScheduleParticipant
    room = models.ForeignKey(Room, models.PROTECT, null=True, db_index=False, related_name="+")
    closed = ArrayField(models.BigIntegerField(), default=list)  # Slot
    carried_out_at = models.DateTimeField(_("执行时间"), db_default=Now())
    ended_at = models.DateTimeField(_("结束时间"), null=True)  # undone, or replaced by another
    problem = models.CharField(_("未能恢复"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("停诊替诊单元")
        constraints = [
            models.UniqueConstraint(fields=["schedule"], condition=Q(stands=True), name="one_stop_stands_per_session"),
            models.UniqueConstraint(fields=["suspension", "schedule"], name="stop_once_per_session"),
            models.CheckConstraint(
                condition=Q(stands=True, ended_at__isnull=True) | Q(stands=False, ended_at__isnull=False),
                name="stop_ended_has_a_time",
            ),
        ]

    def __str__(self):
        return str(_("替诊") if self.substitute_id else _("停诊"))


class StopCase(models.Model):
    """改约单: one booked patient of a stopped or substituted session, from the first message to the end.

    The link's token is kept as a digest. `answer` empty and past `deadline`: on the call list.
    """

    class Answer(models.TextChoices):
        NONE = "", _("未答复")
        ACCEPT = "accept", _("接受替诊")
        MOVE = "move", _("改约")
        CANCEL = "cancel", _("退号")
        GONE = "gone", _("已无需答复")  # cancelled or moved on another page, or the stop was undone

    substitution = models.ForeignKey(Substitution, models.PROTECT, related_name="cases")
    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="stop_cases")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    deadline = models.DateTimeField(_("答复截止"))
    opened_at = models.DateTimeField(_("建单时间"))
    answer = models.CharField(_("答复"), max_length=10, choices=Answer, default=Answer.NONE, blank=True)
    answered_at = models.DateTimeField(_("答复时间"), null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # null: by the link
    moved_to = models.ForeignKey(Schedule, models.PROTECT, null=True, db_index=False, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("改约单")
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "substitution"], name="stopcase_once_per_appointment_and_session"
            ),
            models.UniqueConstraint(
                fields=["appointment"], condition=Q(answer=""), name="stopcase_one_question_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="stopcase_answered_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["deadline"], condition=Q(answer=""), name="stopcase_waiting"),
            models.Index(fields=["moved_to"], name="stopcase_moved_to"),
        ]


class StopOffer(models.Model):
    """A number kept for a session's patients before the public can take it; `pool` is where it came from."""

    substitution = models.ForeignKey(Substitution, models.CASCADE, related_name="offers")
    slot = models.ForeignKey(Slot, models.PROTECT, db_index=False, related_name="+")
    pool = models.ForeignKey(Pool, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["substitution", "slot"], name="stopoffer_once")]
        indexes = [models.Index(fields=["slot"], name="stopoffer_slot")]


class CallNote(models.Model):
    """电话记录: what the phone desk heard."""

    class Outcome(models.TextChoices):
        NO_ANSWER = "no_answer", _("无人接听")
        WRONG_NUMBER = "wrong", _("号码有误")
        THINKING = "thinking", _("再考虑")
        SETTLED = "settled", _("已办理")

    case = models.ForeignKey(StopCase, models.PROTECT, related_name="calls")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办"))
    at = models.DateTimeField(_("时间"))
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome)
    note = models.CharField(_("备注"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("电话记录")
