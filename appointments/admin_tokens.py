"""Tokens of programs, in the admin: the security administrator issues and revokes them. Here and not on the ground
floor, because a token's channel is one of the heart's channels."""

from datetime import timedelta

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from hospital import clock, plain
from hospital.admin_site import EditAdmin
from hospital.models import ApiToken, Role
from hospital.permissions import is_patient_account

from .models.rules import Channel

LONGEST = timedelta(days=400)
"""A token that nobody renews within a year and a month is one that nobody looks after."""


class TokenForm(plain.ModelForm):
    channel = forms.ChoiceField(label=_("渠道"), choices=Channel)
    scopes = forms.MultipleChoiceField(label=_("权限"), choices=ApiToken.Scope, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiToken
        fields = ["name", "user", "channel", "scopes", "organization", "system", "expires_at"]

    def _get_validation_exclusions(self):
        """A constraint with a condition can't be asked when the condition's own field is wrong."""
        left_out = super()._get_validation_exclusions()
        return left_out | {"system"} if "scopes" in left_out else left_out

    def clean_expires_at(self):
        until, now = self.cleaned_data["expires_at"], clock.now()
        if not now < until <= now + LONGEST:
            raise ValidationError(_("到期时间须在今后%(days)d天内。"), params={"days": LONGEST.days})
        return until

    def clean_user(self):
        user = self.cleaned_data["user"]
        if not user.is_active or user.is_superuser:
            raise ValidationError(_("请选一个在用的普通账号。"))
        return user

    def clean(self):
        data = super().clean()
        scopes = data.get("scopes", [])
        if ApiToken.Scope.INTEGRATE in scopes and not (data.get("organization") and data.get("system")):
            raise ValidationError(_("与院内系统互通的令牌要写明机构和对方系统。"))
        if data.get("channel") == Channel.PARTNER and "organization" in data and not data["organization"]:
            self.add_error("organization", _("下级机构的令牌要写明是哪家机构：它的号池由机构决定。"))
        if ApiToken.Scope.REFER in scopes and "organization" in data and not data["organization"]:
            self.add_error("organization", _("转诊的令牌要写明是哪家机构：它只看得到这家机构的转诊单。"))
        if ApiToken.Scope.BOOK_ANYONE in scopes and "user" in data and is_patient_account(data["user"]):
            raise ValidationError(_("患者账号的令牌只能为本账号的就诊人预约。"))
        return data


@admin.register(ApiToken)
class ApiTokenAdmin(EditAdmin):
    """Issued once, shown once, then only looked at and revoked."""

    editors = frozenset({Role.SECADMIN})
    viewers = frozenset({Role.SYSADMIN, Role.AUDITOR})
    hidden = ("digest",)
    form = TokenForm
    list_display = ["name", "user", "channel", "scopes", "organization", "system", "expires_at", "revoked_at"]
    list_select_related = ["user", "organization"]
    list_filter = ["channel"]
    search_fields = ["name", "=user__username", "=system"]
    autocomplete_fields = ["user"]
    ordering = ["-id"]
    actions = ["revoke"]

    def get_fields(self, request, obj=None):
        return [*TokenForm.Meta.fields, *(["created_at", "revoked_at"] if obj else [])]

    def get_readonly_fields(self, request, obj=None):
        return self.get_fields(request, obj) if obj else []

    def save_model(self, request, obj, form, change):
        if not change:
            request.issued_secret = obj.new_secret()
            super().save_model(request, obj, form, change)

    def response_add(self, request, obj, post_url_continue=None):
        """The secret stands on this one page: no cookie, session or log holds it."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("令牌已签发"),
            "opts": self.opts,
            "token": obj,
            "secret": request.issued_secret,
        }
        return TemplateResponse(request, "admin/token_issued.html", context)

    @admin.action(description=_("吊销（立即失效，不能恢复）"), permissions=["change"])
    def revoke(self, request, tokens):
        for token in tokens.filter(revoked_at=None):
            token.revoked_at = clock.now()
            token.save(update_fields=["revoked_at"])
            self._trace(request, "revoked", token, {})
        messages.success(request, _("已吊销。"))
