"""候补 (B9): who waits for a number of a session that is full, and the numbers that were offered to them."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Patient, User

from .appointment import Appointment
from .rules import Channel
from .schedule import Schedule

OPEN = ("waiting", "offered")
"""Of an entry: its patient still waits for this session, or has a number to accept."""


class WaitlistEntry(models.Model):
    """候补: one patient in the line of one session. Its place is (priority, joined_at, id); nobody can jump it.

    An entry gets one offer. Accepted, it is filled; declined or lapsed, it has ended, and whoever still wants a number
    joins again at the end of the line.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("候补中")
        OFFERED = "offered", _("待确认")
        FILLED = "filled", _("已兑现")
        WITHDRAWN = "withdrawn", _("已取消")
        ENDED = "ended", _("已结束")

    class Priority(models.IntegerChoices):
        SPECIAL = 1, _("优待")  # policies.special: 60 years and older, or a document seen at the window (P7)
        ORDINARY = 2, _("一般")

    class Why(models.TextChoices):
        BOOKED = "booked", _("已另外约到号")
        CUTOFF = "cutoff", _("到截止时间没有空号")
        STOPPED = "stopped", _("停诊")
        DECLINED = "declined", _("放弃候补到的号")
        LAPSED = "lapsed", _("没有在时限内确认")
        MOVED = "moved", _("候补到的号已改约到别处")

    class Passed(models.TextChoices):
        """Why a number that came back was not offered to the entry whose turn it was."""

        SUSPENDED = "suspended", _("自助预约暂停中")
        LIMIT = "limit", _("已达到预约次数上限")
        ALREADY_BOOKED = "already_booked", _("同一天同一科室已有预约")
        TIME_CONFLICT = "time_conflict", _("空出的号与本人其他安排冲突")
        CHANNEL = "channel", _("空出的号不对候补时的渠道开放")
        RESTS = "rests", _("空出的号在加入候补前已退回，按规则还要等一等")
        NO_PATIENT = "no_patient", _("就诊人档案已停用")
        OTHER = "other", _("暂时不能给号，稍后再试")

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="waitlist", verbose_name=_("出诊单元"))
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="waits", verbose_name=_("就诊人"))
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    channel = models.CharField(_("渠道"), max_length=10, choices=Channel)  # its pools are what can be offered
    priority = models.PositiveSmallIntegerField(_("优先级"), choices=Priority, default=Priority.ORDINARY)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.WAITING)
    why = models.CharField(_("结束原因"), max_length=10, choices=Why, blank=True)
    # which of the patient's open entries it is, from 1 to what the rule allowed then: the database counts them so
    seat = models.PositiveSmallIntegerField()
    most = models.PositiveSmallIntegerField()
    joined_at = models.DateTimeField(_("加入时间"))
    closes_at = models.DateTimeField(_("候补截止"))  # by the rule in force when it was made
    # when the numbers re-open that rested before this entry was made: not for it before, or one hand could return a
    # number and the other take it at once (B14)
    rested_until = ArrayField(models.DateTimeField(), default=list)
    passed = models.CharField(_("未发出原因"), max_length=20, choices=Passed, blank=True)
    passed_at = models.DateTimeField(_("未发出时间"), null=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("候补")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "schedule"], condition=Q(status__in=OPEN), name="waitlist_one_open_per_schedule"
            ),
            models.UniqueConstraint(
                fields=["patient", "seat"], condition=Q(status__in=OPEN), name="waitlist_one_open_per_seat"
            ),
            models.CheckConstraint(condition=Q(seat__gte=1, seat__lte=F("most")), name="waitlist_seat_within_most"),
            models.CheckConstraint(
                condition=Q(status__in=OPEN, ended_at__isnull=True) | (~Q(status__in=OPEN) & Q(ended_at__isnull=False)),
                name="waitlist_over_has_a_time",
            ),
            models.CheckConstraint(
                condition=(Q(status="ended") & ~Q(why="")) | (~Q(status="ended") & Q(why="")),
                name="waitlist_ended_has_a_reason",
            ),
            models.CheckConstraint(condition=Q(closes_at__gt=F("joined_at")), name="waitlist_joined_before_cut_off"),
        ]
        indexes = [  # what a returned number asks: does anybody wait for it?
            models.Index(
                fields=["schedule"],
                include=["closes_at"],
                condition=Q(status="waiting"),
                name="waitlist_waiting",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="moves",
                field="status",
                transitions=[
                    ("waiting", "offered"),
                    ("waiting", "withdrawn"),
                    ("waiting", "ended"),
                    ("offered", "filled"),
                    ("offered", "withdrawn"),
                    ("offered", "ended"),
                ],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self):
        return f"{self.schedule_id} {self.get_status_display()}"


class WaitlistOffer(models.Model):
    """候补兑现: a number offered to an entry. It is held by `appointment`, pending until `deadline`, made by the same
    function as every booking: to accept is to confirm it, and unanswered it lapses as every hold does."""

    class State(models.TextChoices):
        OPEN = "open", _("待确认")
        ACCEPTED = "accepted", _("已确认")
        DECLINED = "declined", _("已放弃")
        LAPSED = "lapsed", _("已过期")

    entry = models.ForeignKey(WaitlistEntry, models.PROTECT, related_name="offers")
    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="waitlist_offer")
    made_at = models.DateTimeField(_("发出时间"))
    deadline = models.DateTimeField(_("确认截止"))
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.OPEN)
    settled_at = models.DateTimeField(_("办结时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("候补兑现")
        constraints = [
            models.UniqueConstraint(fields=["entry"], condition=Q(state="open"), name="waitlist_one_open_offer"),
            models.CheckConstraint(condition=Q(deadline__gt=F("made_at")), name="waitlist_offer_in_order"),
            models.CheckConstraint(
                condition=Q(state="open", settled_at__isnull=True) | (~Q(state="open") & Q(settled_at__isnull=False)),
                name="waitlist_settled_has_a_time",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="moves",
                field="state",
                transitions=[("open", "accepted"), ("open", "declined"), ("open", "lapsed")],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self):
        return f"{self.entry_id} {self.get_state_display()}"
