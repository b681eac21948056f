"""更正 and 撤回: a released version never changes, what follows it says why."""

from datetime import datetime

from django.db import transaction

from exams.models import DiagnosticReport, ReportVersion
from exams.policies import reports as policy
from hospital import outbox
from hospital.models import User

from . import files
from .writing import Says, Status, locked, publish, trace

CORRECTED, WITHDRAWN = "report.corrected", "report.withdrawn"


def correct(
    *, report: DiagnosticReport, says: Says, reason: str, by: User, now: datetime, seen: int | None = None
) -> ReportVersion:
    """The next version, released at once; the former stays, for staff and for the patient, who reads both.

    `seen`: the number of the version that was corrected: of two who correct at once the second is told; pressed twice
    by one person it is one. Publishes report.corrected. Raises ReportChanged, ReportReasonMissing, NothingCorrected,
    ReportSaysNothing, WrongReportState.
    """
    with files.gone_unless_saved(says.file), transaction.atomic():
        row = locked(report.pk)
        if _pressed_twice(row, says, reason=reason, by=by, seen=seen):
            return row.current
        refusal = policy.refusal_to_correct(row, reason=reason, seen=seen)
        if refusal:
            raise refusal
        former, withdrawn = row.current, row.status == Status.WITHDRAWN
        version = ReportVersion(
            report=row, number=former.number + 1, reason=reason.strip(), by=by, written_at=now, released_by=by,
            released_at=now, **says.columns(former),
        )  # fmt: skip
        refusal = policy.refusal_of_same(former, says.columns(former), withdrawn=withdrawn)
        refusal = refusal or policy.refusal_of_nothing(version)
        if refusal:
            raise refusal
        version.save()
        publish(row, version, topic=CORRECTED, by=by, now=now)
        trace(row, CORRECTED, by=by, now=now, before={"version": former.number}, after={"version": version.number})
    return version


def _pressed_twice(row: DiagnosticReport, says: Says, *, reason: str, by: User, seen: int | None) -> bool:
    """The same person's same correction of the same version: one, not a quarrel with oneself."""
    new = row.current
    if new is None or row.status != Status.RELEASED or seen != new.number - 1:
        return False
    same = policy.refusal_of_same(new, says.columns(new), withdrawn=False) is not None
    return same and (new.by_id, new.reason) == (by.pk, reason.strip())


def withdraw(*, report: DiagnosticReport, reason: str, by: User, now: datetime) -> None:
    """撤回: the patient reads that it was taken back, not what it said. A correction brings it back.

    Publishes report.withdrawn where the patient could read it. Raises ReportReasonMissing, WrongReportState.
    """
    with transaction.atomic():
        row = locked(report.pk)
        refusal = policy.refusal_to_withdraw(row, reason=reason)
        if refusal:
            raise refusal
        before = {"status": row.status}
        row.status = Status.WITHDRAWN
        row.save(update_fields=["status"])
        if row.current_id:
            payload = {"report": row.pk, "version": row.current.number, "booking": row.booking_id}
            outbox.publish(topic=WITHDRAWN, key=f"report:{row.pk}", payload=payload, actor=by, now=now)
        trace(row, WITHDRAWN, by=by, now=now, before=before, after={"status": row.status}, why=reason.strip()[:200])
