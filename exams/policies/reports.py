"""May a report be written, released, corrected; which values are out of range (E7). Pure: no query, no clock."""

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext_lazy as _

from exams.errors import (
    AlreadyAcknowledged,
    AlreadyReleased,
    ExamNotDone,
    NoteMissing,
    NotExaminedYet,
    NothingCorrected,
    ReportChanged,
    ReportReasonMissing,
    ReportSaysNothing,
    WrongReportState,
)
from exams.models import CriticalNotice, DiagnosticReport, ExamBooking, ReportVersion
from hospital import clock

Status = DiagnosticReport.Status

HIGH, LOW, NORMAL = "high", "low", ""
NUMBER = re.compile(r"[-+]?\d{1,9}(\.\d{1,6})?")
MOST_MEASURED = 60
"""Values of one report: a full blood panel has 30."""


@dataclass(frozen=True)
class Measured:
    """测量值 with its reference range; texts as typed (阴性, 5.6), the range numbers or empty."""

    name: str
    value: str
    unit: str = ""
    low: str = ""
    high: str = ""

    def row(self) -> dict:
        """As a version keeps it."""
        return {**asdict(self), "flag": flag(self.value, self.low, self.high)}


def plain(text: str) -> str:
    """５．６ typed in full width is 5.6."""
    return unicodedata.normalize("NFKC", text).strip()


def number(text: str) -> Decimal | None:
    """The number that was typed; None where it is none (阴性, <0.5, 1e9)."""
    written = plain(text)
    if not NUMBER.fullmatch(written):
        return None
    try:
        return Decimal(written)
    except InvalidOperation:  # pragma: no cover - the pattern leaves nothing of the kind
        return None


def flag(value: str, low: str, high: str) -> str:
    """偏高 or 偏低 against the reference range; its ends are normal. Without a number or a range nothing is said."""
    measured, least, most = number(value), number(low), number(high)
    if measured is None:
        return NORMAL
    if most is not None and measured > most:
        return HIGH
    return LOW if least is not None and measured < least else NORMAL


def refusal_to_register(booking: ExamBooking) -> ExamNotDone | None:
    return None if booking.status == ExamBooking.Status.DONE else ExamNotDone()


def refusal_of_moment(performed_at: datetime, *, birth_date, now: datetime) -> NotExaminedYet | None:
    """When a partner says that it examined."""
    too_early = birth_date is not None and clock.today(performed_at) < birth_date
    return NotExaminedYet() if performed_at > now or too_early else None


def refusal_to_revise(report: DiagnosticReport, version: ReportVersion, *, seen: str) -> Exception | None:
    """`seen`: the mark of what the writer's page showed."""
    if version.released_at or report.current_id:
        return AlreadyReleased(who=str(version.released_by or ""))
    return ReportChanged(who=str(version.by)) if seen and seen != mark(version) else None


def refusal_to_release(report: DiagnosticReport, version: ReportVersion, *, seen: str) -> Exception | None:
    if version.released_at:
        return AlreadyReleased(who=str(version.released_by))
    if report.status != Status.DRAFT:
        return WrongReportState(state=report.get_status_display())
    if seen and seen != mark(version):
        return ReportChanged(who=str(version.by))
    return refusal_of_nothing(version)


def refusal_of_nothing(version: ReportVersion) -> ReportSaysNothing | None:
    said = version.conclusion.strip() or version.measurements or version.file
    return None if said else ReportSaysNothing()


def refusal_to_correct(report: DiagnosticReport, *, reason: str, seen: int | None) -> Exception | None:
    """`seen`: the number of the version that the writer's page showed. A withdrawn one comes back by a correction."""
    current = report.current
    if current is None:
        return WrongReportState(state=report.get_status_display())
    if seen is not None and seen != current.number:
        return ReportChanged(who=str(current.by))
    return None if reason.strip() else ReportReasonMissing(act=_("更正"))


def refusal_of_same(former: ReportVersion, content: dict, *, withdrawn: bool) -> NothingCorrected | None:
    """A withdrawn report may come back as it was."""
    same = all(
        (str(former.file or "") if name == "file" else getattr(former, name)) == said for name, said in content.items()
    )
    return NothingCorrected() if same and not withdrawn else None


def refusal_to_withdraw(report: DiagnosticReport, *, reason: str) -> Exception | None:
    if report.status == Status.WITHDRAWN:
        return WrongReportState(state=report.get_status_display())
    return None if reason.strip() else ReportReasonMissing(act=_("撤回"))


def refusal_to_acknowledge(notice: CriticalNotice, *, note: str) -> Exception | None:
    if notice.acknowledged_at:
        at = notice.acknowledged_at.astimezone(clock.ZONE)
        return AlreadyAcknowledged(who=str(notice.acknowledged_by), at=f"{at:%m-%d %H:%M}")
    return None if note.strip() else NoteMissing()


def mark(version: ReportVersion) -> str:
    """What a page holds of the draft that it showed: the moment of its last word."""
    return version.written_at.isoformat()
