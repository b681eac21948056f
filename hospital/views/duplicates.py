"""疑似重复档案 (P10): two records side by side, merged or told to be two people; a merge taken back."""

from functools import wraps

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital import audit, clock, masking, patient_index, permissions
from hospital.errors import NotAllowed, Refused
from hospital.models import DuplicateSuspect, PatientMerge
from hospital.patient_index.comparing import Pair, compare
from hospital.patient_index.errors import DecidedAlready
from hospital.patient_index.forms import MergeForm, ProposeForm, ReasonForm

A_PAGE = 30
WHERE = "duplicates"


def keepers_only(view):
    """The window or the office of a whole hospital: a lower institution doesn't leaf through the alliance's index."""

    @permissions.role_required(*permissions.WINDOW_ROLES)
    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not permissions.may_keep_the_index(request.user):
            raise NotAllowed
        return view(request, *args, **kwargs)

    return guarded


@require_http_methods(["GET", "POST"])
@never_cache
@keepers_only
def duplicates(request: HttpRequest):
    """What waits to be looked at; POST names two records by their medical numbers."""
    form = ProposeForm(request.POST or None)
    if form.is_valid():
        said = form.cleaned_data
        row = patient_index.propose(one=said["one"], other=said["other"], by=request.user, now=clock.now())
        return redirect("duplicate", row.pk)
    page = Paginator(patient_index.open_pairs(), A_PAGE).get_page(request.GET.get("page"))
    lines = [{"row": row, "names": [masking.name(each.name) for each in (row.first, row.second)],
              "why": _words(row)} for row in page]  # fmt: skip
    context = {"form": form, "page": page, "lines": lines}
    return render(request, "duplicates/list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@never_cache
@keepers_only
def duplicate(request: HttpRequest, pk: int):
    """The two, side by side; POST merges."""
    row, now = _suspect(pk), clock.now()
    for person in (row.first, row.second):
        audit.saw_patient(patient=person, actor=request.user, where=WHERE, now=now, request=request)
    pair = compare(row.first, row.second, now=now)
    choices = [(side.patient.pk, f"{side.name} {side.patient.medical_number}") for side in (pair.first, pair.second)]
    form = MergeForm(request.POST or None, choices=choices, initial={"kept": _likelier(pair)})
    refusal = None
    if form.is_valid():
        try:
            return _merged(request, row, form, now)
        except Refused as no:
            refusal = no
    context = {
        "row": row,
        "why": _words(row),
        "pair": pair,
        "form": form,
        "refusal": refusal,
        "differ": ReasonForm(auto_id="id_differ_%s"),
        "open": row.status == DuplicateSuspect.Status.OPEN,
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "duplicates/pair.html", context, status=status)


def _merged(request: HttpRequest, row: DuplicateSuspect, form: MergeForm, now):
    if row.status != DuplicateSuspect.Status.OPEN:  # a window that was open before somebody decided
        raise DecidedAlready(how=row.get_status_display())
    people = {row.first_id: row.first, row.second_id: row.second}
    kept = people.pop(form.cleaned_data["kept"])
    (merged,) = people.values()
    done = patient_index.merge(
        kept=kept, merged=merged, reason=form.cleaned_data["reason"], by=request.user, now=now
    )  # fmt: skip
    told = {"kept": kept.medical_number, "merged": merged.medical_number, "count": done.rows.count()}
    messages.success(
        request, _("%(merged)s 已并入 %(kept)s，转移 %(count)s 条记录。弄错了可以在“合并记录”里撤销。") % told
    )
    return redirect("duplicates")


@require_POST
@keepers_only
def differ(request: HttpRequest, pk: int):
    """不是同一人."""
    row, form = _suspect(pk), ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.errors["reason"][0])
        return redirect("duplicate", row.pk)
    patient_index.differ(suspect=row, note=form.cleaned_data["reason"], by=request.user, now=clock.now())
    messages.success(request, _("已记为不是同一人，以后不再提示这一对。"))
    return redirect("duplicates")


@require_safe
@never_cache
@keepers_only
def merges(request: HttpRequest):
    """合并记录, the newest first, the ones taken back among them."""
    rows = PatientMerge.objects.select_related("kept", "merged", "by", "undone_by").order_by("-merged_at", "-pk")
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    lines = [{"row": row, "kept": masking.name(row.kept.name), "merged": masking.name(row.merged.name)} for row in page]
    return render(request, "duplicates/merges.html", {"page": page, "lines": lines})


@require_http_methods(["GET", "POST"])
@never_cache
@keepers_only
def undo(request: HttpRequest, pk: int):
    """撤销合并, with a reason; the page says first what will happen."""
    row = get_object_or_404(PatientMerge.objects.select_related("kept", "merged", "by"), pk=pk)
    form, refusal = ReasonForm(request.POST or None), None
    if form.is_valid():
        try:
            patient_index.undo(merge=row, reason=form.cleaned_data["reason"], by=request.user, now=clock.now())
            messages.success(request, _("已撤销合并，两份档案恢复原样。"))
            return redirect("merges")
        except Refused as no:
            refusal = no
    context = {"row": row, "form": form, "refusal": refusal, "count": row.rows.count(),
               "kept": masking.name(row.kept.name), "merged": masking.name(row.merged.name)}  # fmt: skip
    return render(
        request, "duplicates/undo.html", context, status=refusal.status if refusal else 422 if form.errors else 200
    )


def _suspect(pk: int) -> DuplicateSuspect:
    return get_object_or_404(DuplicateSuspect.objects.select_related("first", "second"), pk=pk)


def _words(row: DuplicateSuspect) -> list[str]:
    return [str(DuplicateSuspect.Why(code).label) for code in row.why] or [_("窗口提出")]


def _likelier(pair: Pair) -> int:
    """The record that more hangs on; of two alike the older."""
    weight = [sum(count for _name, count in side.hangs) for side in (pair.first, pair.second)]
    return (pair.second if weight[1] > weight[0] else pair.first).patient.pk
