"""号源: pools, numbers, and when a pool of a schedule opens."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Department, Organization
from hospital.models.history import keeps_history

from .schedule import Schedule


@keeps_history
class PartnerGroup(models.Model):
    """协作单位组: lower institutions that share one reserve (P5)."""

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="partner_groups", verbose_name=_("机构")
    )
    name = models.CharField(_("名称"), max_length=40)
    members = models.ManyToManyField(Organization, related_name="member_of", blank=True, verbose_name=_("成员机构"))
    active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("协作单位组")
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="partnergroup_one_name")]

    def __str__(self):
        return self.name


@keeps_history
class Pool(models.Model):
    """号池. Every number belongs to one pool at a time. Partner pools are common, one institution's, or a group's."""

    class Kind(models.TextChoices):
        PUBLIC = "public", _("公共")
        CONSULT = "consult", _("诊间")
        PARTNER = "partner", _("下级机构")
        SIGNED = "signed", _("签约居民")  # of the partner pools, for signed residents of the one that books (R6)
        COUNTER = "counter", _("窗口")
        SPECIAL = "special", _("特殊人群")
        EXTRA = "extra", _("加号")
        TEAM = "team", _("组内转诊")  # a leading expert's numbers: only by an internal referral (B11)
        REBOOK = "rebook", _("改约")  # kept for patients of a stopped clinic until their deadline, then public (B13)
        EMERGENCY = "emergency", _("急诊预留")  # these two of devices only (E10)
        INPATIENT = "inpatient", _("住院预留")

    OF_DEVICES = (Kind.EMERGENCY, Kind.INPATIENT)

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="pools", verbose_name=_("机构"))
    kind = models.CharField(_("类型"), max_length=10, choices=Kind)
    partner = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="partner_pools", verbose_name=_("下级机构")
    )
    group = models.ForeignKey(
        PartnerGroup, models.PROTECT, null=True, blank=True, related_name="pools", verbose_name=_("协作单位组")
    )
    name = models.CharField(_("名称"), max_length=40)

    class Meta:
        verbose_name = verbose_name_plural = _("号池")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "partner", "group"],
                nulls_distinct=False,
                name="pool_once_per_kind_and_partner",
            ),
            models.CheckConstraint(
                condition=Q(partner__isnull=True, group__isnull=True)
                | Q(kind__in=["partner", "signed"], partner__isnull=True)
                | Q(kind__in=["partner", "signed"], group__isnull=True),
                name="pool_only_partner_pools_have_a_partner",
            ),
        ]

    def __str__(self):
        return self.name


NUMBER_KINDS = [choice for choice in Pool.Kind.choices if choice[0] not in Pool.OF_DEVICES]
"""As choices of a form: the kinds of pool that a session's numbers can be in."""


class Slot(models.Model):
    """号: one bookable number with its own minute. fillfactor 80, and no index holds `pool` or `hold_until`,
    so that moving pools is a heap-only update.

    `resting` is a returned number that re-opens at its `hold_until`. An expired `held` counts as free wherever
    it is looked at; it is only written when somebody takes it over.
    """

    class Status(models.TextChoices):
        FREE = "free", _("可约")
        HELD = "held", _("锁定")
        BOOKED = "booked", _("已约")
        RESTING = "resting", _("待放回")
        BLOCKED = "blocked", _("停用")

    schedule = models.ForeignKey(Schedule, models.PROTECT, db_index=False, related_name="slots")
    number = models.PositiveSmallIntegerField(_("序号"))
    start = models.DateTimeField(_("时间"))
    minutes = models.PositiveSmallIntegerField(_("分钟"))
    pool = models.ForeignKey(Pool, models.PROTECT, db_index=False, related_name="+")
    status = models.CharField(_("状态"), max_length=8, choices=Status, default=Status.FREE)
    hold_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("号")
        constraints = [
            models.UniqueConstraint(fields=["schedule", "number"], name="slot_one_number"),
            models.CheckConstraint(condition=Q(minutes__range=(1, 480)), name="slot_sensible_minutes"),
            models.CheckConstraint(
                condition=Q(status__in=["held", "resting"], hold_until__isnull=False)
                | (~Q(status__in=["held", "resting"]) & Q(hold_until__isnull=True)),
                name="slot_hold_has_a_clock",
            ),
        ]
        indexes = [
            models.Index(fields=["schedule"], condition=Q(status__in=["free", "held", "resting"]), name="slot_takeable")
        ]

    def __str__(self):
        return str(_("%(number)s号") % {"number": self.number})


class Allotment(models.Model):
    """When a pool of a schedule opens to its channels, and from when its free numbers count as public.

    A planned release or recall is exact by these two moments; the job that follows moves rows for the figures.
    `opened_at` and `moved_at` say that it did.
    """

    schedule = models.ForeignKey(Schedule, models.CASCADE, db_index=False, related_name="allotments")
    pool = models.ForeignKey(Pool, models.PROTECT, db_index=False, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, db_index=False, related_name="+")
    day = models.DateField()
    opens_at = models.DateTimeField(_("开放时间"))
    shared_from = models.DateTimeField(_("回收到公共"), null=True)
    moved_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("号池开放")
        constraints = [models.UniqueConstraint(fields=["schedule", "pool"], name="allotment_once")]
        indexes = [
            models.Index(
                fields=["department", "day"],
                include=["schedule", "pool", "opens_at", "shared_from"],
                name="allotment_search",
            ),
            models.Index(
                fields=["shared_from"],
                condition=Q(moved_at__isnull=True, shared_from__isnull=False),
                name="allotment_to_move",
            ),
            models.Index(fields=["opens_at"], condition=Q(opened_at__isnull=True), name="allotment_to_open"),
        ]
