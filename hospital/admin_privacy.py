"""Accounts of patients, notices, consents and requests in the admin: who answers, who only looks (O4)."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import clock, personal_data, plain
from .admin_site import EditAdmin, LookAdmin
from .family_forms import DecisionForm
from .models import AccountRule, Consent, DataRequest, Notice, RelatedPerson, RetentionRule, Role
from .permissions import may_decide_on

SECURITY = frozenset({Role.SECADMIN})


@admin.register(AccountRule)
class AccountRuleAdmin(EditAdmin):
    """患者账号规则: the security administrator's, dated; a row that has begun is replaced by a later one."""

    editors = SECURITY
    viewers = frozenset({Role.OFFICE, Role.AUDITOR, Role.SYSADMIN})
    list_display = ["effective_from", "family_limit", "guarded_until", "binding_tries", "additions", "session_days"]
    ordering = ["-effective_from"]


@admin.register(RetentionRule)
class RetentionRuleAdmin(EditAdmin):
    """保存期限. PostgreSQL refuses less than the law's least times."""

    editors = SECURITY
    viewers = frozenset({Role.OFFICE, Role.AUDITOR, Role.SYSADMIN})
    list_display = ["subject", "days", "source"]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["subject"] if obj else [])]


class NoticeForm(plain.ModelForm):
    """A new version: the next number, and nobody was asked in the past."""

    class Meta:
        model = Notice
        fields = ["kind", "title", "title_en", "text", "text_en", "published_on"]
        widgets = {"text": forms.Textarea(attrs={"rows": 24}), "text_en": forms.Textarea(attrs={"rows": 24})}

    def clean_published_on(self):
        day = self.cleaned_data["published_on"]
        if day < clock.today(clock.now()):
            raise ValidationError(_("公布日不能早于今天。"))
        return day


@admin.register(Notice)
class NoticeAdmin(EditAdmin):
    """告知书: published once, never edited; everybody is asked again on the day of a new version."""

    editors = SECURITY
    viewers = frozenset({Role.OFFICE, Role.AUDITOR, Role.SYSADMIN})
    form = NoticeForm
    list_display = ["kind", "version", "title", "published_on"]
    list_filter = ["kind"]
    ordering = ["kind", "-version"]

    def has_change_permission(self, request, obj=None):
        return False

    def get_fields(self, request, obj=None):
        fields = super().get_fields(request, obj)
        return ["version", *fields] if obj else fields

    def save_model(self, request, obj, form, change):
        last = Notice.objects.filter(kind=obj.kind).order_by("-version").values_list("version", flat=True).first()
        obj.version = (last or 0) + 1
        super().save_model(request, obj, form, change)


@admin.register(Consent)
class ConsentAdmin(LookAdmin):
    viewers = frozenset({Role.AUDITOR, Role.SECADMIN})
    list_display = ["given_at", "account", "notice", "person", "withdrawn_at"]
    list_filter = ["notice__kind"]
    list_select_related = ["account", "notice", "patient"]
    search_fields = ["=account__username", "=patient__medical_number"]
    ordering = ["-given_at", "-pk"]


@admin.register(RelatedPerson)
class RelatedPersonAdmin(LookAdmin):
    viewers = frozenset({Role.OFFICE, Role.AUDITOR, Role.SECADMIN})
    list_display = ["since", "account", "person", "relation", "guardian", "proof", "ended_at"]
    list_filter = ["relation", "proof"]
    list_select_related = ["account", "patient"]
    search_fields = ["=account__username", "=patient__medical_number"]
    ordering = ["-since", "-pk"]


@admin.register(DataRequest)
class DataRequestAdmin(LookAdmin):
    """个人信息请求: erasure is the security administrator's to answer, correction the office's (personal_data)."""

    editors = frozenset({Role.SECADMIN, Role.OFFICE})
    viewers = frozenset({Role.AUDITOR})
    form = DecisionForm
    list_display = ["asked_at", "kind", "account", "person", "status", "decided_at", "decided_by"]
    list_filter = ["status", "kind"]
    list_select_related = ["account", "patient", "decided_by"]
    search_fields = ["=account__username", "=patient__medical_number"]
    ordering = ["status", "asked_at", "pk"]

    TOLD = ("kind", "account", "person", "text", "asked_at", "status", "still_booked")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        if obj is None:
            return super().has_change_permission(request)
        return obj.status == DataRequest.Status.ASKED and may_decide_on(request.user, obj.kind)

    def get_fields(self, request, obj=None):
        decided = () if self.has_change_permission(request, obj) else ("decided_at", "decided_by")
        asked = ("decision",) if self.has_change_permission(request, obj) else ()
        return [*self.TOLD, *asked, *decided, "answer"]

    def get_readonly_fields(self, request, obj=None):
        return [*self.TOLD, "decided_at", "decided_by"]

    @admin.display(description=_("还没就诊的预约"))
    def still_booked(self, row):
        people = RelatedPerson.objects.filter(account=row.account_id, ended_at=None).values_list("patient", flat=True)
        return "\n".join(personal_data.ahead_of(people, now=clock.now())) or "–"

    def save_model(self, request, obj, form, change):
        agreed = form.cleaned_data["decision"] == "agree"
        answer = form.cleaned_data["answer"]
        personal_data.decide(row=obj, agreed=agreed, answer=answer, by=request.user, now=clock.now(), request=request)
        messages.success(request, _("已处理，结果已发给申请人。"))

    def log_change(self, request, obj, message):
        """The trail has it."""
