"""The admin shows exams' facts and edits none of them: requests, bookings and reports change through services.

What was answered, why somebody is examined and what was found is medical: it is not for support staff, so it has no
column here.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from hospital.admin_site import LookAdmin

from .models import (
    CriticalNotice,
    DeviceSession,
    DiagnosticReport,
    Downtime,
    DowntimeCase,
    ExamBooking,
    ExamNoShow,
    ExamPlan,
    ExamRequest,
    ExamRule,
    OrderingRule,
    Preparation,
    RepeatCheck,
    ReportAccess,
    ReportVersion,
    ScreeningQuestion,
)

EXAM = "variant__item"


@admin.register(ExamRequest)
class ExamRequestAdmin(LookAdmin):
    hidden = ("answers", "reason", "note", "cleared_note")
    list_display = ["id", "asked_at", "person", "variant", "priority", "inpatient", "status", "wanted_by"]
    list_filter = ["status", "priority", "inpatient"]
    list_select_related = ["patient", EXAM]
    search_fields = ["=id", "=patient__medical_number"]
    search_help_text = _("申请编号或门诊号")
    ordering = ["-id"]


@admin.register(ExamBooking)
class ExamBookingAdmin(LookAdmin):
    hidden = ("answers", "note", "override")
    list_display = ["id", "day", "person", "variant", "device", "channel", "status", "holds"]
    list_filter = ["status", "channel", "walk_in"]
    list_select_related = ["patient", EXAM, "device"]
    search_fields = ["=id", "=patient__medical_number", "=request__id"]
    search_help_text = _("预约编号、门诊号或申请编号")
    ordering = ["-id"]


@admin.register(ExamPlan)
class ExamPlanAdmin(LookAdmin):
    list_display = ["id", "created_at", "person", "channel", "exams", "trips", "minutes", "first_come_trips"]
    list_filter = ["channel"]
    list_select_related = ["patient"]
    search_fields = ["=id", "=patient__medical_number"]
    ordering = ["-id"]


@admin.register(ExamNoShow)
class ExamNoShowAdmin(LookAdmin):
    list_display = ["day", "person", "marked_at", "excused_at"]
    list_select_related = ["patient"]
    ordering = ["-day", "-id"]


@admin.register(RepeatCheck)
class RepeatCheckAdmin(LookAdmin):
    hidden = ("reason",)
    list_display = ["at", "person", "variant", "outcome", "by"]
    list_filter = ["outcome"]
    list_select_related = ["patient", EXAM, "by"]
    ordering = ["-id"]


@admin.register(DiagnosticReport)
class DiagnosticReportAdmin(LookAdmin):
    list_display = ["id", "performed_at", "person", "variant", "organization", "status", "released_at"]
    list_filter = ["status"]
    list_select_related = ["patient", EXAM, "organization"]
    search_fields = ["=id", "=patient__medical_number", "=booking__id"]
    ordering = ["-id"]


@admin.register(ReportVersion)
class ReportVersionAdmin(LookAdmin):
    hidden = ("findings", "conclusion", "measurements", "file", "file_digest", "reason")
    list_display = ["id", "report_id", "number", "critical", "by", "written_at", "released_by", "released_at"]
    list_filter = ["critical"]
    list_select_related = ["by", "released_by"]
    search_fields = ["=id", "=report__id"]
    ordering = ["-id"]


@admin.register(ReportAccess)
class ReportAccessAdmin(LookAdmin):
    """Who read which version, and which way."""

    list_display = ["at", "version_id", "way", "user", "file"]
    list_filter = ["way", "file"]
    list_select_related = ["user"]
    search_fields = ["=version__id"]
    ordering = ["-id"]


@admin.register(CriticalNotice)
class CriticalNoticeAdmin(LookAdmin):
    hidden = ("note",)
    list_display = ["told_at", "version_id", "doctor", "due_at", "escalated_at", "acknowledged_at", "acknowledged_by"]
    list_select_related = ["doctor", "acknowledged_by"]
    ordering = ["-id"]


@admin.register(DeviceSession)
class DeviceSessionAdmin(LookAdmin):
    list_display = ["day", "device", "during", "opens_at", "closed"]
    list_filter = ["closed"]
    list_select_related = ["device"]
    search_fields = ["=id", "=device__id"]
    ordering = ["-day", "device"]


@admin.register(Downtime)
class DowntimeAdmin(LookAdmin):
    list_display = ["created_at", "device", "during", "cause", "stands", "by", "ended_at"]
    list_filter = ["cause", "stands"]
    list_select_related = ["device", "by"]
    ordering = ["-id"]


@admin.register(DowntimeCase)
class DowntimeCaseAdmin(LookAdmin):
    hidden = ("token_hash",)
    list_display = ["opened_at", "person", "downtime_id", "booking_id", "deadline", "answer", "answered_at"]
    list_filter = ["answer"]
    list_select_related = ["patient"]
    ordering = ["-id"]


class SignedAdmin(LookAdmin):
    """Versions, those in force and the others; they are written and approved on the office's own pages."""

    list_display = ["id", "__str__", "organization", "approved_by", "approved_at", "retired_at"]
    list_select_related = ["organization", "approved_by"]
    ordering = ["-id"]


admin.site.register(Preparation, SignedAdmin)
admin.site.register(OrderingRule, SignedAdmin)
admin.site.register(ScreeningQuestion, SignedAdmin)


@admin.register(ExamRule)
class ExamRuleAdmin(LookAdmin):
    list_display = ["organization", "effective_from", "effective_to", "segment_minutes", "horizon_days"]
    list_select_related = ["organization"]
    ordering = ["organization", "-effective_from"]
