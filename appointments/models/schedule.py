"""Who sees patients, where and when: weekly templates, and the dated half-days laid out from them."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, IntegerRangeField, RangeOperators
from django.db import models
from django.db.models import Case, Deferrable, F, Func, Q, Value, When
from django.utils.translation import gettext_lazy as _

from hospital import clock
from hospital.models import (
    Campus,
    CareTeam,
    Department,
    HalfDay,
    HealthcareService,
    Organization,
    Practitioner,
    PractitionerRole,
    Room,
)
from hospital.models.history import keeps_history
from hospital.models.places import DayRange
from hospital.models.time import HALF_WORDS, Weekday, half_of


def _weeks(first: int, last: int) -> Func:
    return Func(Value(first), Value(last), function="int4range", output_field=IntegerRangeField())


def _not_twice(what: str, name: str) -> ExclusionConstraint:
    """One pattern a half-day for a doctor's role or a room: odd and even weeks do not meet. Own hours are compared by
    policies.template. Deferred: an import may swap two rooms."""
    weeks = Case(When(parity="odd", then=_weeks(1, 2)), When(parity="even", then=_weeks(2, 3)), default=_weeks(1, 3))
    return ExclusionConstraint(
        name=name,
        expressions=[
            (what, RangeOperators.EQUAL),
            ("weekday", RangeOperators.EQUAL),
            ("half", RangeOperators.EQUAL),
            (weeks, RangeOperators.OVERLAPS),
            (DayRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
        ],
        condition=Q(active=True, starts__isnull=True),
        deferrable=Deferrable.DEFERRED,
    )


@keeps_history
class ScheduleTemplate(models.Model):
    """出诊模板: one weekly half-day of a doctor, a team, or a plain clinic (neither: whoever is on duty).

    `starts`/`ends` only for own hours; else the campus's half-day hours of the date hold.
    """

    class Parity(models.TextChoices):
        EVERY = "every", _("每周")
        ODD = "odd", _("单周")
        EVEN = "even", _("双周")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="templates", verbose_name=_("机构"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="templates", verbose_name=_("科室"))
    service = models.ForeignKey(HealthcareService, models.PROTECT, related_name="templates", verbose_name=_("号别"))
    role = models.ForeignKey(
        PractitionerRole, models.PROTECT, null=True, blank=True, related_name="templates", verbose_name=_("医生")
    )
    team = models.ForeignKey(
        CareTeam, models.PROTECT, null=True, blank=True, related_name="templates", verbose_name=_("团队")
    )
    room = models.ForeignKey(Room, models.PROTECT, related_name="templates", verbose_name=_("诊室"))
    weekday = models.PositiveSmallIntegerField(_("周几"), choices=Weekday)
    half = models.CharField(_("半日"), max_length=2, choices=HalfDay)
    starts = models.TimeField(_("开始"), null=True, blank=True)
    ends = models.TimeField(_("结束"), null=True, blank=True)
    numbers = models.PositiveSmallIntegerField(_("号数"))
    minutes = models.PositiveSmallIntegerField(
        _("每号分钟"), null=True, blank=True
    )  # empty: the half-day in equal parts
    parity = models.CharField(_("单双周"), max_length=5, choices=Parity, default=Parity.EVERY)
    effective_from = models.DateField(_("生效日"))
    effective_to = models.DateField(_("失效日"), null=True, blank=True)  # last day included
    active = models.BooleanField(_("启用"), default=True)
    # what the nightly job goes on laying out: a new or changed pattern waits until a draft with it was published
    published_at = models.DateTimeField(_("发布时间"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("出诊模板")
        constraints = [
            models.CheckConstraint(condition=Q(numbers__range=(1, 300)), name="template_sensible_count"),
            models.CheckConstraint(
                condition=Q(minutes__isnull=True) | Q(minutes__range=(1, 480)), name="template_sensible_minutes"
            ),
            models.CheckConstraint(condition=Q(weekday__range=(1, 7)), name="template_weekday"),
            models.CheckConstraint(condition=Q(role__isnull=True) | Q(team__isnull=True), name="template_one_actor"),
            models.CheckConstraint(
                condition=Q(starts__isnull=True, ends__isnull=True) | Q(ends__gt=F("starts")),
                name="template_hours_in_order",
            ),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="template_dates_in_order",
            ),
            models.UniqueConstraint(
                fields=["department", "service", "role", "team", "room", "weekday", "half", "parity", "effective_from"],
                nulls_distinct=False,
                name="template_once",
            ),
            _not_twice("role", "template_doctor_once_a_half_day"),
            _not_twice("room", "template_room_once_a_half_day"),
        ]

    def __str__(self):
        return f"{self.actor_name} {self.get_weekday_display()}{self.get_half_display()}"

    def get_half_display(self) -> str:
        """By its own hours, where it has some."""
        own = self.starts is not None and self.ends is not None
        return str(HALF_WORDS[half_of(self.half, self.starts, self.ends) if own else self.half])

    @property
    def actor_name(self) -> str:
        return str(self.role.practitioner if self.role_id else self.team or self.service)


@keeps_history
class Schedule(models.Model):
    """出诊单元: one actor, one half-day (or own hours), one department, `day` in the hospital's zone.

    `gate_team` marks a leading expert's own numbers: only that team's internal referral opens them (B11).
    """

    class Status(models.TextChoices):
        OPEN = "open", _("开诊")
        STOPPED = "stopped", _("停诊")

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="schedules")
    campus = models.ForeignKey(Campus, models.PROTECT, db_index=False, related_name="schedules")
    department = models.ForeignKey(Department, models.PROTECT, db_index=False, related_name="schedules")
    service = models.ForeignKey(HealthcareService, models.PROTECT, db_index=False, related_name="schedules")
    role = models.ForeignKey(PractitionerRole, models.PROTECT, null=True, db_index=False, related_name="schedules")
    team = models.ForeignKey(CareTeam, models.PROTECT, null=True, blank=True, related_name="schedules")
    gate_team = models.ForeignKey(CareTeam, models.PROTECT, null=True, blank=True, related_name="gated_schedules")
    room = models.ForeignKey(Room, models.PROTECT, db_index=False, related_name="schedules")
    template = models.ForeignKey(ScheduleTemplate, models.SET_NULL, null=True, blank=True, related_name="schedules")
    day = models.DateField(_("就诊日"))
    half = models.CharField(_("半日"), max_length=2, choices=HalfDay)
    starts_at = models.DateTimeField(_("开始"))
    ends_at = models.DateTimeField(_("结束"))
    capacity = models.PositiveSmallIntegerField(_("号数"))  # without add-on numbers
    minutes = models.PositiveSmallIntegerField(_("每号分钟"), null=True, blank=True)  # empty: equal parts
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.OPEN)
    stop_reason = models.CharField(_("停诊原因"), max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("出诊单元")
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="schedule_hours_in_order"),
            models.CheckConstraint(condition=Q(role__isnull=True) | Q(team__isnull=True), name="schedule_one_actor"),
            models.UniqueConstraint(fields=["template", "day"], name="schedule_once_per_template_and_day"),
        ]
        indexes = [
            models.Index(fields=["department", "day"], name="schedule_department_day"),
            models.Index(fields=["role", "day"], name="schedule_role_day"),
            models.Index(fields=["day"], name="schedule_day"),
        ]

    def __str__(self):
        return f"{self.actor_name} {self.day} {self.get_half_display()}"

    def get_half_display(self) -> str:
        """By its hours: on every page and in every message a session is called what it is."""
        return str(HALF_WORDS[self.half_by_hours])

    @property
    def half_by_hours(self) -> str:
        return session_half(self)

    @property
    def actor_name(self) -> str:
        """Who is booked: the doctor, the team, or the plain clinic's service."""
        return str(self.role.practitioner if self.role_id else self.team or self.service)


def session_half(row) -> str:
    """What a session is, by its hours. `row` has half, starts_at and ends_at: a Schedule or some columns of one."""
    return half_of(row.half, *(moment.astimezone(clock.ZONE).time() for moment in (row.starts_at, row.ends_at)))


class ScheduleParticipant(models.Model):
    """Who sits where during a schedule. A doctor is never in two rooms, a room never has two clinics.

    A plain clinic has a row per room without a doctor; a team has a row per member; a joint clinic one per doctor.
    `active` is false once the schedule is stopped or the doctor was substituted.
    """

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="participants")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, null=True, related_name="sittings")
    room = models.ForeignKey(Room, models.PROTECT, null=True, related_name="sittings")
    during = DateTimeRangeField()
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="a_doctor_is_in_one_place",
                expressions=[("practitioner", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(active=True),
            ),
            ExclusionConstraint(
                name="a_room_has_one_clinic",
                expressions=[("room", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(active=True),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(  # P12: policies.contract says the same before, with a sentence
                name="within_contract",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("practitioner_id", "active"),
                condition=pgtrigger.Q(new__practitioner__isnull=False, new__active=True),
                declare=[("house", "bigint"), ("sits_on", "date"), ("home", "bigint")],
                func="""
                    SELECT s.organization_id, s.day INTO house, sits_on
                      FROM appointments_schedule s WHERE s.id = NEW.schedule_id;
                    SELECT p.organization_id INTO home FROM hospital_practitioner p WHERE p.id = NEW.practitioner_id;
                    IF home = house AND NOT EXISTS (SELECT 1 FROM hospital_contract c
                        WHERE c.practitioner_id = NEW.practitioner_id AND c.organization_id = house) THEN
                        RETURN NEW;
                    END IF;
                    IF NOT EXISTS (SELECT 1 FROM hospital_contract c
                        WHERE c.practitioner_id = NEW.practitioner_id AND c.organization_id = house
                          AND daterange(c.effective_from, c.effective_to, '[]') @> sits_on) THEN
                        RAISE EXCEPTION 'the doctor has no contract there on that day'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'doctor_within_contract';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]
