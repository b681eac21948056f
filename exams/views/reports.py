"""检查报告, for staff: what waits to be written, drafts, released ones; a report with its versions and its readers."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exams.forms.reports import FilterForm, WithdrawForm
from exams.models import DiagnosticReport, ExamBooking, Modality
from exams.policies import reports as policy
from exams.selectors import reports as selectors
from exams.services import reports as service
from exams.services.reports import links
from exams.services.reports.reading import Way
from hospital import audit, clock, permissions
from hospital.errors import Refused
from hospital.permissions import role_required

from . import reports_reach as reach

Status = DiagnosticReport.Status
PAGE = 40
TABS = ("todo", Status.DRAFT, Status.RELEASED, Status.WITHDRAWN)


@require_safe
@never_cache
@role_required(*reach.READERS)
def worklist(request: HttpRequest) -> HttpResponse:
    """What waits longest stands first; the others by their latest."""
    houses, now = reach.houses(request, *reach.READERS), clock.now()
    form = FilterForm(request.GET)
    said = form.said()
    asked = request.GET.get("tab")
    tab = asked if asked in TABS else "todo"
    waiting = selectors.unwritten(houses, **said, now=now)
    rows = waiting if tab == "todo" else selectors.listed(houses, status=tab, **said, now=now)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    if said["text"]:
        found = sorted({row.patient_id for row in page})
        audit.searched_patients(actor=request.user, how="word", found=found, where="reports", now=now, request=request)
    if tab == "todo":
        for row in page:
            row.expected = links.expected_at(row)
    context = {
        "tab": tab,
        "page": page,
        "form": form,
        "said": said,
        "modalities": Modality.choices,
        "narrow": urlencode({"q": said["text"], "modality": said["modality"]}),
        "may_write": permissions.has_role(request.user, *reach.WRITERS),
        "now": now,
    }
    return render(request, "exams/reports/list.html", context)


@require_safe
@never_cache
@role_required(*reach.READERS)
def one(request: HttpRequest, pk: int, number: int | None = None) -> HttpResponse:
    """A report as it stands, or one of its versions. Opening it leaves a row."""
    report = reach.report_at(request, pk)
    versions = selectors.versions_of(report)
    version = versions[0] if number is None else reach.version_at(report, number)
    version.report = report
    service.read(version=version, way=Way.STAFF, user=request.user, now=clock.now())
    return render(request, "exams/reports/one.html", _context(request, report, version, versions))


def _context(request, report, version, versions, *, refusal: Refused | None = None) -> dict:
    return {
        "report": report,
        "version": version,
        "versions": versions,
        "newest": version.number == versions[0].number,
        "mark": policy.mark(version),
        "may_write": permissions.may_act_in(request.user, report.variant.item.organization_id, *reach.WRITERS),
        "may_print": permissions.has_role(request.user, *reach.PAPER),
        "refusal": refusal,
    }


@require_POST
@role_required(*reach.WRITERS)
def release(request: HttpRequest, pk: int) -> HttpResponse:
    report = reach.report_at(request, pk, *reach.WRITERS)
    version = get_object_or_404(report.versions, number=1)
    try:
        service.release(version=version, by=request.user, now=clock.now(), seen=request.POST.get("seen", "")[:40])
    except Refused as refusal:
        report.refresh_from_db()
        versions = selectors.versions_of(report)
        context = _context(request, report, versions[0], versions, refusal=refusal)
        return render(request, "exams/reports/one.html", context, status=refusal.status)
    return redirect("exams:report", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.WRITERS)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    report = reach.report_at(request, pk, *reach.WRITERS)
    form = WithdrawForm(request.POST or None)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            service.withdraw(report=report, reason=form.cleaned_data["reason"], by=request.user, now=clock.now())
            return redirect("exams:report", pk)
        except Refused as refused:
            refusal = refused
    status = refusal.status if refusal else 422 if form.errors else 200
    context = {"report": report, "form": form, "refusal": refusal}
    return render(request, "exams/reports/withdraw.html", context, status=status)


@require_safe
@role_required(*reach.READERS)
def file(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    version = reach.version_at(reach.report_at(request, pk), number)
    answer = reach.pdf_answer(version)
    service.read(version=version, way=Way.STAFF, user=request.user, file=True, now=clock.now())
    return answer


@require_safe
@never_cache
@role_required(*reach.TRAIL_READERS)
def accesses(request: HttpRequest, pk: int) -> HttpResponse:
    """阅读记录: who read which version, when and how."""
    report = reach.report_at(request, pk, *reach.TRAIL_READERS)
    page = Paginator(selectors.accesses(report), PAGE).get_page(request.GET.get("page"))
    context = {
        "report": report,
        "page": page,
        "may_read": permissions.may_act_in(request.user, report.variant.item.organization_id, *reach.READERS),
    }
    return render(request, "exams/reports/accesses.html", context)


def booking_at(request: HttpRequest, pk: int, *roles: str) -> ExamBooking:
    rows = ExamBooking.objects.filter(variant__item__organization__in=reach.houses(request, *roles))
    related = ("patient", "variant__item__organization", "device__room", "device__zone", "request__requester")
    return get_object_or_404(rows.select_related(*related), pk=pk)
