"""Numbers that a hospital changes: dated, audited rows. The most specific scope wins; defaults from rules.md."""

from datetime import time

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Department, HealthcareService, Organization, PractitionerRole
from hospital.models.history import keeps_history

from .slot import PartnerGroup, Pool


class Channel(models.TextChoices):
    """渠道. One pool of numbers behind all (B7)."""

    CONSULT = "consult", _("诊间")
    WARD = "ward", _("病区")
    WEB = "web", _("网页")
    APP = "app", _("手机")
    PHONE = "phone", _("电话")
    KIOSK = "kiosk", _("自助机")
    COUNTER = "counter", _("窗口")
    PARTNER = "partner", _("下级机构")


SELF_SERVICE = frozenset({Channel.WEB, Channel.APP, Channel.PHONE, Channel.KIOSK})
"""Channels that limits, suspension and one-per-department-and-day hold for (rules.md)."""


class Dated(models.Model):
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    effective_from = models.DateField(_("生效日"))
    effective_to = models.DateField(_("失效日"), null=True, blank=True)  # last day included

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="%(class)s_dates_in_order",
            )
        ]


class Scoped(Dated):
    """A rule for an organization, or for one department, service or doctor of it."""

    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("科室")
    )
    service = models.ForeignKey(
        HealthcareService, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("号别")
    )
    role = models.ForeignKey(
        PractitionerRole, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("医生")
    )

    class Meta(Dated.Meta):
        abstract = True

    @property
    def specificity(self) -> int:
        """Doctor over service over department over organization."""
        return 4 * bool(self.role_id) + 2 * bool(self.service_id) + bool(self.department_id)


@keeps_history
class SupplyRule(Scoped):
    """放号回收规则: how a schedule's numbers are shared out. Its shares sum to 100."""

    name = models.CharField(_("名称"), max_length=60, blank=True)

    class Meta(Scoped.Meta):
        verbose_name = verbose_name_plural = _("放号回收规则")

    def __str__(self):
        return self.name or f"{self.organization} {self.effective_from}"


SUM_TO_100 = """
FOR touched IN
    SELECT r.id FROM appointments_supplyrule r WHERE r.id IN (OLD.rule_id, NEW.rule_id) ORDER BY r.id
       FOR NO KEY UPDATE
LOOP
    SELECT sum(percent) INTO total FROM appointments_supplyshare WHERE rule_id = touched;
    IF total <> 100 THEN
        RAISE EXCEPTION 'the shares of supply rule % sum to %, not 100', touched, total
              USING ERRCODE = 'check_violation', CONSTRAINT = 'supplyshare_sum_to_100';
    END IF;
END LOOP;
RETURN NULL;
"""
"""At the end of the transaction, and two who change one rule's shares wait for each other. A rule without any share
leaves the default in force (services.allocation)."""


@keeps_history
class SupplyShare(models.Model):
    """One pool's share, when it opens (D−days at a wall time) and from when its rest is public.

    `shared_at_start`: open to all when the schedule starts (the on-site floor).
    """

    rule = models.ForeignKey(SupplyRule, models.CASCADE, related_name="shares", verbose_name=_("规则"))
    kind = models.CharField(_("号池"), max_length=10, choices=Pool.Kind)
    partner = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("下级机构")
    )
    group = models.ForeignKey(
        PartnerGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("协作单位组")
    )
    percent = models.PositiveSmallIntegerField(_("百分比"))
    opens_days = models.PositiveSmallIntegerField(_("提前几天开放"))
    opens_time = models.TimeField(_("开放时刻"))
    shared_days = models.PositiveSmallIntegerField(_("提前几天回收"), null=True, blank=True)
    shared_time = models.TimeField(_("回收时刻"), null=True, blank=True)
    shared_at_start = models.BooleanField(_("开诊时向所有人开放"), default=False)

    class Meta:
        verbose_name = verbose_name_plural = _("号池份额")
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "kind", "partner", "group"], nulls_distinct=False, name="supplyshare_once"
            ),
            models.CheckConstraint(
                condition=Q(partner__isnull=True, group__isnull=True)
                | Q(kind__in=["partner", "signed"], partner__isnull=True)
                | Q(kind__in=["partner", "signed"], group__isnull=True),
                name="supplyshare_only_partner_shares_have_a_partner",
            ),
            models.CheckConstraint(condition=Q(percent__range=(0, 100)), name="supplyshare_percent"),
            models.CheckConstraint(
                condition=Q(shared_days__isnull=True, shared_time__isnull=True)
                | Q(shared_days__isnull=False, shared_time__isnull=False, shared_at_start=False),
                name="supplyshare_one_way_to_share",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="shares_sum_to_100",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                timing=pgtrigger.Deferred,
                declare=[("touched", "bigint"), ("total", "bigint")],
                func=SUM_TO_100,
            )
        ]


@keeps_history
class BookingRule(Scoped):
    """预约规则: holds (minutes), limits, cut-off, no-show, returned numbers, add-on, waitlist."""

    web_hold_minutes = models.PositiveSmallIntegerField(_("网上锁号（分钟）"), default=15)
    consult_hold_minutes = models.PositiveSmallIntegerField(_("诊间锁号（分钟）"), default=3)
    counter_hold_minutes = models.PositiveSmallIntegerField(_("窗口锁号（分钟）"), default=5)
    limit_day = models.PositiveSmallIntegerField(_("一天最多"), default=2)
    limit_week = models.PositiveSmallIntegerField(_("7天最多"), default=3)
    limit_quarter = models.PositiveSmallIntegerField(_("90天最多"), default=5)
    cancel_days = models.PositiveSmallIntegerField(_("提前几天退号"), default=1)
    cancel_time = models.TimeField(_("退号截止时刻"), default=time(15, 0))
    rest_minutes_min = models.PositiveSmallIntegerField(_("退号放回最短（分钟）"), default=60)
    rest_minutes_max = models.PositiveSmallIntegerField(_("退号放回最长（分钟）"), default=120)
    noshow_count = models.PositiveSmallIntegerField(_("爽约次数"), default=3)
    noshow_days = models.PositiveSmallIntegerField(_("爽约统计天数"), default=90)
    suspension_days = models.PositiveSmallIntegerField(_("暂停预约天数"), default=90)
    extra_limit = models.PositiveSmallIntegerField(_("每单元加号上限"), default=5)
    extra_horizon_days = models.PositiveSmallIntegerField(_("加号提前天数"), default=31)
    referral_days = models.PositiveSmallIntegerField(_("组内转诊有效天数"), default=30)
    # 三优先 (R6): whose turn in the queue comes first; 0 in turn, 1 before them (0008-queue-order.md)
    signed_priority = models.PositiveSmallIntegerField(_("签约居民候诊次序"), default=1)
    segment_minutes = models.PositiveSmallIntegerField(_("公众时段（分钟）"), default=30)
    reminder_time = models.TimeField(_("前一天提醒时刻"), default=time(18, 0))
    resale_minutes = models.PositiveSmallIntegerField(_("倒号线索：退后几分钟内再约"), default=10)
    # 候补 (B9), the numbers of rules.md, row "waitlist": an offer's minutes run within the hours; wall times
    waitlist_most = models.PositiveSmallIntegerField(_("一人同时候补最多"), default=3)
    waitlist_minutes = models.PositiveSmallIntegerField(_("候补兑现时限（分钟）"), default=120)
    waitlist_from = models.TimeField(_("候补兑现最早时刻"), default=time(6, 0))
    waitlist_until = models.TimeField(_("候补兑现最晚时刻"), default=time(23, 0))
    waitlist_days = models.PositiveSmallIntegerField(_("提前几天截止候补"), default=1)
    waitlist_time = models.TimeField(_("候补截止时刻"), default=time(18, 0))

    class Meta(Scoped.Meta):
        verbose_name = verbose_name_plural = _("预约规则")
        constraints = [
            *Scoped.Meta.constraints,
            models.CheckConstraint(condition=Q(segment_minutes__range=(1, 30)), name="bookingrule_segment"),
            models.CheckConstraint(condition=Q(signed_priority__range=(0, 1)), name="bookingrule_signed_priority"),
            models.CheckConstraint(
                condition=Q(rest_minutes_max__gte=F("rest_minutes_min")), name="bookingrule_rest_in_order"
            ),
            models.CheckConstraint(
                condition=Q(waitlist_until__gt=F("waitlist_from")), name="bookingrule_waitlist_hours_in_order"
            ),
        ]


@keeps_history
class ConsultLevelRule(Dated):
    """诊间可约级别 (B4), dated: from a day on, the consult room may book these levels."""

    levels = ArrayField(models.CharField(max_length=10, choices=HealthcareService.Level), verbose_name=_("可约级别"))

    class Meta(Dated.Meta):
        verbose_name = verbose_name_plural = _("诊间可约级别")


@keeps_history
class ChannelRule(Dated):
    """渠道可用号池: which kinds of pool a channel takes from (P1)."""

    channel = models.CharField(_("渠道"), max_length=10, choices=Channel)
    kinds = ArrayField(models.CharField(max_length=10, choices=Pool.Kind), verbose_name=_("号池"))

    class Meta(Dated.Meta):
        verbose_name = verbose_name_plural = _("渠道可用号池")
