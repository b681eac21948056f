"""Where exams are done and when: devices with weekly hours, staff, held-back capacity and downtime (E1, E10)."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models import PartnerGroup, Pool
from hospital.models import Campus, Organization, Room
from hospital.models.history import keeps_history
from hospital.models.places import DayRange, Named
from hospital.models.time import Weekday

from .catalogue import ExamVariant, Modality


@keeps_history
class ExamZone(models.Model):
    """检查区: rooms close to each other. Walking time counts between zones only."""

    campus = models.ForeignKey(Campus, models.PROTECT, related_name="exam_zones", verbose_name=_("院区"))
    name = models.CharField(_("名称"), max_length=40)
    location = models.CharField(_("位置"), max_length=60, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("检查区")
        constraints = [models.UniqueConstraint(fields=["campus", "name"], name="examzone_one_name")]

    def __str__(self):
        return self.name


@keeps_history
class WalkingTime(models.Model):
    """步行时间 in minutes, either way; `one` has the lower id. Unwritten: the house's rule."""

    one = models.ForeignKey(ExamZone, models.CASCADE, related_name="+", verbose_name=_("从"))
    other = models.ForeignKey(ExamZone, models.CASCADE, related_name="+", verbose_name=_("到"))
    minutes = models.PositiveSmallIntegerField(_("分钟"))

    class Meta:
        verbose_name = verbose_name_plural = _("步行时间")
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="walkingtime_once"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="walkingtime_lower_first"),
            models.CheckConstraint(condition=Q(minutes__lte=240), name="walkingtime_sensible"),
        ]


@keeps_history
class StaffTeam(models.Model):
    """检查班组: at most `size` exams at once on all its devices (one sonographer team for two rooms)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    name = models.CharField(_("名称"), max_length=40)
    size = models.PositiveSmallIntegerField(_("可同时检查"), default=1)

    class Meta:
        verbose_name = verbose_name_plural = _("检查班组")
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="staffteam_one_name"),
            models.CheckConstraint(condition=Q(size__range=(1, 50)), name="staffteam_sensible_size"),
        ]

    def __str__(self):
        return self.name


@keeps_history
class Device(Named):
    """设备."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="devices", verbose_name=_("机构"))
    code = models.CharField(_("代码"), max_length=20)
    modality = models.CharField(_("类别"), max_length=4, choices=Modality)
    room = models.ForeignKey(Room, models.PROTECT, related_name="devices", verbose_name=_("检查室"))
    zone = models.ForeignKey(ExamZone, models.PROTECT, related_name="devices", verbose_name=_("检查区"))
    team = models.ForeignKey(
        StaffTeam, models.PROTECT, null=True, blank=True, related_name="devices", verbose_name=_("班组")
    )
    active = models.BooleanField(_("启用"), default=True)

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("设备")
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="device_one_code")]


@keeps_history
class DeviceAbility(models.Model):
    """A device can do this; `minutes` where it takes another time than usual, whole steps of five."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="abilities", verbose_name=_("设备"))
    variant = models.ForeignKey(ExamVariant, models.CASCADE, related_name="abilities", verbose_name=_("检查"))
    minutes = models.PositiveSmallIntegerField(_("检查（分钟）"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("可做检查")
        constraints = [
            models.UniqueConstraint(fields=["device", "variant"], name="deviceability_once"),
            models.CheckConstraint(
                condition=Q(minutes__isnull=True) | Q(minutes__range=(5, 480), minutes=F("minutes") / 5 * 5),
                name="deviceability_whole_steps",
            ),
        ]


@keeps_history
class DeviceHours(models.Model):
    """开机时间: one weekly stretch of a device, wall times of the hospital. Holidays: the house's calendar."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="hours", verbose_name=_("设备"))
    weekday = models.PositiveSmallIntegerField(_("周几"), choices=Weekday)
    starts = models.TimeField(_("开始"))
    ends = models.TimeField(_("结束"))
    effective_from = models.DateField(_("生效日"))
    effective_to = models.DateField(_("失效日"), null=True, blank=True)  # last day included

    class Meta:
        verbose_name = verbose_name_plural = _("开机时间")
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="devicehours_in_order"),
            models.CheckConstraint(condition=Q(weekday__range=(1, 7)), name="devicehours_weekday"),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="devicehours_dates_in_order",
            ),
            ExclusionConstraint(
                name="devicehours_once_from_a_moment",
                expressions=[
                    ("device", RangeOperators.EQUAL),
                    ("weekday", RangeOperators.EQUAL),
                    ("starts", RangeOperators.EQUAL),
                    (DayRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self):
        return f"{self.device} {self.get_weekday_display()} {self.starts:%H:%M}–{self.ends:%H:%M}"


@keeps_history
class DeviceReserve(models.Model):
    """预留 (E10): a part of the device's hours kept for one pool; what is free of it counts as public `shared_minutes`
    before it begins (null: never)."""

    hours = models.ForeignKey(DeviceHours, models.CASCADE, related_name="reserves", verbose_name=_("开机时间"))
    kind = models.CharField(_("号池"), max_length=10, choices=Pool.Kind)
    partner = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("下级机构")
    )
    group = models.ForeignKey(
        PartnerGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("协作单位组")
    )
    starts = models.TimeField(_("开始"))
    ends = models.TimeField(_("结束"))
    shared_minutes = models.PositiveIntegerField(_("提前多久放开（分钟）"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("预留")
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="devicereserve_in_order"),
            models.CheckConstraint(
                condition=Q(partner__isnull=True, group__isnull=True)
                | Q(kind="partner", partner__isnull=True)
                | Q(kind="partner", group__isnull=True),
                name="devicereserve_only_partner_reserves_have_a_partner",
            ),
        ]


@keeps_history
class DeviceSession(models.Model):
    """开机时段: a device, one day, from when to when exams can be booked. Laid out from DeviceHours, or by hand."""

    device = models.ForeignKey(Device, models.PROTECT, related_name="sessions", verbose_name=_("设备"))
    hours = models.ForeignKey(DeviceHours, models.SET_NULL, null=True, blank=True, related_name="sessions")
    day = models.DateField(_("日期"))
    during = DateTimeRangeField(_("时间"))
    opens_at = models.DateTimeField(_("开放时间"))  # of what no window reserves
    closed = models.BooleanField(_("停机"), default=False)  # the whole stretch is taken out of the plan

    class Meta:
        verbose_name = verbose_name_plural = _("开机时段")
        constraints = [
            ExclusionConstraint(
                name="devicesession_one_at_a_time",
                expressions=[("device", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]
        indexes = [models.Index(fields=["day", "device"], name="devicesession_day")]


class SessionWindow(models.Model):
    """号池时段: who may book this part of a session, from when, and from when everybody (`shared_from`). Exact by these
    two moments, as Allotment is for numbers; time under no window is the public pool's."""

    session = models.ForeignKey(DeviceSession, models.CASCADE, related_name="windows")
    pool = models.ForeignKey(Pool, models.PROTECT, related_name="+")
    during = DateTimeRangeField()
    opens_at = models.DateTimeField(_("开放时间"))
    shared_from = models.DateTimeField(_("放开给公共"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("号池时段")
        constraints = [
            ExclusionConstraint(
                name="sessionwindow_one_pool_at_a_time",
                expressions=[("session", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]
