"""检查报告, for a patient's account: its people's reports, each with what it was before a correction, and the file."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from exams.models import DiagnosticReport, ReportVersion
from exams.selectors import reports as selectors
from exams.services import reports as service
from exams.services.reports.reading import Way
from hospital import clock, masking
from hospital.files import intake
from hospital.permissions import patient_required
from hospital.views.own import own_of

from . import reports_reach as reach

PAGE = 20
Status = DiagnosticReport.Status


@require_safe
@never_cache
@patient_required
def mine(request: HttpRequest) -> HttpResponse:
    own, rows = own_of(request), selectors.readable(request.user)
    rows = rows.filter(patient=own.person) if own.person else rows
    page = Paginator(rows.order_by("-performed_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    for row in page:
        row.masked = masking.name(row.patient.name)
    return render(request, "exams/reports/mine.html", own.shown(page=page))


def _readable(request: HttpRequest, pk: int) -> DiagnosticReport:
    return get_object_or_404(selectors.readable(request.user), pk=pk)


def _version(report: DiagnosticReport, number: int | None) -> ReportVersion:
    """Never one of a withdrawn report, never a draft."""
    if report.status == Status.WITHDRAWN:
        raise Http404
    rows = report.versions.filter(released_at__isnull=False).select_related("by", "released_by")
    return get_object_or_404(rows, number=number or report.current.number)


@require_safe
@never_cache
@patient_required
def one(request: HttpRequest, pk: int, number: int | None = None) -> HttpResponse:
    """A report, or what it said before it was corrected. Opening it leaves a row."""
    report = _readable(request, pk)
    context = {"report": report, "withdrawn": report.status == Status.WITHDRAWN}
    if not context["withdrawn"] or number:
        version = _version(report, number)
        version.report = report
        service.read(version=version, way=Way.ACCOUNT, user=request.user, now=clock.now())
        former = report.versions.filter(released_at__isnull=False, number__lt=report.current.number)
        context |= {"version": version, "former": list(former.order_by("-number"))}
    return intake.quiet(render(request, "exams/reports/mine_one.html", context))


@require_safe
@patient_required
def file(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    version = _version(_readable(request, pk), number)
    answer = reach.pdf_answer(version)
    service.read(version=version, way=Way.ACCOUNT, user=request.user, file=True, now=clock.now())
    return answer
