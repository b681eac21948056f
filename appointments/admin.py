"""What support staff see of numbers and bookings. Nothing here changes a number: only the services do.

Rules are written on the office's own pages, as dated rows that decide nothing of the past: here they are only read.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from hospital.admin_site import LookAdmin

from . import admin_tokens  # noqa: F401  keys of programs
from .models import (
    Allotment,
    Appointment,
    BookingRule,
    ChannelRule,
    ConsultLevelRule,
    Encounter,
    NoShow,
    PatientSuspension,
    Pool,
    Schedule,
    ScheduleTemplate,
    Slot,
    SupplyRule,
    SupplyShare,
    TeamReferral,
)


@admin.register(Schedule)
class ScheduleAdmin(LookAdmin):
    list_display = ["day", "half", "department", "actor_name", "service", "room", "status"]
    list_filter = ["day", "status", "half", "organization"]
    list_select_related = ["department", "service", "room", "role__practitioner", "team"]
    search_fields = ["department__name", "role__practitioner__name", "role__practitioner__initials", "team__name"]
    ordering = ["-day", "half"]


@admin.register(ScheduleTemplate)
class ScheduleTemplateAdmin(LookAdmin):
    list_display = ["department", "actor_name", "weekday", "half", "numbers", "effective_from", "active"]
    list_select_related = ["department", "service", "role__practitioner", "team"]
    list_filter = ["weekday", "half", "active"]
    search_fields = ["department__name", "role__practitioner__name", "team__name"]


@admin.register(Slot)
class SlotAdmin(LookAdmin):
    list_display = ["id", "schedule", "number", "start", "minutes", "pool", "status", "hold_until"]
    list_select_related = ["schedule__role__practitioner", "schedule__team", "schedule__service", "pool"]
    list_filter = ["status"]
    search_fields = ["=schedule__id"]
    search_help_text = _("出诊单元编号")
    ordering = ["-id"]


@admin.register(Pool)
class PoolAdmin(LookAdmin):
    list_display = ["name", "kind", "organization", "partner"]
    list_select_related = ["organization", "partner"]


@admin.register(Allotment)
class AllotmentAdmin(LookAdmin):
    list_display = ["schedule", "pool", "day", "opens_at", "shared_from", "moved_at"]
    list_select_related = ["schedule__role__practitioner", "schedule__team", "schedule__service", "pool"]
    search_fields = ["=schedule__id"]
    search_help_text = _("出诊单元编号")
    ordering = ["-id"]


@admin.register(Appointment)
class AppointmentAdmin(LookAdmin):
    list_display = ["id", "day", "start", "person", "department", "channel", "status", "extra"]
    list_filter = ["status", "channel", "extra"]
    list_select_related = ["patient", "department"]
    search_fields = ["=id", "=patient__medical_number", "=schedule__id"]
    search_help_text = _("预约编号、门诊号或出诊单元编号")
    ordering = ["-id"]


@admin.register(Encounter)
class EncounterAdmin(LookAdmin):
    list_display = ["id", "checked_in_at", "person", "department", "status", "called_at", "started_at", "finished_at"]
    list_filter = ["status"]
    list_select_related = ["patient", "department"]
    search_fields = ["=appointment__id", "=patient__medical_number"]
    ordering = ["-id"]


@admin.register(NoShow)
class NoShowAdmin(LookAdmin):
    list_display = ["day", "person", "marked_at", "excused_at"]
    ordering = ["-day"]


@admin.register(PatientSuspension)
class PatientSuspensionAdmin(LookAdmin):
    list_display = ["person", "starts_at", "ends_at", "reason", "lifted_at"]
    ordering = ["-starts_at"]


@admin.register(TeamReferral)
class TeamReferralAdmin(LookAdmin):
    """Why a patient was referred is medical: it is not for support staff."""

    hidden = ("reason",)
    list_display = ["created_at", "person", "team", "by", "valid_until"]
    list_select_related = ["team", "by"]
    ordering = ["-id"]


class SupplyShareInline(admin.TabularInline):
    model = SupplyShare
    extra = 0
    can_delete = False

    def has_view_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class ScopedRuleAdmin(LookAdmin):
    list_display = ["__str__", "organization", "department", "service", "role", "effective_from", "effective_to"]
    list_select_related = ["organization", "department", "service", "role__practitioner", "role__department"]
    list_filter = ["organization"]
    ordering = ["organization", "-effective_from"]


@admin.register(SupplyRule)
class SupplyRuleAdmin(ScopedRuleAdmin):
    inlines = [SupplyShareInline]


@admin.register(BookingRule)
class BookingRuleAdmin(ScopedRuleAdmin):
    pass


@admin.register(ConsultLevelRule)
class ConsultLevelRuleAdmin(LookAdmin):
    list_display = ["organization", "levels", "effective_from", "effective_to"]
    list_select_related = ["organization"]


@admin.register(ChannelRule)
class ChannelRuleAdmin(LookAdmin):
    list_display = ["organization", "channel", "kinds", "effective_from", "effective_to"]
    list_select_related = ["organization"]
