"""When: the hospital's calendar and hours, and the one table that keeps a patient out of two places at once."""

from datetime import time

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .history import keeps_history
from .people import Patient
from .places import Campus, DayRange, Organization


class HalfDay(models.TextChoices):
    MORNING = "am", _("上午")
    AFTERNOON = "pm", _("下午")
    EVENING = "ev", _("夜间")


ALL_DAY = "all"
HALF_WORDS = {**dict(HalfDay.choices), ALL_DAY: _("全天")}
FORENOON, AFTER_LUNCH = time(11, 30), time(13)
"""Who begins before the one and ends after the other sees patients in both halves of the day."""

NOON, DUSK = time(12), time(17, 30)


def half_of(half: str, starts: time, ends: time) -> str:
    """What a session of these wall hours is: a half-day, or ALL_DAY. `half` is what it was planned as, by the house's
    hours of that date; own hours may make something else of it (11:00–16:00 is no morning).
    """
    if starts < FORENOON and ends > AFTER_LUNCH:
        return ALL_DAY
    if starts < ends <= NOON:
        return HalfDay.MORNING
    if half == HalfDay.MORNING and starts >= NOON or half == HalfDay.EVENING and starts < ends <= DUSK:
        half = HalfDay.AFTERNOON
    return HalfDay.EVENING if half == HalfDay.AFTERNOON and starts >= DUSK else half


class Weekday(models.IntegerChoices):
    """ISO weekday."""

    MONDAY = 1, _("周一")
    TUESDAY = 2, _("周二")
    WEDNESDAY = 3, _("周三")
    THURSDAY = 4, _("周四")
    FRIDAY = 5, _("周五")
    SATURDAY = 6, _("周六")
    SUNDAY = 7, _("周日")


@keeps_history
class CalendarDay(models.Model):
    """节假日与调休. A make-up workday runs the pattern of the weekday that `follows` names."""

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", _("放假")
        WORKDAY = "workday", _("调休上班")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="calendar", verbose_name=_("机构"))
    day = models.DateField(_("日期"))
    kind = models.CharField(_("类型"), max_length=10, choices=Kind)
    name = models.CharField(_("名称"), max_length=40)
    follows = models.PositiveSmallIntegerField(_("按周几出诊"), choices=Weekday, null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("节假日与调休")
        constraints = [
            models.UniqueConstraint(fields=["organization", "day"], name="calendarday_once"),
            models.CheckConstraint(
                condition=Q(kind="holiday", follows__isnull=True) | Q(kind="workday", follows__range=(1, 7)),
                name="calendarday_workday_follows_a_weekday",
            ),
        ]

    def __str__(self):
        return f"{self.day} {self.name}"


@keeps_history
class HalfDayHours(models.Model):
    """半日时间 (summer/winter), dated, per campus. Wall times of the hospital."""

    campus = models.ForeignKey(Campus, models.CASCADE, related_name="hours", verbose_name=_("院区"))
    half = models.CharField(_("半日"), max_length=2, choices=HalfDay)
    starts = models.TimeField(_("开始"))
    ends = models.TimeField(_("结束"))
    effective_from = models.DateField(_("生效日"))
    effective_to = models.DateField(_("失效日"), null=True, blank=True)  # last day included

    class Meta:
        verbose_name = verbose_name_plural = _("半日时间")
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="halfdayhours_in_order"),
            ExclusionConstraint(
                name="halfdayhours_one_at_a_time",
                expressions=[
                    ("campus", RangeOperators.EQUAL),
                    ("half", RangeOperators.EQUAL),
                    (DayRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self):
        return f"{self.campus} {self.get_half_display()} {self.starts:%H:%M}–{self.ends:%H:%M}"


class PatientTime(models.Model):
    """When a patient is promised to be somewhere. Written with every appointment and exam, so that the
    database refuses two at once across apps. `source` and `source_id` name the row that holds it."""

    patient = models.ForeignKey(Patient, models.CASCADE, db_index=False, related_name="times")
    during = DateTimeRangeField()
    source = models.CharField(max_length=20)
    source_id = models.BigIntegerField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="patienttime_not_in_two_places",
                expressions=[("patient", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
            models.UniqueConstraint(fields=["source", "source_id"], name="patienttime_one_per_source"),
        ]
        # the exclusion's GiST serves a bigint parameter only: a literal in a page's query would read the whole table
        indexes = [models.Index(fields=["patient"], name="patienttime_patient")]
