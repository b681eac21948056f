"""报告二维码: a short-lived link on a slip of paper. Whoever has the paper must also know the end of the document.

Only the hash of the key is kept. Five misses end a link; a new slip ends those before it (the old one may be lost).
"""

import secrets
import unicodedata
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction

from exams.errors import NoDocumentForLink, NothingToFetch
from exams.models import DiagnosticReport, ExamBooking, ReportLink
from exams.selectors.rules import exam_rule
from hospital import audit, clock
from hospital.models import User
from hospital.models.token import digest

MOST_MISSES = 5
BYTES = 16  # of the key: nobody guesses 128 bits

Status = DiagnosticReport.Status


class State(StrEnum):
    """What a link has to show now. Only READY asks for the last four."""

    ENDED = "ended"  # too many misses, or a newer slip
    EXPIRED = "expired"
    OVER = "over"  # the exam was cancelled or not done
    WAITING = "waiting"
    WITHDRAWN = "withdrawn"
    READY = "ready"


def make(*, booking: ExamBooking, by: User | None, now: datetime) -> str:
    """The key of a new link; it is shown once. Valid ExamRule.link_days from when the result is expected, at the
    earliest from now. Raises NoDocumentForLink, NothingToFetch."""
    if booking.status in ExamBooking.OVER:
        raise NothingToFetch
    if not booking.patient.identifiers.exists():
        raise NoDocumentForLink
    rule = exam_rule(booking.variant.item.organization_id, day=clock.today(now))
    token = secrets.token_urlsafe(BYTES)
    with transaction.atomic():
        ExamBooking.objects.select_for_update(no_key=True, of=("self",)).get(pk=booking.pk)
        booking.links.filter(ended_at=None).update(ended_at=now)
        link = ReportLink.objects.create(
            booking=booking,
            token_hash=digest(token),
            by=by,
            created_at=now,
            expires_at=max(now, expected_at(booking)) + timedelta(days=rule.link_days),
        )
        audit.record(
            action="report.slip_printed", actor=by, patient=booking.patient, subject=f"reportlink:{link.pk}", now=now
        )
    return token


def expected_at(booking: ExamBooking) -> datetime:
    """When the result should be there."""
    return (booking.finished_at or booking.during.upper) + timedelta(minutes=booking.variant.item.result_minutes)


def by_token(token: str) -> ReportLink | None:
    rows = ReportLink.objects.select_related("booking__patient", "booking__variant__item__organization")
    return rows.filter(token_hash=digest(token)).first()


def report_of(link: ReportLink) -> DiagnosticReport | None:
    """What a patient may see of it: never a draft."""
    rows = DiagnosticReport.objects.filter(booking=link.booking_id, current__isnull=False)
    rows = rows.select_related("current__released_by", "variant__item", "organization", "patient")
    return rows.exclude(status=Status.DRAFT).first()


def state_of(link: ReportLink, report: DiagnosticReport | None, *, now: datetime) -> State:
    if link.ended_at:
        return State.ENDED
    if link.expires_at <= now:
        return State.EXPIRED
    if report is not None:
        return State.WITHDRAWN if report.status == Status.WITHDRAWN else State.READY
    return State.OVER if link.booking.status in ExamBooking.OVER else State.WAITING


def proves(link: ReportLink, said: str, *, now: datetime) -> bool:
    """Whether these are the last four of a document of the patient. A miss is counted; the fifth ends the link."""
    with transaction.atomic():
        row = ReportLink.objects.select_for_update(no_key=True).get(pk=link.pk)
        if row.ended_at or row.expires_at <= now:
            return False
        written = unicodedata.normalize("NFKC", said).strip().upper()
        if written and link.booking.patient.identifiers.filter(last4=written).exists():
            return True
        row.misses += 1
        row.ended_at = now if row.misses >= MOST_MISSES else None
        row.save(update_fields=["misses", "ended_at"])
        audit.record(
            action="report.link_missed",
            actor=None,
            patient=link.booking.patient,
            subject=f"reportlink:{row.pk}",
            detail={"misses": row.misses},
            now=now,
        )
    link.misses, link.ended_at = row.misses, row.ended_at
    return False
