"""转诊单: who sends which patient to whom and why, what becomes of it, and every step of the way (R1–R4)."""

import pgtrigger
from django.core.files.storage import storages
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment, Encounter
from hospital.models import CareTeam, Department, Organization, Patient, Practitioner, PractitionerRole, User

MOST_BYTES = 20 * 2**20
"""Of one attachment, whatever the rule says: 20 MB."""


class Status(models.TextChoices):
    DRAFT = "draft", _("草稿")
    SENT = "sent", _("待处理")
    ASKED = "asked", _("待补充")  # asked back: the sender's turn
    ANSWERED = "answered", _("已补充")
    REDIRECTED = "redirected", _("已改派")  # to another department or hospital: the new receiver's turn
    ACCEPTED = "accepted", _("已接收")  # no number yet, or lost it: the referral office books
    BOOKED = "booked", _("已预约")
    ARRIVED = "arrived", _("已到院")
    SEEN = "seen", _("已就诊")
    COMPLETED = "completed", _("已完成")
    RETURNED = "returned", _("已转回")  # sent back down: the plan is in a referral of its own
    REJECTED = "rejected", _("已退回")
    WITHDRAWN = "withdrawn", _("已撤回")


_UNDECIDED = {Status.ASKED, Status.ACCEPTED, Status.BOOKED, Status.REDIRECTED, Status.REJECTED, Status.WITHDRAWN}
MOVES = {
    Status.DRAFT: {Status.SENT, Status.WITHDRAWN},
    Status.SENT: _UNDECIDED,
    Status.ANSWERED: _UNDECIDED,
    Status.REDIRECTED: _UNDECIDED,
    Status.ASKED: {Status.ANSWERED, Status.REJECTED, Status.WITHDRAWN},
    Status.ACCEPTED: {
        Status.BOOKED, Status.ARRIVED, Status.REDIRECTED, Status.REJECTED, Status.COMPLETED, Status.WITHDRAWN
    },
    Status.BOOKED: {
        Status.ACCEPTED, Status.ARRIVED, Status.REDIRECTED, Status.REJECTED, Status.COMPLETED, Status.WITHDRAWN
    },
    Status.ARRIVED: {Status.SEEN, Status.BOOKED, Status.ACCEPTED, Status.COMPLETED, Status.RETURNED},
    Status.SEEN: {Status.COMPLETED, Status.RETURNED},
    Status.COMPLETED: set(),
    Status.RETURNED: set(),
    Status.REJECTED: set(),
    Status.WITHDRAWN: set(),
}  # fmt: skip
"""BOOKED → ACCEPTED: its number was stopped, cancelled or missed. ACCEPTED → ARRIVED: green channel, without a number.
ACCEPTED and BOOKED → COMPLETED: referred down, followed up there."""

OVER = (Status.COMPLETED, Status.RETURNED, Status.REJECTED, Status.WITHDRAWN)
WAITS_FOR_RECEIVER = (Status.SENT, Status.ANSWERED, Status.REDIRECTED)


class Referral(models.Model):
    """转诊单. `origin` sends to `receiver`; staff of both see it, nobody else. What is sent is never changed: more is
    told in answers and attachments. `due_at`: when the receiver must have answered, by urgency (ReferralRule)."""

    class Direction(models.TextChoices):
        UP = "up", _("上转")
        DOWN = "down", _("下转")

    class Urgency(models.TextChoices):
        ROUTINE = "routine", _("常规")
        URGENT = "urgent", _("加急")
        GREEN = "green", _("绿色通道")

    class Consent(models.TextChoices):
        PATIENT = "patient", _("本人同意")
        GUARDIAN = "guardian", _("监护人或家属同意")
        EMERGENCY = "emergency", _("情况紧急，事后补告知")

    Status, MOVES = Status, MOVES

    direction = models.CharField(_("方向"), max_length=4, choices=Direction)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.DRAFT)
    urgency = models.CharField(_("紧急程度"), max_length=10, choices=Urgency, default=Urgency.ROUTINE)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="referrals", verbose_name=_("就诊人"))
    origin = models.ForeignKey(
        Organization, models.PROTECT, db_index=False, related_name="referrals_sent", verbose_name=_("转出机构")
    )
    receiver = models.ForeignKey(
        Organization, models.PROTECT, db_index=False, related_name="referrals_received", verbose_name=_("接收机构")
    )
    doctor = models.ForeignKey(  # who sends; the clerk's or doctor's account is `by`
        Practitioner, models.PROTECT, null=True, related_name="referrals", verbose_name=_("转诊医生")
    )
    by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+", verbose_name=_("经办"))
    encounter = models.ForeignKey(  # the consultation it was written in
        Encounter, models.PROTECT, null=True, related_name="referrals"
    )
    answers_to = models.ForeignKey(  # a referral down that sends the patient of this one back
        "self", models.PROTECT, null=True, related_name="sent_back", verbose_name=_("原转诊单")
    )

    department = models.ForeignKey(
        Department, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("拟转科室")
    )
    role = models.ForeignKey(
        PractitionerRole, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("拟转医生")
    )
    team = models.ForeignKey(
        CareTeam, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("拟转团队")
    )
    office_books = models.BooleanField(_("请转诊办代约"), default=False)
    appointment = models.OneToOneField(  # the number it holds now; none when that was lost
        Appointment, models.PROTECT, null=True, related_name="referred_by", verbose_name=_("预约")
    )

    reason = models.CharField(_("转诊理由"), max_length=300, blank=True)
    diagnosis_code = models.CharField(_("ICD-10"), max_length=10, blank=True)
    diagnosis = models.CharField(_("初步诊断"), max_length=120, blank=True)
    history = models.TextField(_("病史摘要"), max_length=4000, blank=True)
    medication = models.TextField(_("目前用药"), max_length=2000, blank=True)
    allergies = models.CharField(_("过敏史"), max_length=300, blank=True)
    results = models.TextField(_("检查检验结果"), max_length=4000, blank=True)
    consent = models.CharField(_("知情同意"), max_length=10, choices=Consent, blank=True)
    consented_at = models.DateTimeField(_("同意时间"), null=True)

    created_at = models.DateTimeField(_("起草时间"))
    sent_at = models.DateTimeField(_("发出时间"), null=True)
    due_at = models.DateTimeField(_("应答复"), null=True)  # none while it is not the receiver's turn
    answered_at = models.DateTimeField(_("首次答复"), null=True)  # asked, accepted, booked, redirected or rejected
    escalated_at = models.DateTimeField(_("催办时间"), null=True)  # of the present deadline
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("转诊单")
        constraints = [
            models.CheckConstraint(condition=~Q(origin=F("receiver")), name="referral_between_two"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "withdrawn"])
                | Q(sent_at__isnull=False) & ~Q(reason="") & ~Q(diagnosis="") & ~Q(consent=""),
                name="referral_sent_says_why",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "withdrawn"]) | Q(direction="down") | Q(department__isnull=False),
                name="referral_up_to_a_department",
            ),
            models.CheckConstraint(condition=Q(role__isnull=True) | Q(team__isnull=True), name="referral_one_wish"),
            models.CheckConstraint(
                condition=Q(consent="", consented_at=None) | (~Q(consent="") & Q(consented_at__isnull=False)),
                name="referral_consent_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="booked") | Q(appointment__isnull=False), name="referral_booked_has_a_number"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[*OVER], ended_at__isnull=False, due_at=None)
                | (~Q(status__in=[*OVER]) & Q(ended_at=None)),
                name="referral_ended_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(answers_to=None) | Q(direction="down"), name="referral_only_down_sends_back"
            ),
            models.UniqueConstraint(  # two family doctors at once: the second hears who was first
                fields=["patient", "receiver", "department"],
                condition=Q(direction="up") & ~Q(status__in=["draft", *OVER, "seen"]),
                name="referral_one_open_per_department",
            ),
            models.UniqueConstraint(
                fields=["answers_to"], condition=Q(answers_to__isnull=False) & ~Q(status="withdrawn"),
                name="referral_sent_back_once",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["receiver", "due_at"], condition=~Q(status__in=["draft", *OVER]), name="referral_work"
            ),
            models.Index(fields=["receiver", "-sent_at"], name="referral_received"),
            models.Index(fields=["origin", "-created_at"], name="referral_sent"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False, escalated_at=None), name="referral_due"),
            models.Index(fields=["origin", "ended_at"], condition=Q(status="draft"), name="referral_drafts"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="moves",
                field="status",
                transitions=[(str(a), str(b)) for a, after in MOVES.items() for b in sorted(after)],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="sent_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf(
                    "origin_id", "direction", "reason", "diagnosis_code", "diagnosis", "history",
                    "medication", "allergies", "results", "consent", "consented_at", "sent_at", "answers_to_id",
                ),
                condition=pgtrigger.Q(old__sent_at__isnull=False),
                func="""
                    IF (NEW.origin_id, NEW.direction, NEW.reason, NEW.diagnosis_code, NEW.diagnosis, NEW.history,
                        NEW.medication, NEW.allergies, NEW.results, NEW.consent, NEW.consented_at, NEW.sent_at,
                        NEW.answers_to_id)
                    IS DISTINCT FROM
                       (OLD.origin_id, OLD.direction, OLD.reason, OLD.diagnosis_code, OLD.diagnosis, OLD.history,
                        OLD.medication, OLD.allergies, OLD.results, OLD.consent, OLD.consented_at, OLD.sent_at,
                        OLD.answers_to_id) THEN
                        RAISE EXCEPTION 'what was sent is never changed'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'referral_sent_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.number

    @property
    def number(self) -> str:
        """What people call it by, on paper and on the phone."""
        return f"{'U' if self.direction == self.Direction.UP else 'D'}{self.pk:07d}"


class ReferralEvent(models.Model):
    """One step of the trail, seen by both sides. Append-only; `text` is what was said to the other side."""

    class Kind(models.TextChoices):
        CREATED = "created", _("起草")
        SENT = "sent", _("发出")
        ASKED = "asked", _("要求补充")
        ANSWERED = "answered", _("补充")
        ACCEPTED = "accepted", _("接收")
        REDIRECTED = "redirected", _("改派")
        REJECTED = "rejected", _("退回")
        BOOKED = "booked", _("预约")
        MOVED = "moved", _("改约")
        LOST = "lost", _("号已失效，退回待办")
        ARRIVED = "arrived", _("到院")
        SEEN = "seen", _("就诊")
        COMPLETED = "completed", _("完成")
        RETURNED = "returned", _("转回")
        WITHDRAWN = "withdrawn", _("撤回")
        ATTACHED = "attached", _("添加附件")
        ESCALATED = "escalated", _("逾期催办")
        GREEN = "green", _("绿色通道")
        FOLLOWED_UP = "followed_up", _("随访")
        NOTED = "noted", _("备注")

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="events")
    kind = models.CharField(_("事项"), max_length=12, choices=Kind)
    status = models.CharField(_("之后状态"), max_length=10, choices=Status)
    organization = models.ForeignKey(  # on whose side; none: the system
        Organization, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("机构")
    )
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    text = models.CharField(_("说明"), max_length=500, blank=True)
    detail = models.JSONField(default=dict)  # ids: department, receiver, appointment before and after
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = verbose_name_plural = _("转诊经过")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=["asked", "answered", "rejected", "redirected"]) | ~Q(text=""),
                name="referralevent_says_why",
            )
        ]
        indexes = [models.Index(fields=["kind", "at"], name="referralevent_kind")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


def private_storage():
    """Outside the web root: files are only served by views that ask who reads."""
    return storages["referrals"]


class Attachment(models.Model):
    """附件: a PDF or a picture, told by its own first bytes. Opened by nobody before it was scanned."""

    class Kind(models.TextChoices):
        PDF = "application/pdf", "PDF"
        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"

    class Scan(models.TextChoices):
        WAITING = "waiting", _("待查毒")
        CLEAN = "clean", _("已查毒")
        UNSCANNED = "unscanned", _("未查毒")  # the house has no scanner
        INFECTED = "infected", _("发现病毒")

    referral = models.ForeignKey(Referral, models.PROTECT, related_name="attachments")
    name = models.CharField(_("文件名"), max_length=120)
    kind = models.CharField(_("类型"), max_length=20, choices=Kind)
    size = models.PositiveIntegerField(_("大小（字节）"))
    digest = models.CharField(max_length=64)  # SHA-256
    file = models.FileField(_("文件"), storage=private_storage, upload_to="%Y/%m/")
    scan = models.CharField(_("查毒"), max_length=10, choices=Scan, default=Scan.WAITING)
    scanned_at = models.DateTimeField(null=True)
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+", verbose_name=_("上传人"))
    added_at = models.DateTimeField(_("上传时间"))
    removed_at = models.DateTimeField(_("移除时间"), null=True)  # of a draft only

    class Meta:
        verbose_name = verbose_name_plural = _("转诊附件")
        constraints = [
            models.CheckConstraint(condition=Q(size__range=(1, MOST_BYTES)), name="attachment_size"),
            models.UniqueConstraint(
                fields=["referral", "digest"], condition=Q(removed_at=None), name="attachment_once"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(scan="waiting"), name="attachment_to_scan")]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]
