"""导入与切换: upload, look, decide; the history of who brought what in, and the workbooks to fill in."""

from functools import wraps

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.errors import FileTooLong
from appointments.forms.imports import MOST_BYTES, UploadForm
from appointments.models import ImportRun
from appointments.services import cutover
from appointments.services.importing import state, uploads
from hospital import audit, clock
from hospital.models import Organization, Role
from hospital.permissions import role_required
from hospital.workbook import writer
from hospital.workbook.cutover import SHEETS as CUTOVER_SHEETS
from hospital.workbook.spec import SHEETS

from . import reach
from .sheets import file_answer, workbook

PAGE = 50
UNREAD = 4 * MOST_BYTES
"""A body beyond this is refused by its Content-Length, unread; below it the form says what is wrong."""

BLANKS = {ImportRun.Kind.HOSPITAL: SHEETS, ImportRun.Kind.CUTOVER: CUTOVER_SHEETS}


def refuse_long_bodies(view):
    """Before anything reads the body: the check of the form's token would take in all of it."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs):
        if int(request.META.get("CONTENT_LENGTH") or 0) > UNREAD:
            raise FileTooLong
        return csrf_protect(view)(request, *args, **kwargs)

    return guarded


def whole_house(request: HttpRequest, *roles: str) -> frozenset[int]:
    """The houses. Raises WholeHouseOnly to whoever works for one department."""
    mine = reach.reach_of(request, *roles)
    uploads.refuse_part_of_a_house(mine.departments)
    return mine.organizations


@refuse_long_bodies
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.READERS)
def imports(request: HttpRequest) -> HttpResponse:
    """The history, and the form to upload."""
    houses = whole_house(request)
    form = None
    if reach.may_act(request):
        form = UploadForm(request.POST or None, request.FILES or None, organizations=whole_house(request, Role.OFFICE))
        if request.method == "POST" and form.is_valid():
            return redirect("appointments:office_import", _looked(request, form).pk)
    runs = (
        ImportRun.objects.filter(organization__in=houses, kind__in=BLANKS)
        .select_related("by", "applied_by")
        .defer("content", "report")
    )
    context = {
        "form": form,
        "page": Paginator(runs.order_by("-created_at", "-pk"), 20).get_page(request.GET.get("page")),
        "organizations": Organization.objects.filter(pk__in=houses),
    }
    return render(request, "office/imports.html", context, status=422 if form and form.errors else 200)


def _looked(request: HttpRequest, form: UploadForm) -> ImportRun:
    said, now = form.cleaned_data, clock.now()
    upload = uploads.Upload(
        name=said["file"].name,
        content=said["file"].read(),
        organization=said["organization"],
        organizations=whole_house(request, Role.OFFICE),
    )
    if said["kind"] == ImportRun.Kind.CUTOVER:
        return cutover.look(upload=upload, system=said["system"], by=request.user, now=now)
    return uploads.look(upload=upload, retire_missing=said["retire_missing"], by=request.user, now=now)


def _run(request: HttpRequest, pk: int, *roles: str) -> ImportRun:
    rows = ImportRun.objects.select_related("organization", "by", "applied_by").defer("content")
    return get_object_or_404(rows, pk=pk, kind__in=BLANKS, organization__in=whole_house(request, *roles))


@require_safe
@never_cache
@role_required(*reach.READERS)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """What is wrong with the file; else what it would change or has changed, or the report of a cutover."""
    run = _run(request, pk)
    context = {"run": run, "may_act": reach.may_act(request), "organizations": [run.organization]}
    if run.status == ImportRun.Status.REFUSED:
        lines, shown = [_said(kept) for kept in run.report["problems"]], "problems"
    elif run.kind == ImportRun.Kind.CUTOVER:
        context["sums"] = cutover.reconciliation(run)
        lines, shown = list(cutover.refused_lines(run)), "refused"
    else:
        lines, shown = run.report["changes"], "changes"
        context["kinds"] = _kinds(run)
    context |= {"shown": shown, "page": Paginator(lines, PAGE).get_page(request.GET.get("page"))}
    template = "office/_import.html" if request.htmx and not request.htmx.boosted else "office/import.html"
    return render(request, template, context)


def _said(kept: dict) -> tuple[str, int | None, str, str, str]:
    problem = uploads.problem_of(kept)
    return (problem.sheet, problem.row, problem.column, *problem.sentences(_))


def _kinds(run: ImportRun) -> list[tuple[str, int]]:
    counts = run.report["counts"]
    missing = _("停用（工作簿里没有）") if run.report["retire_missing"] else _("工作簿里没有（不动）")
    return [(_("新增"), counts["new"]), (_("变更"), counts["changed"]), (missing, counts["missing"])]


@require_POST
@role_required(*reach.ACTORS)
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Do it as shown; a cutover is begun, and a worker goes on with it."""
    run, now = _run(request, pk, Role.OFFICE), clock.now()
    if run.kind == ImportRun.Kind.CUTOVER:
        cutover.start(run=run, by=request.user, now=now)
        return redirect("appointments:office_import", pk)
    houses = whole_house(request, Role.OFFICE)
    if uploads.apply(run=run, organizations=houses, by=request.user, now=now):
        return redirect("appointments:office_import", pk)
    return redirect(_address(pk) + "?stale=1")


@require_POST
@role_required(*reach.ACTORS)
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """The same file looked at again, with or without putting out of use what it lacks."""
    run = _run(request, pk, Role.OFFICE)
    if run.kind == ImportRun.Kind.HOSPITAL:
        uploads.look_again(
            run=run,
            organizations=whole_house(request, Role.OFFICE),
            retire_missing=request.POST.get("retire_missing") == "1",
            by=request.user,
            now=clock.now(),
        )
    return redirect("appointments:office_import", pk)


@require_POST
@role_required(*reach.ACTORS)
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    uploads.discard(run=_run(request, pk, Role.OFFICE), by=request.user, now=clock.now())
    return redirect("appointments:office_imports")


def _address(pk: int) -> str:
    return redirect("appointments:office_import", pk).url


# ---- workbooks to take along ----


@require_safe
@role_required(*reach.READERS)
def blank(request: HttpRequest, kind: str) -> HttpResponse:
    """空白工作簿: headers, notes, drop-down lists and an example row."""
    names = {ImportRun.Kind.HOSPITAL: _("医院基础数据-空白"), ImportRun.Kind.CUTOVER: _("切换数据-空白")}
    if kind not in names:
        raise Http404
    return file_answer(writer.blank(sheets=BLANKS[kind]), f"{names[kind]}.xlsx")


@require_safe
@never_cache
@role_required(*reach.READERS)
def present(request: HttpRequest) -> HttpResponse:
    """The present state as a workbook: to correct and bring in again."""
    rows = state.rows_of(whole_house(request))
    now = clock.now()
    count = sum(len(sheet) for sheet in rows.values())
    audit.record(
        action="office.exported", actor=request.user, now=now, request=request, detail={"what": "state", "rows": count}
    )
    return file_answer(writer.packed(rows), f"{_('医院基础数据')}-{clock.today(now):%Y%m%d}.xlsx")


@require_safe
@never_cache
@role_required(*reach.READERS)
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """核对报告 of a cutover: sums per sheet, and every row that was not imported, with its reason."""
    run = _run(request, pk)
    headers = [_("表"), _("行"), _("列"), _("原因"), _("处理办法")]
    if run.status == ImportRun.Status.REFUSED:
        sheets = [(_("错误"), headers, (_said(kept) for kept in run.report["problems"]))]
    else:
        sums = cutover.reconciliation(run) if run.kind == ImportRun.Kind.CUTOVER else []
        heads = [_("表"), _("文件中"), _("待导入"), _("已导入"), _("系统中已有"), _("未导入")]
        rows = [(s.title, s.in_file, s.waiting, s.imported, s.there, s.refused) for s in sums]
        sheets = [(_("核对"), heads, rows), (_("未导入明细"), headers, cutover.refused_lines(run))]
    content, _count = workbook(sheets)
    return file_answer(content, f"{_('核对报告')}-{run.pk}.xlsx")
