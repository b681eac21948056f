"""What support staff see of people and places, and the little they may change: accounts, roles, their safety."""

from allauth.mfa.models import Authenticator
from axes.utils import reset
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import (
    admin_integration,  # noqa: F401  keys, webhooks, their records
    admin_privacy,  # noqa: F401  notices, consents, requests
    plain,
)
from .admin_site import EditAdmin, LookAdmin, RecentValues
from .models import (
    AccountPhone,
    AuditEvent,
    CalendarDay,
    Campus,
    CareTeam,
    CareTeamMember,
    Delivery,
    Department,
    Fact,
    HalfDayHours,
    HealthcareService,
    Message,
    Organization,
    Practitioner,
    PractitionerRole,
    PriceItem,
    Role,
    RoleAssignment,
    RolePolicy,
    Room,
    User,
)


@admin.register(User)
class AccountAdmin(EditAdmin, UserAdmin):
    """Accounts of staff. Neither superusers nor single permissions are given here: roles are the only way."""

    editors = frozenset({Role.SYSADMIN})
    viewers = frozenset({Role.SECADMIN, Role.AUDITOR})
    list_display = ["username", "full_name", "is_active", "last_login"]
    list_filter = ["is_active"]
    search_fields = ["username", "full_name"]
    ordering = ["username"]
    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "full_name", "is_active"]}),
        (_("时间"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "full_name", "usable_password", "password1", "password2"]})]
    actions = ["unlock", "remove_second_factor"]

    def get_fields(self, request, obj=None):
        return UserAdmin.get_fields(self, request, obj)

    def get_queryset(self, request):
        return super().get_queryset(request).exclude(is_superuser=True)

    def lookup_allowed(self, lookup, value, request=None):
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    @admin.action(description=_("解除登录锁定"), permissions=["change"])
    def unlock(self, request, accounts):
        for account in accounts:
            reset(username=account.username)
            self._trace(request, "unlocked", account, {})
        messages.success(request, _("已解除锁定。"))

    @admin.action(description=_("停用两步验证（手机遗失）"), permissions=["change"])
    def remove_second_factor(self, request, accounts):
        for account in accounts:
            Authenticator.objects.filter(user=account).delete()
            self._trace(request, "second_factor_removed", account, {})
        messages.success(request, _("已停用。需要两步验证的岗位下次登录时会重新设置。"))


class AssignmentForm(plain.ModelForm):
    """岗位 of somebody else: nobody raises himself."""

    class Meta:
        model = RoleAssignment
        fields = ["user", "role", "organization", "department"]

    def clean(self):
        data = super().clean()
        if data.get("user") == self.request.user:
            raise ValidationError(_("不能给自己分配岗位，请由另一位安全管理员办理。"))
        if AccountPhone.objects.filter(user=data.get("user")).exists():
            raise ValidationError(_("这是用手机号登录的患者账号，不能有岗位。请为这位员工另建一个工作账号。"))
        department = data.get("department")
        if department and department.organization != data.get("organization"):
            raise ValidationError(_("科室不属于所选机构。"))
        return data


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(EditAdmin):
    editors = frozenset({Role.SECADMIN})
    viewers = frozenset({Role.SYSADMIN, Role.AUDITOR})
    removable = True
    form = AssignmentForm
    list_display = ["user", "role", "organization", "department"]
    list_filter = ["role", "organization"]
    list_select_related = ["user", "organization", "department"]
    search_fields = ["user__username", "user__full_name"]
    autocomplete_fields = ["user", "department"]

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.request = request
        return form

    def has_delete_permission(self, request, obj=None):
        own = obj is not None and obj.user_id == request.user.pk
        return super().has_delete_permission(request, obj) and not own


@admin.register(RolePolicy)
class RolePolicyAdmin(EditAdmin):
    editors = frozenset({Role.SECADMIN})
    viewers = frozenset({Role.SYSADMIN, Role.AUDITOR})
    list_display = ["role", "second_factor", "idle_minutes"]


@admin.register(AuditEvent)
class AuditEventAdmin(LookAdmin):
    viewers = frozenset({Role.AUDITOR, Role.SECADMIN})
    list_display = ["at", "actor", "action", "person", "subject", "address"]
    list_filter = [("action", RecentValues)]
    search_fields = ["=subject", "=request_id", "=actor__username", "=patient__medical_number"]
    list_select_related = ["actor", "patient"]
    date_hierarchy = "at"
    ordering = ["-at", "-pk"]


@admin.register(Fact)
class FactAdmin(LookAdmin):
    list_display = ["id", "happened_at", "topic", "key", "actor", "fanned_out"]
    search_fields = ["=key"]
    list_filter = [("topic", RecentValues), "fanned_out"]
    list_select_related = ["actor"]
    ordering = ["-id"]


@admin.register(Delivery)
class DeliveryAdmin(LookAdmin):
    list_display = ["fact", "handler", "key", "done_at", "next_try_at", "tries", "last_error"]
    search_fields = ["=key", "=handler"]
    list_select_related = ["fact"]
    ordering = ["-id"]


@admin.register(Message)
class MessageAdmin(LookAdmin):
    """Whether a message went out, not what it said: its words name people."""

    hidden = ("params",)
    list_display = ["created_at", "person", "channel", "template", "status", "sent_at", "tries"]
    list_filter = ["status", "channel", "template"]
    search_fields = ["=about"]
    ordering = ["-id"]


class PlaceAdmin(LookAdmin):
    """Master data comes from the hospital's workbook; here it is only looked up."""

    search_fields = ["name", "code", "pinyin", "initials"]
    list_display = ["code", "name", "active"]
    ordering = ["code"]


@admin.register(Organization)
class OrganizationAdmin(PlaceAdmin):
    list_display = ["code", "name", "kind", "parent", "active"]
    list_select_related = ["parent"]


@admin.register(Campus, CareTeam)
class OrganizedAdmin(PlaceAdmin):
    list_display = ["code", "name", "organization", "active"]
    list_select_related = ["organization"]


@admin.register(Department)
class DepartmentAdmin(OrganizedAdmin):
    list_display = ["code", "name", "organization", "campus", "group", "active"]
    list_select_related = ["organization", "campus"]
    list_filter = ["organization", "group"]
    ordering = ["organization", "order", "code"]


@admin.register(Practitioner)
class PractitionerAdmin(PlaceAdmin):
    list_display = ["code", "name", "title", "organization", "active"]
    list_select_related = ["organization"]


@admin.register(Room)
class RoomAdmin(PlaceAdmin):
    search_fields = ["name", "code"]
    list_display = ["code", "name", "floor", "campus", "active"]
    list_select_related = ["campus"]


@admin.register(HealthcareService)
class ServiceAdmin(PlaceAdmin):
    search_fields = ["name", "code"]
    list_display = ["code", "name", "kind", "level", "price_code", "active"]


@admin.register(PriceItem)
class PriceAdmin(LookAdmin):
    list_display = ["code", "name", "amount", "organization", "effective_from", "effective_to"]
    list_select_related = ["organization"]
    ordering = ["code", "effective_from"]


@admin.register(PractitionerRole)
class PractitionerRoleAdmin(LookAdmin):
    list_display = ["practitioner", "department", "service", "active"]
    list_select_related = ["practitioner", "department", "service"]
    search_fields = ["practitioner__name", "practitioner__initials", "department__name"]


@admin.register(CareTeamMember)
class CareTeamMemberAdmin(LookAdmin):
    list_display = ["team", "role", "leader", "active"]
    list_select_related = ["team", "role__practitioner", "role__department"]


@admin.register(CalendarDay)
class CalendarDayAdmin(LookAdmin):
    list_display = ["day", "kind", "name", "follows", "organization"]
    list_select_related = ["organization"]
    ordering = ["-day"]


@admin.register(HalfDayHours)
class HalfDayHoursAdmin(LookAdmin):
    list_display = ["campus", "half", "starts", "ends", "effective_from", "effective_to"]
    list_select_related = ["campus"]
