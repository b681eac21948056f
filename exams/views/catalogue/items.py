"""检查项目, 套餐, 分组 (E1, E8)."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appointments.views.office.reach import ACTORS, READERS, reach_of
from appointments.views.office.whole import read_house, write_house
from exams.forms.catalogue import GroupForm, ItemForms, SetForm
from exams.models import ExamGroup, ExamItem, ExamSet, Modality
from exams.selectors import catalogue
from exams.selectors.signed import subject_of, trail_of
from exams.services import catalogue as writing
from hospital import clock
from hospital.errors import Refused
from hospital.permissions import role_required

from .frame import framed


@require_safe
@never_cache
@role_required(*READERS)
def items(request: HttpRequest):
    """By modality, found by name, code or pinyin."""
    house = read_house(request)
    modality, words = request.GET.get("modality", ""), request.GET.get("q", "")[:40].replace("\0", "").strip()
    modality = modality if modality in Modality.values else ""
    inactive = "inactive" in request.GET
    rows = catalogue.items(house.pk, modality=modality, words=words, inactive=inactive)
    shown = list(rows[: catalogue.MOST + 1])
    context = framed(
        request, house, "items", items=shown[: catalogue.MOST], more=len(shown) > catalogue.MOST, words=words,
        modality=modality, modalities=Modality.choices, inactive=inactive,
    )  # fmt: skip
    return render(request, "exams/catalogue/items.html", context)


@require_safe
@never_cache
@role_required(*READERS)
def item(request: HttpRequest, pk: int):
    """One item with its ways, the devices that can do it, and who changed what."""
    row = get_object_or_404(ExamItem, pk=pk, organization__in=reach_of(request).organizations)
    context = framed(
        request, row.organization, "items", item=row, ways=list(catalogue.ways().filter(item=row)),
        sets=ExamSet.objects.filter(lines__item=row, active=True).distinct().order_by("code"), trail=trail_of(row),
        prices=dict(catalogue.prices(row.organization_id)),
    )  # fmt: skip
    return render(request, "exams/catalogue/item.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def item_edit(request: HttpRequest, pk: int | None = None):
    """A new item, or the change of one; what was typed is kept whatever is wrong with it."""
    reach = reach_of(request, *ACTORS)
    row = get_object_or_404(ExamItem, pk=pk, organization__in=reach.organizations) if pk else None
    house = write_house(request, row.organization if row else None)
    seen = catalogue.latest_act(subject_of(row)) if row else 0
    forms = ItemForms(request.POST if request.method == "POST" else None, organization=house, item=row)
    forms.item.fields["seen"].initial = seen
    if request.method == "POST" and forms.is_valid():
        try:
            saved = writing.save_item(
                item=forms.item.row(), ways=forms.all_ways(), seen=forms.item.cleaned_data["seen"] or 0,
                by=request.user, now=clock.now(),
            )  # fmt: skip
        except Refused as refusal:
            forms.item.add_error(None, refusal.in_full)
        except IntegrityError:  # a double click, or a colleague with the same code: looked at again, the form says so
            forms.item.full_clean()
        else:
            messages.success(request, _("已保存：%(name)s。") % {"name": saved.name})
            return redirect("exams:office_item", saved.pk)
    context = framed(request, house, "items", pk=pk, forms=forms)
    return render(request, "exams/catalogue/item_form.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@never_cache
@role_required(*READERS)
def sets(request: HttpRequest):
    house = read_house(request)
    context = framed(request, house, "sets", sets=list(catalogue.sets(house.pk)))
    return render(request, "exams/catalogue/sets.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def set_edit(request: HttpRequest, pk: int | None = None):
    """检查套餐."""
    reach = reach_of(request, *ACTORS)
    row = get_object_or_404(ExamSet, pk=pk, organization__in=reach.organizations) if pk else None
    house = write_house(request, row.organization if row else None)
    form = SetForm(
        request.POST if request.method == "POST" else None, organization=house, row=row, initial=_set(row)
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            saved = writing.save_set(
                row=form.row(), lines=list(said["lines"]), seen=said["seen"] or 0, by=request.user, now=clock.now()
            )
        except Refused as refusal:
            form.add_error(None, refusal.in_full)
        except IntegrityError:  # as of an item
            form.full_clean()
        else:
            messages.success(request, _("已保存：%(name)s。") % {"name": saved.name})
            return redirect("exams:office_sets")
    context = framed(request, house, "sets", pk=pk, form=form, trail=trail_of(row) if row else [])
    return render(request, "exams/catalogue/set_form.html", context, status=422 if request.method == "POST" else 200)


def _set(row: ExamSet | None) -> dict:
    if row is None:
        return {"active": True}
    names = ("code", "name", "programme", "active")
    said = {name: getattr(row, name) for name in names}
    return said | {"lines": [line.pk for line in row.lines.all()], "seen": catalogue.latest_act(subject_of(row))}


@require_safe
@never_cache
@role_required(*READERS)
def groups(request: HttpRequest):
    """What rules and questions speak of where they mean many items."""
    house = read_house(request)
    context = framed(request, house, "groups", groups=list(catalogue.groups(house.pk)))
    return render(request, "exams/catalogue/groups.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def group_edit(request: HttpRequest, pk: int | None = None):
    """A new group, or another name for one."""
    reach = reach_of(request, *ACTORS)
    row = get_object_or_404(ExamGroup, pk=pk, organization__in=reach.organizations) if pk else None
    house = write_house(request, row.organization if row else None)
    form = GroupForm(
        request.POST if request.method == "POST" else None, organization=house, row=row,
        initial={"name": row.name} if row else None,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        if row:
            writing.rename_group(row=row, name=name, by=request.user, now=clock.now())
        else:
            writing.add_group(organization=house, name=name, by=request.user, now=clock.now())
        messages.success(request, _("已保存分组：%(name)s。") % {"name": name})
        return redirect("exams:office_groups")
    context = framed(request, house, "groups", pk=pk, form=form)
    return render(request, "exams/catalogue/group_form.html", context, status=422 if request.method == "POST" else 200)
