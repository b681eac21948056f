"""Rules as data: how exams may follow each other, what is asked before, and the house's own numbers (E3–E5)."""

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.models.rules import Dated
from hospital.models.history import keeps_history

from .catalogue import ExamGroup, ExamItem
from .signed import Signed


@keeps_history
class ScreeningQuestion(Signed):
    """准备问题 (E4): asked before booking and again at check-in, of whom it concerns. Once per code in force."""

    class Sex(models.TextChoices):
        MALE = "M", _("男")
        FEMALE = "F", _("女")

    code = models.SlugField(_("代码"), max_length=30)
    text = models.CharField(_("问题"), max_length=200)
    hint = models.CharField(_("说明"), max_length=200, blank=True)
    sex = models.CharField(_("只问"), max_length=1, choices=Sex, blank=True)
    min_age = models.PositiveSmallIntegerField(_("年龄从"), null=True, blank=True)
    max_age = models.PositiveSmallIntegerField(_("年龄到"), null=True, blank=True)
    groups = models.ManyToManyField(ExamGroup, related_name="questions", blank=True, verbose_name=_("规则分组"))
    items = models.ManyToManyField(ExamItem, related_name="questions", blank=True, verbose_name=_("检查项目"))
    before_booking = models.BooleanField(_("预约前问"), default=True)
    at_check_in = models.BooleanField(_("报到时再问"), default=True)
    order = models.PositiveSmallIntegerField(_("顺序"), default=0)

    class Meta(Signed.Meta):
        verbose_name = verbose_name_plural = _("准备问题")
        ordering = ["order", "id"]
        constraints = [
            *Signed.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "code"],
                condition=Q(approved_at__isnull=False, retired_at__isnull=True),
                name="screeningquestion_one_in_force",
            ),
            models.CheckConstraint(
                condition=Q(before_booking=True) | Q(at_check_in=True), name="screeningquestion_asked_at_all"
            ),
        ]

    def __str__(self):
        return self.text


@keeps_history
class ScreeningAnswer(models.Model):
    """What an answer means. `sentence` is shown to whoever answers; `first` is the check that must come before."""

    class Effect(models.TextChoices):
        OK = "ok", _("可以检查")
        WARN = "warn", _("提醒")
        CHECK = "check", _("先完成检查或评估")
        REFUSE = "refuse", _("不能做")

    question = models.ForeignKey(ScreeningQuestion, models.CASCADE, related_name="answers", verbose_name=_("问题"))
    code = models.SlugField(_("代码"), max_length=20)
    text = models.CharField(_("答案"), max_length=60)
    effect = models.CharField(_("含义"), max_length=10, choices=Effect)
    sentence = models.CharField(_("告知"), max_length=200, blank=True)
    first = models.ForeignKey(
        ExamItem, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("须先做")
    )
    order = models.PositiveSmallIntegerField(_("顺序"), default=0)

    class Meta:
        verbose_name = verbose_name_plural = _("答案")
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["question", "code"], name="screeninganswer_once"),
            models.CheckConstraint(condition=Q(effect="ok") | ~Q(sentence=""), name="screeninganswer_says_why"),
        ]

    def __str__(self):
        return self.text


class Follow(models.TextChoices):
    """How one exam may follow another."""

    GAP = "gap", _("间隔至少")
    OTHER_DAY = "other_day", _("不在同一天，且间隔至少")
    NEVER = "never", _("不可以")


@keeps_history
class OrderingRule(Signed):
    """检查顺序规则. Minutes are from the end of the one to the start of the other. `forward`: first before second;
    `reverse`: second before first. Each side names a group or an item. `one_sitting` (同一次麻醉): both are done
    back to back on one device as one.

    With a question it holds only for those who gave one of these answers (iodine and gadolinium: by renal function);
    nobody asked counts as the worst answer, so as one of them.
    """

    name = models.CharField(_("名称"), max_length=80)
    first_group = models.ForeignKey(
        ExamGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("甲（分组）")
    )
    first_item = models.ForeignKey(
        ExamItem, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("甲（项目）")
    )
    second_group = models.ForeignKey(
        ExamGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("乙（分组）")
    )
    second_item = models.ForeignKey(
        ExamItem, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("乙（项目）")
    )
    forward = models.CharField(_("先甲后乙"), max_length=10, choices=Follow, default=Follow.GAP)
    forward_minutes = models.PositiveIntegerField(_("间隔（分钟）"), default=0)
    reverse = models.CharField(_("先乙后甲"), max_length=10, choices=Follow, default=Follow.NEVER)
    reverse_minutes = models.PositiveIntegerField(_("间隔（分钟）"), default=0)
    one_sitting = models.BooleanField(_("同一次麻醉完成"), default=False)
    question = models.ForeignKey(
        ScreeningQuestion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("仅当")
    )
    answers = ArrayField(models.CharField(max_length=20), default=list, blank=True, verbose_name=_("答案"))
    why = models.CharField(_("原因"), max_length=200)  # shown to doctors and patients

    class Meta(Signed.Meta):
        verbose_name = verbose_name_plural = _("检查顺序规则")
        constraints = [
            *Signed.Meta.constraints,
            models.CheckConstraint(
                condition=Q(first_group__isnull=True, first_item__isnull=False)
                | Q(first_group__isnull=False, first_item__isnull=True),
                name="orderingrule_first_is_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(second_group__isnull=True, second_item__isnull=False)
                | Q(second_group__isnull=False, second_item__isnull=True),
                name="orderingrule_second_is_one_thing",
            ),
            models.CheckConstraint(condition=~Q(forward="never", reverse="never"), name="orderingrule_leaves_a_way"),
            models.CheckConstraint(
                condition=Q(forward_minutes__lte=20160, reverse_minutes__lte=20160), name="orderingrule_sensible_gap"
            ),
        ]

    def __str__(self):
        return self.name


@keeps_history
class ExamRule(Dated):
    """检查预约规则, dated: the house's own numbers. Minutes and days."""

    segment_minutes = models.PositiveSmallIntegerField(_("时段（分钟）"), default=30)
    horizon_days = models.PositiveSmallIntegerField(_("可约天数"), default=28)
    plan_days = models.PositiveSmallIntegerField(_("一次就诊规划天数"), default=14)
    hold_minutes = models.PositiveSmallIntegerField(_("患者锁定（分钟）"), default=10)
    staff_hold_minutes = models.PositiveSmallIntegerField(_("诊间和中心锁定（分钟）"), default=30)
    cancel_minutes = models.PositiveIntegerField(_("最晚取消（提前分钟）"), default=120)
    early_minutes = models.PositiveSmallIntegerField(_("最早报到（提前分钟）"), default=60)
    late_minutes = models.PositiveSmallIntegerField(_("迟到多久算爽约（分钟）"), default=60)
    noshow_limit = models.PositiveSmallIntegerField(_("爽约几次暂停自助预约"), default=3)
    noshow_days = models.PositiveSmallIntegerField(_("爽约计数天数"), default=180)
    suspend_days = models.PositiveSmallIntegerField(_("暂停天数"), default=30)
    walk_minutes = models.PositiveSmallIntegerField(_("检查区之间步行（分钟）"), default=10)
    campus_minutes = models.PositiveSmallIntegerField(_("院区之间路程（分钟）"), default=60)
    link_days = models.PositiveSmallIntegerField(_("报告二维码有效天数"), default=7)
    acknowledge_minutes = models.PositiveSmallIntegerField(_("危急值确认时限（分钟）"), default=30)
    day_starts = models.TimeField(_("最早到院"), default=time(7, 0))

    class Meta(Dated.Meta):
        verbose_name = verbose_name_plural = _("检查预约规则")
        constraints = [
            *Dated.Meta.constraints,
            models.CheckConstraint(condition=Q(segment_minutes__in=[5, 10, 15, 20, 30]), name="examrule_segment"),
            models.CheckConstraint(condition=Q(plan_days__range=(1, 28)), name="examrule_plan_days"),
            models.CheckConstraint(condition=Q(horizon_days__range=(1, 92)), name="examrule_horizon"),
            models.CheckConstraint(
                condition=Q(hold_minutes__range=(1, 120), staff_hold_minutes__range=(1, 480)), name="examrule_holds"
            ),
        ]
