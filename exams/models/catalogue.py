"""检查项目: what can be examined, how long it takes, on what it depends, and which sets exist (E1, E4, E8)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Organization
from hospital.models.history import keeps_history
from hospital.models.places import Named

from .signed import Signed

STEP = 5
"""Minutes. Lengths are whole steps, and exams begin on whole steps of the hour."""


class Modality(models.TextChoices):
    """检查类别."""

    ULTRASOUND = "us", _("超声")
    CT = "ct", _("CT")
    MRI = "mr", _("磁共振")
    XRAY = "xr", _("X线")
    ENDOSCOPY = "es", _("内镜")
    ECG = "ecg", _("心电")
    TREADMILL = "tm", _("运动平板")
    NUCLEAR = "nm", _("核医学")
    LUNG = "pf", _("肺功能")
    LAB = "lab", _("检验采血")


class ExamGroup(models.Model):
    """规则分组: what rules and questions speak of where they mean many items (空腹, 含碘对比剂, 消化道钡剂 …)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    code = models.SlugField(_("代码"), max_length=30)
    name = models.CharField(_("名称"), max_length=40)

    class Meta:
        verbose_name = verbose_name_plural = _("规则分组")
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="examgroup_one_code")]

    def __str__(self):
        return self.name


@keeps_history
class Preparation(Signed):
    """检查准备: the leaflet, and what of it the planner must know. `latest_start`: no fasting patient waits longer."""

    name = models.CharField(_("名称"), max_length=60)
    text = models.TextField(_("准备说明"), max_length=2000)
    fast_minutes = models.PositiveSmallIntegerField(_("禁食（分钟）"), default=0)
    latest_start = models.TimeField(_("空腹最晚开始"), null=True, blank=True)
    lead_minutes = models.PositiveIntegerField(_("至少提前（分钟）"), default=0)  # bowel preparation takes days
    full_bladder = models.BooleanField(_("需憋尿"), default=False)
    escort = models.BooleanField(_("需家属陪同"), default=False)

    class Meta(Signed.Meta):
        verbose_name = verbose_name_plural = _("检查准备")
        constraints = [
            *Signed.Meta.constraints,
            models.CheckConstraint(
                condition=Q(fast_minutes=0) | Q(latest_start__isnull=False),
                name="preparation_fasting_has_a_latest_hour",
            ),
        ]

    def __str__(self):
        return self.name


@keeps_history
class ExamItem(Named):
    """检查项目. Items with one `equivalence` code count as the same exam when results are looked for (E6)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="exam_items", verbose_name=_("机构"))
    code = models.CharField(_("代码"), max_length=20)
    modality = models.CharField(_("类别"), max_length=4, choices=Modality)
    body_part = models.CharField(_("部位"), max_length=40, blank=True)
    equivalence = models.CharField(_("互认代码"), max_length=30, blank=True)
    valid_days = models.PositiveSmallIntegerField(_("结果有效天数"), default=0)  # 0: no result makes it a repeat
    result_minutes = models.PositiveIntegerField(_("出报告（分钟）"), default=60)
    simple = models.BooleanField(_("患者可自行预约"), default=False)
    active = models.BooleanField(_("启用"), default=True)

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("检查项目")
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="examitem_one_code")]
        indexes = [models.Index(fields=["equivalence"], name="examitem_equivalence")]


@keeps_history
class ExamVariant(models.Model):
    """检查方式: an item as it is done: plain, with contrast, sedated, for a child. Minutes, whole steps of five.

    The device is taken for `minutes`, the patient also `before` (a drip) and `after` (30 minutes of watching).
    """

    class Kind(models.TextChoices):
        PLAIN = "plain", _("常规")
        CONTRAST = "contrast", _("增强")
        SEDATED = "sedated", _("无痛")
        CHILD = "child", _("儿童")

    item = models.ForeignKey(ExamItem, models.PROTECT, related_name="variants", verbose_name=_("检查项目"))
    kind = models.CharField(_("方式"), max_length=10, choices=Kind, default=Kind.PLAIN)
    minutes = models.PositiveSmallIntegerField(_("检查（分钟）"))
    before = models.PositiveSmallIntegerField(_("检查前（分钟）"), default=0)
    after = models.PositiveSmallIntegerField(_("检查后观察（分钟）"), default=0)
    price_code = models.CharField(_("价目代码"), max_length=20)
    preparation = models.ForeignKey(
        Preparation, models.PROTECT, null=True, blank=True, related_name="variants", verbose_name=_("检查准备")
    )
    groups = models.ManyToManyField(ExamGroup, related_name="variants", blank=True, verbose_name=_("规则分组"))
    active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("检查方式")
        ordering = ["item_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["item", "kind"], name="examvariant_once"),
            models.CheckConstraint(condition=Q(minutes__range=(STEP, 480)), name="examvariant_sensible_minutes"),
            models.CheckConstraint(condition=Q(before__lte=240, after__lte=480), name="examvariant_sensible_stay"),
            models.CheckConstraint(
                condition=Q(minutes=F("minutes") / STEP * STEP, before=F("before") / STEP * STEP)
                & Q(after=F("after") / STEP * STEP),
                name="examvariant_whole_steps",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        """腹部CT（增强）; the plain way is called by the item alone."""
        return str(self.item) if self.kind == self.Kind.PLAIN else f"{self.item}（{self.get_kind_display()}）"


@keeps_history
class ExamSet(Named):
    """检查套餐 of a programme (产检, 减重, 术前): requested with one key (E8)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="exam_sets", verbose_name=_("机构"))
    code = models.CharField(_("代码"), max_length=20)
    programme = models.CharField(_("项目"), max_length=40)
    active = models.BooleanField(_("启用"), default=True)
    lines = models.ManyToManyField(ExamVariant, related_name="sets", verbose_name=_("检查"))

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("检查套餐")
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="examset_one_code")]
