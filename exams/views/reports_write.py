"""Writing: a new report of a done exam, of another institution, a draft once more, a correction.

Whatever is wrong, what was typed stays, and so does a file that came through.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from exams.errors import ReportExists
from exams.forms.reports import MORE_ROWS, ROWS, CorrectionForm, MeasureFormSet, PartnerForm, ReportForm
from exams.models import DiagnosticReport, ExamVariant, ReportVersion
from exams.policies import reports as policy
from exams.selectors import reports as selectors
from exams.services import reports as service
from hospital import clock
from hospital.errors import Refused
from hospital.models import Patient
from hospital.permissions import role_required

from . import reports_reach as reach
from .reports import booking_at

PREFIX = "m"
COLUMNS = ("name", "value", "unit", "low", "high")


@dataclass(frozen=True)
class Sheet:
    """One page to write on. `save` gets the form and what it says, and returns the version."""

    kind: str  # new, partner, draft, correction
    about: str
    save: Callable
    form: type[ReportForm] = ReportForm
    patient: Patient | None = None
    variant: ExamVariant | None = None
    former: ReportVersion | None = None
    report: DiagnosticReport | None = None
    booking: object = None
    back: str = ""


@reach.takes_a_file
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.WRITERS)
def new(request: HttpRequest, booking: int) -> HttpResponse:
    row = booking_at(request, booking, *reach.WRITERS)
    known = DiagnosticReport.objects.filter(booking=row).first()
    if known and request.method != "POST":
        return redirect("exams:report", known.pk)
    refusal = policy.refusal_to_register(row)
    if refusal:
        raise refusal

    def save(_form, says, now):
        return service.register(booking=row, says=says, by=request.user, now=now)

    sheet = Sheet("new", f"booking:{row.pk}", save, patient=row.patient, variant=row.variant, booking=row)
    return _answer(request, sheet)


@reach.takes_a_file
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.WRITERS)
def partner(request: HttpRequest) -> HttpResponse:
    """外院结果: patient, exam, institution and time are asked, too."""

    def save(form, says, now):
        said = form.cleaned_data
        return service.register(
            patient=said["person"],
            variant=said["variant"],
            organization=said["organization"],
            performed_at=said["performed_at"],
            says=says,
            by=request.user,
            now=now,
        )

    return _answer(request, Sheet("partner", "partner", save, form=PartnerForm))


@reach.takes_a_file
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.WRITERS)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft once more."""
    report = reach.report_at(request, pk, *reach.WRITERS)
    version = reach.version_at(report, 1)
    if version.released_at and request.method != "POST":
        return redirect("exams:report", pk)

    def save(form, says, now):
        seen = form.cleaned_data["seen"]
        return service.revise(version=version, says=says, by=request.user, now=now, seen=seen)

    return _answer(request, _sheet_of("draft", report, version, save))


@reach.takes_a_file
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@role_required(*reach.WRITERS)
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """更正: looked at first, then released at once, with its reason."""
    report = reach.report_at(request, pk, *reach.WRITERS)
    if report.current is None:
        return redirect("exams:report", pk)

    def save(form, says, now):
        said = form.cleaned_data
        seen = int(said["seen"]) if said["seen"].isdigit() else 0
        return service.correct(report=report, says=says, reason=said["reason"], by=request.user, now=now, seen=seen)

    return _answer(request, _sheet_of("correction", report, report.current, save, form=CorrectionForm))


def _sheet_of(kind, report, version, save, form=ReportForm) -> Sheet:
    return Sheet(
        kind,
        f"report:{report.pk}",
        save,
        form=form,
        patient=report.patient,
        variant=report.variant,
        former=version,
        report=report,
        booking=report.booking,
    )


def _answer(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    now = clock.now()
    form, rows = _forms(request, sheet, now=now)
    if request.method != "POST":
        return _page(request, sheet, form, rows)
    right = form.is_valid() & rows.is_valid()
    if "more" in request.POST:
        for name in set(form.errors) - {"file"}:
            del form.errors[name]  # not finished yet, not wrong
        return _page(request, sheet, form, _longer(request, rows))
    if not right:
        return _page(request, sheet, form, rows, status=422)
    says = form.says(rows.measured())
    if sheet.kind == "correction":
        looks = _looks(sheet, form, says, now=now)
        if "sure" not in request.POST or request.POST.get("looked") != _digest(looks):
            return _page(request, sheet, form, rows, looks=looks)
    try:
        version = sheet.save(form, says, now)
    except ReportExists as refusal:
        return _page(request, sheet, form, rows, refusal=refusal, known=refusal.details["report"])
    except Refused as refusal:
        return _page(request, sheet, form, rows, refusal=refusal)
    return redirect("exams:report", version.report_id)


def _looks(sheet: Sheet, form: ReportForm, says: service.Says, *, now) -> ReportVersion:
    """The correction as it would read."""
    return ReportVersion(
        report=sheet.report,
        number=sheet.former.number + 1,
        reason=form.cleaned_data["reason"],
        written_at=now,
        **says.columns(sheet.former),
    )


def _digest(looks: ReportVersion) -> str:
    """Of what was shown: what is typed after the look is looked at before patients read it."""
    said = [looks.reason, looks.findings, looks.conclusion, looks.measurements, looks.critical, looks.file_digest]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _forms(request: HttpRequest, sheet: Sheet, *, now):
    more = {"by": request.user.pk, "about": sheet.about, "former": sheet.former, "now": now}
    if sheet.form is PartnerForm:
        more["houses"] = reach.houses(request, *reach.WRITERS)
    begun = _begun(sheet)
    initial = _rows(sheet)
    if request.method != "POST":
        return sheet.form(initial=begun, **more), MeasureFormSet(initial=initial, prefix=PREFIX)
    form = sheet.form(request.POST, request.FILES, cut_off=bool(request.cut_off), **more)
    return form, MeasureFormSet(request.POST, initial=initial, prefix=PREFIX)


def _begun(sheet: Sheet) -> dict:
    if sheet.former is None:
        return {}
    former = sheet.former
    seen = former.number if sheet.kind == "correction" else policy.mark(former)
    said = {name: getattr(former, name) for name in ("findings", "conclusion", "critical")}
    return {**said, "seen": seen}


def _rows(sheet: Sheet) -> list[dict]:
    """What was measured; where nothing was yet, the names and ranges of the exam's last report; and blank rows."""
    kept = []
    if sheet.former:
        kept = [{key: row.get(key, "") for key in COLUMNS} for row in sheet.former.measurements]
    if not kept and sheet.variant and sheet.kind in ("new", "draft"):
        kept = selectors.range_names(sheet.variant.pk)
    most = policy.MOST_MEASURED
    return (kept + [{}] * max(ROWS - len(kept), 2))[:most]


def _longer(request: HttpRequest, rows) -> MeasureFormSet:
    """再加几行: what was typed stays."""
    data = request.POST.copy()
    total = min(rows.total_form_count() + MORE_ROWS, policy.MOST_MEASURED)
    data[f"{PREFIX}-TOTAL_FORMS"] = str(total)
    return MeasureFormSet(data, initial=rows.initial, prefix=PREFIX)


def _page(request, sheet: Sheet, form, rows, *, refusal=None, known=None, looks=None, status=200) -> HttpResponse:
    context = {
        "sheet": sheet,
        "form": form,
        "rows": rows,
        "refusal": refusal,
        "there": known or (sheet.report.pk if sheet.report else None),
        "looks": looks,
        "looked": _digest(looks) if looks else "",
        "asking_more": "more" in request.POST,
        "wrong": status == 422,
    }
    return render(request, "exams/reports/write.html", context, status=refusal.status if refusal else status)
