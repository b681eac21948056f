"""Who sees which report: staff by the houses of their roles, and the bytes of a file for everybody alike."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from exams.models import DiagnosticReport, ReportVersion
from exams.selectors import reports as selectors
from exams.services.reports import files
from hospital import permissions
from hospital.files import intake
from hospital.models import Role

WRITERS = (Role.EXAM, Role.DOCTOR)
"""Who registers, releases and corrects."""

READERS = (*WRITERS, Role.WARD)
TRAIL_READERS = (*WRITERS, Role.AUDITOR)
"""Who reads who read: not what it says."""

PAPER = (Role.EXAM, Role.TRIAGE, Role.COUNTER)
"""Who prints a slip with a QR code."""

WATCHERS = (Role.EXAM, Role.OFFICE)
"""Who sees every critical value of the house and may note what was done; doctors see theirs."""


def houses(request: HttpRequest, *roles: str) -> frozenset[int]:
    return permissions.organizations_of(request.user, *roles)


def report_at(request: HttpRequest, pk: int, *roles: str) -> DiagnosticReport:
    rows = selectors.of_house(houses(request, *(roles or READERS))).select_related(*selectors.RELATED)
    return get_object_or_404(rows.select_related("booking__request__requester"), pk=pk)


def version_at(report: DiagnosticReport, number: int) -> ReportVersion:
    row = report.versions.select_related("by", "released_by").filter(number=number).first()
    if row is None:
        raise Http404
    row.report = report
    return row


def pdf_answer(version: ReportVersion) -> HttpResponse:
    """Raises ReportFileLost."""
    if not version.file:
        raise Http404
    name = f"report-{version.report_id}-v{version.number}.pdf"
    return intake.download(files.content_of(version), kind="application/pdf", name=name)


def _file_limit() -> int:
    return settings.REPORT_FILE_LIMIT


takes_a_file = intake.takes_a_file(most=_file_limit)
"""For views with a report's file. Raises FileTooLong."""
