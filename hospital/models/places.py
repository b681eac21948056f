"""Where care happens and what it is called and costs."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _

from .history import keeps_history


class DayRange(Func):
    """daterange(from, to, '[]'): both days included, an empty end is open."""

    function = "daterange"
    output_field = DateRangeField()
    template = "%(function)s(%(expressions)s, '[]')"


class Named(models.Model):
    """A name that is found by Chinese text, pinyin or its initials (拼音首字母)."""

    name = models.CharField(_("名称"), max_length=80)
    pinyin = models.CharField(_("拼音"), max_length=200, blank=True)
    initials = models.CharField(_("拼音首字母"), max_length=40, blank=True)

    class Meta:
        abstract = True

    def __str__(self):
        return self.name


@keeps_history
class Organization(Named):
    """机构: the hospital itself, a community branch, a partner."""

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", _("医院")
        COMMUNITY = "community", _("社区卫生服务中心")
        TOWN = "town", _("乡镇卫生院")

    code = models.CharField(_("代码"), max_length=20, unique=True)
    short_name = models.CharField(_("简称"), max_length=40, blank=True)
    kind = models.CharField(_("类型"), max_length=10, choices=Kind, default=Kind.HOSPITAL)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="branches", verbose_name=_("上级机构")
    )
    phone = models.CharField(_("电话"), max_length=40, blank=True)
    active = models.BooleanField(_("启用"), default=True)

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("机构")


@keeps_history
class Campus(Named):
    """院区."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="campuses", verbose_name=_("机构"))
    code = models.CharField(_("代码"), max_length=20)
    address = models.CharField(_("地址"), max_length=120, blank=True)
    transit = models.CharField(_("公共交通"), max_length=200, blank=True)
    active = models.BooleanField(_("启用"), default=True)

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("院区")
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="campus_one_code")]


@keeps_history
class Department(Named):
    """科室. `specialty` is the code in the national list (诊疗科目名录), e.g. 03.04."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="departments", verbose_name=_("机构"))
    campus = models.ForeignKey(
        Campus, models.PROTECT, null=True, blank=True, related_name="departments", verbose_name=_("院区")
    )
    code = models.CharField(_("代码"), max_length=20)
    specialty = models.CharField(_("诊疗科目"), max_length=20, blank=True)
    group = models.CharField(_("系统"), max_length=20, blank=True)  # 内科系统, 外科系统 …: the office's filter
    location = models.CharField(_("位置"), max_length=60, blank=True)
    order = models.PositiveSmallIntegerField(_("排序"), default=0)
    active = models.BooleanField(_("启用"), default=True)

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("科室")
        ordering = ["order", "code"]
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="department_one_code")]

    def way_to(self, room: "Room") -> str:
        """门诊楼 4 层 01诊室: the department's own place and the room, a floor that both name said once."""
        told = room.floor and "".join(room.floor.split()) in "".join(self.location.split())
        return " ".join(filter(None, [self.location, "" if told else room.floor, room.name]))


@keeps_history
class Room(models.Model):
    """诊室."""

    campus = models.ForeignKey(Campus, models.PROTECT, related_name="rooms", verbose_name=_("院区"))
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="rooms", verbose_name=_("科室")
    )
    code = models.CharField(_("代码"), max_length=20)
    name = models.CharField(_("名称"), max_length=40)
    floor = models.CharField(_("楼层"), max_length=20, blank=True)
    active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("诊室")
        constraints = [models.UniqueConstraint(fields=["campus", "code"], name="room_one_code")]

    def __str__(self):
        return f"{self.floor} {self.name}".strip()


@keeps_history
class HealthcareService(models.Model):
    """号别: what kind of number a patient takes. `price_code` names the dated price."""

    class Kind(models.TextChoices):
        CLINIC = "clinic", _("门诊")
        TEAM = "team", _("专家团队")
        MDT = "mdt", _("多学科")
        PHARMACY = "pharmacy", _("药学门诊")
        NURSING = "nursing", _("护理门诊")
        ONLINE = "online", _("线上复诊")

    class Level(models.TextChoices):
        GENERAL = "general", _("普通")
        SPECIALTY = "specialty", _("专科")
        ASSOCIATE = "associate", _("副主任医师")
        CHIEF = "chief", _("主任医师")
        TEAM = "team", _("知名专家团队")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="services", verbose_name=_("机构"))
    code = models.CharField(_("代码"), max_length=20)
    name = models.CharField(_("名称"), max_length=40)
    kind = models.CharField(_("类型"), max_length=10, choices=Kind, default=Kind.CLINIC)
    level = models.CharField(_("级别"), max_length=10, choices=Level)
    price_code = models.CharField(_("价目代码"), max_length=20)
    limits_exempt = models.BooleanField(_("不计预约限额"), default=False)  # e.g. antenatal care
    active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("号别")
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="service_one_code")]

    def __str__(self):
        return self.name


@keeps_history
class PriceItem(models.Model):
    """价目, dated: what `code` costs from a day on. Yuan. An appointment copies it when it is booked."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="prices", verbose_name=_("机构"))
    code = models.CharField(_("代码"), max_length=20)
    name = models.CharField(_("名称"), max_length=60)
    amount = models.DecimalField(_("金额（元）"), max_digits=10, decimal_places=2)
    effective_from = models.DateField(_("生效日"))
    effective_to = models.DateField(_("失效日"), null=True, blank=True)  # last day included

    class Meta:
        verbose_name = verbose_name_plural = _("价目")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="price_not_negative"),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=models.F("effective_from")),
                name="price_dates_in_order",
            ),
            ExclusionConstraint(
                name="price_one_at_a_time",
                expressions=[
                    ("organization", RangeOperators.EQUAL),
                    ("code", RangeOperators.EQUAL),
                    (DayRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self):
        return f"{self.name} {self.amount}"
