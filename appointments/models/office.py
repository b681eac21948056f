"""What the office prepares, does to many at once and can take back, and what the jobs did."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Department, Organization, User

from .schedule import Schedule, ScheduleTemplate


class JobRun(models.Model):
    """运行记录: one run of a job that had something due. A killed run keeps what it had moved and has no `done_at`;
    the next run is a row of its own with the rest.
    """

    class Job(models.TextChoices):
        RELEASE = "release", _("放号")
        RECALL = "recall", _("回收")
        LAY_OUT = "lay_out", _("排班生成")
        STOPS = "stops", _("停诊改约")
        WAITLIST = "waitlist", _("候补兑现")

    job = models.CharField(_("任务"), max_length=10, choices=Job)
    due_at = models.DateTimeField(_("应执行"))  # the earliest moment that was due
    started_at = models.DateTimeField(_("开始"))
    done_at = models.DateTimeField(_("完成"), null=True)
    # numbers; of lay_out: schedules; of stops: cases; of waitlist: entries
    moved = models.PositiveIntegerField(_("处理数量"), default=0)
    detail = models.JSONField(_("明细"), default=dict)

    class Meta:
        verbose_name = verbose_name_plural = _("运行记录")
        indexes = [models.Index(fields=["-started_at"], name="jobrun_started")]

    def __str__(self):
        return f"{self.get_job_display()} {self.started_at:%F %T}"


class LayoutDraft(models.Model):
    """排班草稿: what the templates would make of some coming days, compared with what stands, before it counts."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("待发布")
        PUBLISHING = "publishing", _("发布中")
        PUBLISHED = "published", _("已发布")
        DISCARDED = "discarded", _("已放弃")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True, related_name="+")
    first_day = models.DateField(_("从"))
    last_day = models.DateField(_("到"))  # included
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.DRAFT)
    digest = models.CharField(max_length=64)  # of what was compared: publishing anything else is refused
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办"))
    created_at = models.DateTimeField(_("生成时间"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("发布时间"), null=True)
    result = models.JSONField(default=dict)  # counts of what was done so far: services.drafts.days.Done

    class Meta:
        verbose_name = verbose_name_plural = _("排班草稿")
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="layoutdraft_days_in_order"),
            models.CheckConstraint(
                condition=Q(status="draft", decided_at__isnull=True)
                | (~Q(status="draft") & Q(decided_at__isnull=False)),
                name="layoutdraft_decided_has_a_time",
            ),
        ]


class DraftLine(models.Model):
    """One difference between the templates and what stands."""

    class Action(models.TextChoices):
        ADD = "add", _("新增")
        CHANGE = "change", _("变更")
        DROP = "drop", _("撤销")
        CONFLICT = "conflict", _("冲突")

    class Outcome(models.TextChoices):
        WAITING = "", _("未处理")
        DONE = "done", _("已生效")
        LEFT = "left", _("保留原样")
        REFUSED = "refused", _("未能生效")

    draft = models.ForeignKey(LayoutDraft, models.CASCADE, related_name="lines")
    action = models.CharField(_("变动"), max_length=10, choices=Action)
    template = models.ForeignKey(ScheduleTemplate, models.SET_NULL, null=True, related_name="+")
    schedule = models.ForeignKey(Schedule, models.SET_NULL, null=True, related_name="+")  # its index serves the drops
    day = models.DateField(_("就诊日"))
    name = models.CharField(_("出诊"), max_length=120)
    differences = models.JSONField(default=list)  # [field, is, would be]
    patients = models.PositiveSmallIntegerField(_("已约"), default=0)  # whom the change would touch
    take = models.BooleanField(_("采用"), default=True)  # a line with booked patients starts with False
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome, default=Outcome.WAITING, blank=True)
    reason = models.CharField(_("原因"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("排班变动")
        indexes = [models.Index(fields=["draft", "action", "day"], name="draftline_of_a_draft")]


class BulkAct(models.Model):
    """批量操作: previewed, then one transaction; back within `undo_until` where nothing irreversible happened."""

    class Kind(models.TextChoices):
        REALLOCATE = "reallocate", _("调整号池")
        ADD_NUMBERS = "add", _("加号")
        RECALL = "recall", _("回收到公共")
        STOP = "stop", _("停诊")
        SUBSTITUTE = "substitute", _("替诊")
        HOLD_RELEASE = "hold", _("暂缓放号")
        EXTRA_RELEASE = "release", _("追加放号")
        RESHARE = "reshare", _("按新规则重分")
        RETIME = "retime", _("调整时间")

    class Status(models.TextChoices):
        PREVIEWED = "previewed", _("待确认")
        DONE = "done", _("已执行")
        UNDONE = "undone", _("已撤销")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(_("操作"), max_length=10, choices=Kind)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.PREVIEWED)
    schedules = models.JSONField(default=list)  # ids that were selected
    params = models.JSONField(default=dict)
    effect = models.JSONField(default=dict)  # what the preview said: counts by name
    digest = models.CharField(max_length=64)  # of what the preview saw: anything else is previewed again
    reason = models.CharField(_("原因"), max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("经办"))
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(_("执行时间"), null=True)
    undo_until = models.DateTimeField(_("可撤销至"), null=True)  # null: cannot be undone
    undone_at = models.DateTimeField(_("撤销时间"), null=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("批量操作")
        indexes = [models.Index(fields=["organization", "-created_at"], name="bulkact_latest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="previewed", done_at__isnull=True, undone_at__isnull=True)
                | Q(status="done", done_at__isnull=False, undone_at__isnull=True)
                | Q(status="undone", done_at__isnull=False, undone_at__isnull=False),
                name="bulkact_status_has_its_times",
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.created_at:%F %T}"


class BulkChange(models.Model):
    """One row that a bulk act changed: what it was, what it became. Undo writes `before` where `after` still stands."""

    act = models.ForeignKey(BulkAct, models.CASCADE, related_name="changes")
    table = models.CharField(max_length=12)  # slot, allotment; of new hours: schedule
    row = models.BigIntegerField()
    before = models.JSONField()
    after = models.JSONField()
