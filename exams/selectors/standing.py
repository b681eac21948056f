"""May this patient still book exams alone, after what was missed (E5)."""

from datetime import date, datetime

from exams.errors import ExamsSuspended
from exams.models import ExamNoShow, Modality
from exams.policies import visit as policy
from hospital import clock

from .rules import exam_rule


def suspended_until(patient_id: int, organization_id: int, *, now: datetime) -> datetime | None:
    """When the patient may book exams alone again in this organization; None: already now. Two queries."""
    missed = ExamNoShow.objects.filter(
        patient=patient_id, booking__request__organization=organization_id, excused_at__isnull=True
    )
    rows = _once_a_draw(missed)
    if not rows:
        return None
    until = policy.suspended_until(rows, rule=exam_rule(organization_id, day=clock.today(now)))
    return until if until and until > now else None


def _once_a_draw(missed) -> list[tuple[date, datetime]]:
    """(day, marked at). The blood tests of a day are one needle, so one miss."""
    found: dict[tuple, tuple[date, datetime]] = {}
    rows = missed.order_by("marked_at").values_list("pk", "day", "marked_at", "booking__variant__item__modality")
    for pk, day, marked_at, modality in rows:
        found.setdefault((day, "") if modality == Modality.LAB else (day, pk), (day, marked_at))
    return list(found.values())


def refusal_to_book_alone(patient_id: int, organization_id: int, *, now: datetime) -> ExamsSuspended | None:
    """For web, app, phone and kiosk. Consult room and booking centre are never suspended."""
    until = suspended_until(patient_id, organization_id, now=now)
    return ExamsSuspended(until=f"{until.astimezone(clock.ZONE):%Y-%m-%d %H:%M}") if until else None
