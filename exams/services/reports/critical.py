"""危急值: told to the doctor who asked for the exam at release, open until somebody wrote down what was done.

Nobody hears of a value through a message: it says that there is one, the page behind the sign-in says which.
"""

from datetime import datetime, timedelta

from django.db import transaction

from exams.models import CriticalNotice, DiagnosticReport, ReportVersion
from exams.policies import reports as policy
from exams.selectors.rules import exam_rule
from hospital import audit, clock, outbox
from hospital.models import User

OPENED = "report.critical"
ESCALATED = "report.critical_escalated"
BATCH = 200


def open_notice(report: DiagnosticReport, version: ReportVersion, *, by: User, now: datetime) -> CriticalNotice:
    """In the release's transaction. Where no doctor with an account asked, department and office hear at once."""
    rule = exam_rule(report.variant.item.organization_id, day=clock.today(now))
    doctor = report.booking.request.requester if report.booking_id else None
    reached = doctor is not None and doctor.user_id is not None
    notice = CriticalNotice.objects.create(
        version=version,
        doctor=doctor,
        told_at=now,
        due_at=now + timedelta(minutes=rule.acknowledge_minutes),
        escalated_at=None if reached else now,
    )
    payload = {"report": report.pk, "version": version.number, "notice": notice.pk}
    outbox.publish(topic=OPENED, key=f"report:{report.pk}", payload=payload, actor=by, now=now)
    if not reached:
        outbox.publish(topic=ESCALATED, key=f"report:{report.pk}", payload=payload, now=now)
    return notice


def acknowledge(*, notice: CriticalNotice, note: str, by: User, now: datetime) -> CriticalNotice:
    """确认: somebody answers for it and writes what was done. Raises AlreadyAcknowledged, NoteMissing."""
    with transaction.atomic():
        row = CriticalNotice.objects.select_for_update(no_key=True).get(pk=notice.pk)
        if row.acknowledged_by_id == by.pk and row.note == note.strip():
            return row  # pressed twice
        refusal = policy.refusal_to_acknowledge(row, note=note)
        if refusal:
            raise refusal
        row.acknowledged_at, row.acknowledged_by, row.note = now, by, note.strip()
        row.save(update_fields=["acknowledged_at", "acknowledged_by", "note"])
        audit.record(
            action="report.critical_acknowledged",
            actor=by,
            patient=row.version.report.patient,
            subject=f"critical:{row.pk}",
            detail={"before": {}, "after": {"waited": int((now - row.told_at).total_seconds() // 60)}, "why": ""},
            now=now,
        )
    return row


def escalate(*, now: datetime) -> int:
    """Past their time and nobody answered: the department and the office hear. Finds its own work; each once."""
    due = CriticalNotice.objects.filter(acknowledged_at=None, escalated_at=None, due_at__lte=now)
    told = 0
    for pk in list(due.order_by("due_at").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            row = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).filter(pk=pk).first()
            if row is None:
                continue
            row.escalated_at = now
            row.save(update_fields=["escalated_at"])
            version = ReportVersion.objects.get(pk=row.version_id)
            payload = {"report": version.report_id, "version": version.number, "notice": row.pk}
            outbox.publish(topic=ESCALATED, key=f"report:{version.report_id}", payload=payload, now=now)
            told += 1
    return told
