"""Excel of devices and items (E1): upload, look, decide; the workbooks to fill in and to take along."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.forms.imports import UploadForm
from appointments.models import ImportRun
from appointments.services.importing import uploads as house
from appointments.views.office.imports import refuse_long_bodies, whole_house
from appointments.views.office.sheets import file_answer
from exams.services import importing, uploads
from hospital import audit, clock
from hospital.errors import Refused
from hospital.models import Organization, Role
from hospital.permissions import role_required
from hospital.workbook import writer

from . import device_reach as reach

PAGE = 50


class SheetForm(UploadForm):
    """The hospital's upload without what only concerns its own workbook."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("kind", "retire_missing", "system"):
            del self.fields[name]


@refuse_long_bodies
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.KEEPERS)
def sheets(request: HttpRequest) -> HttpResponse:
    """The form, and what was brought in so far. A workbook is the whole house's."""
    houses = whole_house(request, Role.OFFICE)
    form = SheetForm(request.POST or None, request.FILES or None, organizations=houses)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        upload = house.Upload(
            name=said["file"].name, content=said["file"].read(), organization=said["organization"], organizations=houses
        )
        return redirect("exams:device_sheet", uploads.look(upload=upload, by=request.user, now=clock.now()).pk)
    runs = ImportRun.objects.filter(organization__in=houses, kind=ImportRun.Kind.EXAMS).defer("content", "report")
    runs = runs.select_related("by", "applied_by").order_by("-created_at", "-pk")
    context = {"form": form, "page": Paginator(runs, 20).get_page(request.GET.get("page")), **reach.frame(request)}
    return render(request, "exams/devices/sheets.html", context, status=422 if form.errors else 200)


def _run(request: HttpRequest, pk: int) -> ImportRun:
    rows = ImportRun.objects.select_related("organization", "by", "applied_by").defer("content")
    houses = whole_house(request, Role.OFFICE)
    return get_object_or_404(rows, pk=pk, organization__in=houses, kind=ImportRun.Kind.EXAMS)


@require_safe
@never_cache
@role_required(*reach.KEEPERS)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """What is wrong with the file, named by sheet, row and column; else what it would change or has changed."""
    run = _run(request, pk)
    refused = run.status == ImportRun.Status.REFUSED
    lines = [_said(kept) for kept in run.report["problems"]] if refused else run.report["changes"]
    context = {
        "run": run,
        "refused": refused,
        "page": Paginator(lines, PAGE).get_page(request.GET.get("page")),
        **reach.frame(request),
    }
    return render(request, "exams/devices/sheet.html", context)


def _said(kept: dict) -> tuple[str, int | None, str, str, str]:
    problem = house.problem_of(kept)
    return (problem.sheet, problem.row, problem.column, *problem.sentences(_))


@require_POST
@role_required(*reach.KEEPERS)
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    done = uploads.apply(run=_run(request, pk), by=request.user, now=clock.now())
    return redirect(redirect("exams:device_sheet", pk).url + ("" if done else "?stale=1"))


@require_POST
@role_required(*reach.KEEPERS)
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    house.discard(run=_run(request, pk), by=request.user, now=clock.now())
    return redirect("exams:device_sheets")


@require_safe
@role_required(*reach.KEEPERS)
def blank(request: HttpRequest) -> HttpResponse:
    return file_answer(writer.blank(sheets=importing.SHEETS), f"{_('检查设备和项目-空白')}.xlsx")


@require_safe
@never_cache
@role_required(*reach.KEEPERS)
def present(request: HttpRequest) -> HttpResponse:
    """One house as it is: to correct and bring in again."""
    houses = Organization.objects.filter(pk__in=whole_house(request, Role.OFFICE)).order_by("pk")
    asked = request.GET.get("house", "")
    chosen = houses.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 10 else None
    chosen = chosen or houses.first()
    if chosen is None:
        raise Refused
    now = clock.now()
    rows = importing.rows_of(chosen, today=clock.today(now))
    count = sum(len(sheet) for sheet in rows.values())
    audit.record(
        action="office.exported", actor=request.user, now=now, request=request,
        detail={"what": "exam_devices", "rows": count},
    )  # fmt: skip
    name = f"{_('检查设备和项目')}-{clock.today(now):%Y%m%d}.xlsx"
    return file_answer(writer.packed(rows, sheets=importing.SHEETS), name)
