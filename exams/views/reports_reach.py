"""Who sees which report: staff by the houses of their roles, and the bytes of a file for everybody alike."""

from functools import wraps

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from exams.errors import ReportFileTooLong
from exams.models import DiagnosticReport, ReportVersion
from exams.selectors import reports as selectors
from exams.services.reports import files
from hospital import permissions
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

UNREAD = 4
"""A body of so many times a file's limit is refused by its Content-Length, unread. What is less, but too long for a
file, is thrown away as it comes in, and the form with all that was typed is shown again."""


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
    """As a download of this origin that can do nothing here. Raises ReportFileLost."""
    if not version.file:
        raise Http404
    response = HttpResponse(files.content_of(version), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="report-{version.report_id}-v{version.number}.pdf"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return quiet(response)


def quiet(response: HttpResponse) -> HttpResponse:
    """Kept by no browser and no proxy, found by no search engine."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "same-origin"
    return response


class CutOff(FileUploadHandler):
    """First of the handlers: a file beyond the limit is thrown away as it comes; the rest of the form is still read."""

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.length = 0

    def receive_data_chunk(self, raw_data, start):
        self.length += len(raw_data)
        if self.length > settings.REPORT_FILE_LIMIT:
            self.request.file_cut_off = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size):
        return None


def takes_a_file(view):
    """For views with an upload: the limits hold before anything reads the body, the check of the form's token too."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs):
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > UNREAD * settings.REPORT_FILE_LIMIT:
            raise ReportFileTooLong(limit=settings.REPORT_FILE_LIMIT // 1024**2)
        request.file_cut_off = False
        request.upload_handlers.insert(0, CutOff(request))
        return csrf_protect(view)(request, *args, **kwargs)

    return guarded
