"""重复检查 (E6): how long a result holds, and what a doctor must say of one before asking again."""

from datetime import datetime, timedelta

from exams.errors import RepeatUndecided, ResultOutdated
from exams.models import DiagnosticReport, ExamVariant
from hospital import clock


def valid_until(performed_at: datetime, *, valid_days: int) -> datetime:
    """A result holds for `valid_days` times 24 hours after the exam; 0 days: no result makes the exam a repeat."""
    return performed_at + timedelta(days=valid_days)


def still_valid(performed_at: datetime, *, valid_days: int, now: datetime) -> bool:
    return now < valid_until(performed_at, valid_days=valid_days)


def refusal_to_repeat(
    variant: ExamVariant, *, result: DiagnosticReport | None, decided: DiagnosticReport | None, reason: str
) -> RepeatUndecided | None:
    """With a valid result in sight nobody asks again without a reason, written about this very result."""
    if result is None or (decided is not None and decided.pk == result.pk and reason.strip()):
        return None
    return RepeatUndecided(
        exam=variant.name,
        institution=str(result.organization),
        day=f"{clock.today(result.performed_at):%m-%d}",
    )


def refusal_to_use(
    variant: ExamVariant, *, result: DiagnosticReport | None, wanted: DiagnosticReport
) -> ResultOutdated | None:
    """Only the valid result of the same or an equivalent exam takes an exam's place."""
    if result is not None and result.pk == wanted.pk:
        return None
    return ResultOutdated(exam=variant.name)
