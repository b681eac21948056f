"""Other systems in the admin (O1): keys, webhooks, what was sent and what failed. A secret is shown once."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import clock, plain
from .admin_site import EditAdmin, LookAdmin
from .errors import Refused
from .integration import signing, targets, webhooks
from .models import ExternalRecord, IntegrationKey, Role, Webhook, WebhookDelivery
from .permissions import has_role


class SecretAdmin(EditAdmin):
    """Rows with a secret that the house draws itself: it is never typed, and never shown a second time."""

    exclude = ("secret",)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.secret = signing.new_secret()
        super().save_model(request, obj, form, change)

    def response_add(self, request, obj, post_url_continue=None):
        return self.show_once(request, obj, obj.secret)

    def show_once(self, request, obj, secret: str):
        """The page itself, no redirect: the secret stands in no cookie, no history and no second answer."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("请现在抄下密钥"),
            "opts": self.opts,
            "object": obj,
            "secret": secret,
        }
        response = TemplateResponse(request, "admin/secret_once.html", context)
        response["Cache-Control"] = "no-store"
        return response


@admin.register(IntegrationKey)
class IntegrationKeyAdmin(SecretAdmin):
    """对接密钥. To change one: make a second, give it to the other side, switch the first off."""

    editors = frozenset({Role.SECADMIN})
    viewers = frozenset({Role.SYSADMIN, Role.AUDITOR})
    list_display = ["system", "organization", "active", "created_at"]
    list_select_related = ["organization"]
    ordering = ["system", "-pk"]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["organization", "system"] if obj else [])]


class WebhookForm(plain.ModelForm):
    topics = forms.MultipleChoiceField(label=_("事件"), widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Webhook
        fields = ["organization", "name", "url", "topics", "active"]
        field_classes = {"url": forms.CharField}  # targets reads it: an inner host needs no dot in its name

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "topics" in self.fields:
            self.fields["topics"].choices = [(topic, topic) for topic in webhooks.topics()]

    def clean_url(self):
        url = self.cleaned_data["url"]
        try:
            targets.addresses(targets.read(url))
        except Refused as refusal:
            raise ValidationError(refusal.in_full) from None
        except OSError:
            raise ValidationError(_("查不到这个主机名。请核对地址，或请系统管理员检查域名解析。")) from None
        return url


@admin.register(Webhook)
class WebhookAdmin(SecretAdmin):
    """事件推送. The receiver may switch it off with 410; what waits stays until it is switched on again."""

    editors = frozenset({Role.SYSADMIN})
    viewers = frozenset({Role.SECADMIN, Role.AUDITOR})
    form = WebhookForm
    list_display = ["name", "organization", "url", "active", "waiting", "failed"]
    list_select_related = ["organization"]
    ordering = ["name"]
    actions = ["new_secret"]

    @admin.display(description=_("待推送"))
    def waiting(self, hook):
        return self._count(hook, WebhookDelivery.Status.WAITING)

    @admin.display(description=_("推送失败"))
    def failed(self, hook):
        return self._count(hook, WebhookDelivery.Status.FAILED)

    @staticmethod
    def _count(hook, status: str) -> int:
        return hook.deliveries.filter(status=status).count()  # a handful of webhooks a house

    @admin.action(description=_("更换密钥（旧密钥立即失效）"), permissions=["change"])
    def new_secret(self, request, hooks):
        if hooks.count() != 1:
            messages.error(request, _("一次只能更换一个推送的密钥。"))
            return None
        hook = hooks.get()
        hook.secret = signing.new_secret()
        hook.save(update_fields=["secret"])
        self._trace(request, "secret_changed", hook, {})
        return self.show_once(request, hook, hook.secret)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LookAdmin):
    """推送记录: what went out, what waits, what was given up."""

    viewers = frozenset({Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR})
    list_display = ["fact_id", "topic", "key", "webhook", "status", "tries", "answered", "next_try_at", "sent_at"]
    list_filter = ["status", "webhook"]
    search_fields = ["=key"]
    list_select_related = ["fact", "webhook"]
    ordering = ["-pk"]
    actions = ["redeliver"]

    @admin.display(description=_("事件"))
    def topic(self, delivery):
        return delivery.fact.topic

    def has_redeliver_permission(self, request) -> bool:
        return has_role(request.user, Role.SYSADMIN)

    @admin.action(description=_("现在推送"), permissions=["redeliver"])
    def redeliver(self, request, deliveries):
        count = webhooks.redeliver(deliveries, now=clock.now())
        EditAdmin._trace(request, "redelivered", deliveries.first(), {"count": count})
        messages.success(
            request, ngettext("%(count)d条已排到最前。", "%(count)d条已排到最前。", count) % {"count": count}
        )


@admin.register(ExternalRecord)
class ExternalRecordAdmin(LookAdmin):
    """外部系统编号: whose number is whom."""

    viewers = frozenset({Role.OFFICE, Role.SYSADMIN, Role.AUDITOR})
    hidden = ("digest", "phone_told")
    list_display = ["system", "kind", "number", "person", "subject", "changed_at"]
    list_filter = ["system", "kind"]
    search_fields = ["=number", "=subject"]
    ordering = ["-pk"]
