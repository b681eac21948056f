"""报告二维码: the slip that staff print, and the page behind its code for whoever has it and knows the document.

Nothing of a person stands on that page before the last four were right; then for a quarter of an hour, in this browser.
"""

from datetime import datetime, timedelta

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exams.forms.reports import LastFourForm
from exams.models import DiagnosticReport, ReportLink
from exams.services import reports as service
from exams.services.reports import links
from exams.services.reports.reading import Way
from hospital import clock, masking
from hospital.addresses import client_address
from hospital.api import rates
from hospital.errors import Refused
from hospital.files import intake
from hospital.permissions import role_required

from . import reports_reach as reach
from .reports import booking_at

KEPT = "report_links"
OPEN_FOR = timedelta(minutes=15)

GUESSES = (20, 600)
"""Unknown links, and wrong last fours, of a network address per so many seconds: right ones count for nothing, since
all who wait in the hospital share its address."""


# ---- the slip ----


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.PAPER)
@sensitive_variables("token")
def slip(request: HttpRequest, booking: int) -> HttpResponse:
    """取报告条. Printing makes a new link, and the one of an earlier slip ends: asked first, then shown to print."""
    row = booking_at(request, booking, *reach.PAPER)
    now = clock.now()
    earlier = row.links.filter(ended_at=None, expires_at__gt=now).exists()
    context = {"booking": row, "masked": masking.name(row.patient.name), "earlier": earlier, "printed_at": now}
    context["expected"] = links.expected_at(row)
    if request.method != "POST":
        return render(request, "exams/reports/slip_ask.html", context)
    try:
        token = links.make(booking=row, by=request.user, now=now)
    except Refused as refusal:
        return render(request, "exams/reports/slip_ask.html", context | {"refusal": refusal}, status=refusal.status)
    context |= {"link": links.by_token(token), "code": _code(request, token), "last4": row.patient.medical_number[-4:]}
    return intake.quiet(render(request, "exams/reports/slip.html", context))


def _code(request: HttpRequest, token: str) -> str:
    where = reverse("exams:report_link", args=[token])
    address = settings.PUBLIC_URL + where if settings.PUBLIC_URL else request.build_absolute_uri(where)
    drawn = segno.make(address, error="m", micro=False)
    return mark_safe(drawn.svg_inline(omitsize=True, svgclass=None, lineclass=None))  # noqa: S308 - drawn by us


# ---- the page behind the code ----


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_variables("token")
def link(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    row = _known(request, token)
    report = links.report_of(row) if row else None
    state = links.state_of(row, report, now=now) if row else links.State.EXPIRED
    if row is None or state != links.State.READY:
        return _closed(request, row, state, token)
    if _open(request, row, now=now):
        return _report(request, row, report, token, now=now)
    form = LastFourForm(request.POST or None)
    if request.method != "POST":
        return _ask(request, row, form, token)
    if not form.is_valid():
        return _ask(request, row, form, token, status=422)
    if not links.proves(row, form.cleaned_data["last4"], now=now):
        rates.spend_of(f"report.four.{client_address(request)}", *GUESSES)
        if row.ended_at:
            return _closed(request, row, links.State.ENDED, token)
        return _ask(request, row, form, token, status=422, left=links.MOST_MISSES - row.misses)
    request.session[KEPT] = {**request.session.get(KEPT, {}), str(row.pk): (now + OPEN_FOR).timestamp()}
    return redirect("exams:report_link", token)


def _known(request: HttpRequest, token: str) -> ReportLink | None:
    row = links.by_token(token)
    if row is None:
        rates.spend_of(f"report.guess.{client_address(request)}", *GUESSES)
    return row


def _open(request: HttpRequest, row: ReportLink, *, now: datetime) -> bool:
    return request.session.get(KEPT, {}).get(str(row.pk), 0) > now.timestamp()


def _ask(request, row: ReportLink, form, token: str, *, status=200, left: int | None = None) -> HttpResponse:
    context = {"form": form, "left": left, "token": token, "house": row.booking.variant.item.organization}
    return intake.quiet(render(request, "exams/reports/link_ask.html", context, status=status))


def _closed(request, row: ReportLink | None, state: str, token: str) -> HttpResponse:
    """Also for what never was a link: the same page as one that is over."""
    gone = state in (links.State.EXPIRED, links.State.ENDED)
    context = {
        "state": str(state),
        "expected": links.expected_at(row.booking) if row and state == links.State.WAITING else None,
        "house": row.booking.variant.item.organization if row else None,
        "now": clock.now(),
    }
    return intake.quiet(render(request, "exams/reports/link_closed.html", context, status=404 if gone else 200))


def _report(request, row: ReportLink, report: DiagnosticReport, token: str, *, now) -> HttpResponse:
    version = report.current
    version.report = report
    service.read(version=version, way=Way.LINK, link=row, now=now)
    former = report.versions.filter(released_at__isnull=False, number__lt=version.number).order_by("-number")
    context = {
        "report": report,
        "version": version,
        "former": list(former),
        "token": token,
    }
    return intake.quiet(render(request, "exams/reports/link_report.html", context))


@require_safe
@sensitive_variables("token")
def link_file(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """The PDF of a version, in the quarter of an hour that the last four opened."""
    now = clock.now()
    row = _known(request, token)
    report = links.report_of(row) if row else None
    if row is None or links.state_of(row, report, now=now) != links.State.READY:
        raise Http404
    if not _open(request, row, now=now):
        return redirect("exams:report_link", token)
    version = reach.version_at(report, number)
    if version.released_at is None:
        raise Http404
    answer = reach.pdf_answer(version)
    service.read(version=version, way=Way.LINK, link=row, file=True, now=now)
    return answer


@require_POST
@sensitive_variables("token")
def link_close(request: HttpRequest, token: str) -> HttpResponse:
    """看完了: the next one at this browser is asked again."""
    row = _known(request, token)
    kept = request.session.get(KEPT, {})
    if row and kept.pop(str(row.pk), None):
        request.session[KEPT] = kept
    return redirect("exams:report_link", token)
