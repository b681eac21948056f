"""Registering a result and releasing it. Lock: the report's row, after the booking's."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from exams.errors import ReportExists
from exams.models import DiagnosticReport, ExamBooking, ExamVariant, ReportVersion
from exams.policies import reports as policy
from hospital import audit, outbox, patients
from hospital.models import Organization, Patient, User

from . import critical, files

Status = DiagnosticReport.Status
RELEASED = "report.released"


@dataclass(frozen=True)
class Says:
    """What a version says. `file` None with `keep_file`: the file of the version before stays."""

    findings: str = ""
    conclusion: str = ""
    measurements: list[policy.Measured] = field(default_factory=list)
    critical: bool = False
    file: files.Kept | None = None
    keep_file: bool = False

    def columns(self, former: ReportVersion | None) -> dict:
        stays = former if self.keep_file and self.file is None else None
        return {
            "findings": self.findings.strip(),
            "conclusion": self.conclusion.strip(),
            "measurements": [each.row() for each in self.measurements],
            "critical": self.critical,
            "file": self.file.name if self.file else (stays.file.name if stays and stays.file else ""),
            "file_digest": self.file.digest if self.file else (stays.file_digest if stays else ""),
        }


def register(
    *,
    says: Says,
    by: User,
    now: datetime,
    booking: ExamBooking | None = None,
    patient: Patient | None = None,
    variant: ExamVariant | None = None,
    organization: Organization | None = None,
    performed_at: datetime | None = None,
) -> ReportVersion:
    """A draft for a done exam, or for what another institution examined (patient, variant, organization, performed_at).

    Nobody but staff sees it before release. Leaves an audit row. Raises ExamNotDone, ReportExists, NotExaminedYet.
    """
    with files.gone_unless_saved(says.file), transaction.atomic():
        report = _of_booking(booking) if booking else _of_partner(patient, variant, organization, performed_at, now)
        version = ReportVersion.objects.create(report=report, number=1, by=by, written_at=now, **says.columns(None))
        trace(report, "report.registered", by=by, now=now)
    return version


def _of_booking(booking: ExamBooking) -> DiagnosticReport:
    row = ExamBooking.objects.select_for_update(no_key=True, of=("self",)).select_related("device").get(pk=booking.pk)
    refusal = policy.refusal_to_register(row)
    if refusal:
        raise refusal
    if known := DiagnosticReport.objects.filter(booking=row).first():
        raise ReportExists(report=known.pk)
    return DiagnosticReport.objects.create(
        organization_id=row.device.organization_id,
        patient_id=row.patient_id,
        variant_id=row.variant_id,
        booking=row,
        performed_at=row.finished_at,
    )


def _of_partner(patient, variant, organization, performed_at, now) -> DiagnosticReport:
    refusal = policy.refusal_of_moment(performed_at, birth_date=patient.birth_date, now=now)
    if refusal:
        raise refusal
    patients.locked(patient.pk)  # there is no booking to lock
    same = DiagnosticReport.objects.filter(
        booking=None, patient=patient, variant=variant, organization=organization, performed_at=performed_at
    )
    if known := same.exclude(status=Status.WITHDRAWN).first():
        raise ReportExists(report=known.pk)
    return DiagnosticReport.objects.create(
        organization=organization, patient=patient, variant=variant, performed_at=performed_at
    )


def revise(*, version: ReportVersion, says: Says, by: User, now: datetime, seen: str = "") -> ReportVersion:
    """Another text for a draft; a withdrawn draft becomes one again. Raises AlreadyReleased, ReportChanged."""
    with files.gone_unless_saved(says.file), transaction.atomic():
        report, version = locked(version.report_id), ReportVersion.objects.get(pk=version.pk)
        refusal = policy.refusal_to_revise(report, version, seen=seen)
        if refusal:
            raise refusal
        former = version.file.name if version.file else ""
        for name, value in says.columns(version).items():
            setattr(version, name, value)
        version.by, version.written_at = by, now
        version.save()
        if former != version.file.name:
            files.discard_replaced(former)
        if report.status == Status.WITHDRAWN:
            report.status = Status.DRAFT
            report.save(update_fields=["status"])
        trace(report, "report.revised", by=by, now=now)
    return version


def release(*, version: ReportVersion, by: User, now: datetime, seen: str = "") -> ReportVersion:
    """发布: from now on the patient reads it. Publishes report.released; a critical value opens a notice to the doctor.

    Pressed twice by one person it is one. Raises AlreadyReleased, ReportChanged, ReportSaysNothing, WrongReportState.
    """
    with transaction.atomic():
        report, version = locked(version.report_id), ReportVersion.objects.get(pk=version.pk)
        if version.released_at and version.released_by_id == by.pk:
            return version
        refusal = policy.refusal_to_release(report, version, seen=seen)
        if refusal:
            raise refusal
        version.released_at, version.released_by = now, by
        version.save(update_fields=["released_at", "released_by"])
        publish(report, version, topic=RELEASED, by=by, now=now)
        trace(report, RELEASED, by=by, now=now, after={"version": version.number})
    return version


def publish(report: DiagnosticReport, version: ReportVersion, *, topic: str, by: User, now: datetime) -> None:
    """`version` is what patients read from now on. The report's row is locked."""
    report.current, report.status = version, Status.RELEASED
    report.released_at = report.released_at or now
    report.save(update_fields=["current", "status", "released_at"])
    payload = {"report": report.pk, "version": version.number, "booking": report.booking_id}
    outbox.publish(topic=topic, key=f"report:{report.pk}", payload=payload, actor=by, now=now)
    if version.critical:
        critical.open_notice(report, version, by=by, now=now)


def locked(report_id: int) -> DiagnosticReport:
    """The report alone: whoever waited would get what a join found before the wait, so the rest is read afterwards."""
    DiagnosticReport.objects.select_for_update(no_key=True).get(pk=report_id)
    return DiagnosticReport.objects.select_related("current__by", "variant__item", "patient").get(pk=report_id)


def trace(report: DiagnosticReport, action: str, *, by: User, now: datetime, before=None, after=None, why="") -> None:
    detail = {"before": before or {}, "after": after or {}, "why": why}
    audit.record(action=action, actor=by, patient=report.patient, subject=f"report:{report.pk}", detail=detail, now=now)
