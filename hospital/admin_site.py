"""Django's admin for support staff: our own sign-in, lock-out and second factor, and roles instead of is_staff.

What is registered may be looked at; little may be changed, and each change is in the trail and in the history.
"""

from allauth.account.adapter import get_adapter
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models import BigIntegerField, IntegerField, Q
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from pghistory.core import event_models

from . import audit, clock, masking
from .errors import NotAllowed
from .fields import EncryptedTextField
from .models import User
from .permissions import ADMIN_ROLES, has_role, may_open_the_admin


class HospitalAdminSite(admin.AdminSite):
    site_header = _("预约诊疗后台")
    site_title = _("后台")
    index_title = _("查看与设置")

    def register(self, model_or_iterable, admin_class=None, **options):
        """Libraries get no room here: groups, mail addresses and second-factor secrets are nobody's to look at."""
        if admin_class is not None and issubclass(admin_class, LookAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request) -> bool:
        return may_open_the_admin(request.user)

    def login(self, request, extra_context=None):
        """There is one sign-in page. Who is in already but has no such role hears so."""
        if request.user.is_authenticated:
            raise NotAllowed
        return redirect_to_login(request.GET.get("next") or "/admin/")

    def logout(self, request, extra_context=None):
        if request.method != "POST":
            return redirect("account_logout")  # asks first: a link signs nobody out
        get_adapter(request).logout(request)
        return redirect("account_login")

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")


class CappedPaginator(Paginator):
    """Counts to ten thousand and stops: nobody leafs further through a million numbers, they filter."""

    MOST = 10_000

    @cached_property
    def count(self):
        return self.object_list[: self.MOST].count()


class RecentValues(admin.AllValuesFieldListFilter):
    """What the newest rows hold: asking a table of millions for all the values of a column takes a second."""

    NEWEST = 20_000

    def __init__(self, field, request, params, model, model_admin, field_path):
        super().__init__(field, request, params, model, model_admin, field_path)
        newest = model._default_manager.order_by("-pk").values_list(field.name, flat=True)
        self.lookup_choices = sorted(set(newest[: self.NEWEST]))


class LookAdmin(admin.ModelAdmin):
    """Rows to look at, for these roles. A patient is shown masked, and opening one's row leaves a trace."""

    viewers = ADMIN_ROLES
    editors: frozenset[str] = frozenset()
    removable = False
    actions = None
    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50
    hidden: tuple[str, ...] = ()  # columns that are not shown at all

    def has_view_permission(self, request, obj=None):
        return has_role(request.user, *self.viewers, *self.editors)

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def has_add_permission(self, request):
        return has_role(request.user, *self.editors)

    def has_change_permission(self, request, obj=None):
        return has_role(request.user, *self.editors)

    def has_delete_permission(self, request, obj=None):
        return self.removable and has_role(request.user, *self.editors)

    def get_fields(self, request, obj=None):
        names = [name for name in super().get_fields(request, obj) if name not in self.hidden]
        return ["person" if name == "patient" else name for name in names]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["person"] if self._has_patient() else [])]

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        if not self._has_patient():
            return rows
        also = self.list_select_related  # Django leaves it out for a queryset that follows relations already
        return rows.select_related("patient", *(also if isinstance(also, (list, tuple)) else ()))

    def get_search_results(self, request, queryset, search_term):
        """Where all fields are asked for exactly (=), by values that an index knows: Django's own way compares
        UPPER(number::text), which reads a table of millions from end to end."""
        names = self.get_search_fields(request)
        if not search_term or not all(name.startswith("=") for name in names):
            return super().get_search_results(request, queryset, search_term)
        for word in search_term.split():
            either = Q(pk__in=[])
            for name in names:
                either |= self._exactly(name.removeprefix("="), word)
            queryset = queryset.filter(either)
        return queryset, False

    def _exactly(self, path: str, word: str) -> Q:
        """`id`, `key`, `schedule__id`, `patient__medical_number`. A relation is looked up first, by itself."""
        name, _, rest = path.partition("__")
        field = self.opts.get_field(name)
        forms = [word, word.upper(), word.lower()]
        if rest and rest != "id":
            related = field.related_model._default_manager.filter(**{f"{rest}__in": forms})
            return Q(**{f"{name}__in": list(related.values_list("pk", flat=True)[: self.list_per_page])})
        if rest or isinstance(field, IntegerField):
            fits = word.isascii() and word.isdecimal() and int(word) <= BigIntegerField.MAX_BIGINT
            return Q(**{name: int(word)}) if fits else Q(pk__in=[])
        return Q(**{f"{name}__in": forms})

    def _has_patient(self) -> bool:
        return any(field.name == "patient" for field in self.opts.fields)

    @admin.display(description=_("就诊人"))
    def person(self, row):
        return f"{masking.name(row.patient.name)} {row.patient.medical_number}" if row.patient_id else "–"

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if request.method == "GET" and self._has_patient():
            row = self.get_object(request, object_id)
            if row and row.patient_id:
                audit.saw_patient(
                    patient=row.patient, actor=request.user, where="admin", now=clock.now(), request=request
                )
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(self, request, object_id, extra_context=None):
        """What the row was before each change, from the database's own triggers."""
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not self.has_view_permission(request, row):
            raise NotAllowed
        context = {
            **self.admin_site.each_context(request),
            "title": _("变更历史：%(row)s") % {"row": row},
            "opts": self.opts,
            "object": row,
            "changes": changes_of(row),
        }
        return TemplateResponse(request, "admin/row_history.html", context)


class EditAdmin(LookAdmin):
    """Rows that a role may change: each change leaves a trace beside the history that the triggers keep."""

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        self._trace(request, "changed" if change else "added", obj, {"fields": sorted(form.changed_data)})

    def save_formset(self, request, form, formset, change):
        super().save_formset(request, form, formset, change)
        parts = [("added", formset.new_objects), ("removed", formset.deleted_objects)]
        parts.append(("changed", [row for row, _fields in formset.changed_objects]))
        for verb, rows in parts:
            for row in rows:
                self._trace(request, verb, row, {})

    def delete_model(self, request, obj):
        self._trace(request, "removed", obj, {})
        super().delete_model(request, obj)

    @staticmethod
    def _trace(request, verb: str, row, detail: dict):
        subject = f"{row._meta.model_name}:{row.pk}"
        audit.record(
            action=f"admin.{verb}", actor=request.user, subject=subject, detail=detail, now=clock.now(), request=request
        )


def changes_of(row) -> list[dict]:
    """Each change of a row, the newest first: when, who, and field by field what it was and what it became."""
    events = event_models(tracks_model=type(row))
    if not events:
        return []
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    later = row
    changes = []
    past = events[0].objects.filter(pgh_obj_id=row.pk).select_related("pgh_context").order_by("-pgh_id")
    for before in past:
        differences = [
            {
                "field": field.verbose_name,
                "was": _shown(before, field),
                "became": _shown(later, field),
            }
            for field in fields
            if getattr(before, field.attname) != getattr(later, field.attname)
        ]
        changes.append({"at": before.pgh_created_at, "by": _author(before), "differences": differences})
        later = before
    return changes


def _shown(row, field):
    """That a phone, a document or a secret was changed may be seen, not what it was."""
    value = getattr(row, field.attname)
    return "••••" if value and isinstance(field, EncryptedTextField) else value


def _author(event) -> str:
    context = event.pgh_context.metadata if event.pgh_context else {}
    user = User.objects.filter(pk=context.get("user")).first() if context.get("user") else None
    return str(user) if user else str(_("系统"))
