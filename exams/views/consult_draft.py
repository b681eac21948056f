"""What a doctor has chosen and not yet asked for. Kept with the session, for the patient in the room only: a reload, a
look at another kind or a new sign-in in the same window loses nothing, and the next patient starts empty."""

from dataclasses import asdict, dataclass, field
from datetime import date

from django.http import HttpRequest, QueryDict

from appointments.models import Encounter
from exams.models import ExamRequest

KEY = "consult_exams"
MOST = 20
"""Exams in one list; nobody asks for more in one visit."""

Priority = ExamRequest.Priority


@dataclass
class DraftLine:
    """`report`: the valid result that is passed over, `why`: the reason for it. `cleared`: the doctor's word against a
    "needs a check first" answer."""

    variant: int
    from_set: int | None = None
    priority: str = Priority.ROUTINE
    report: int | None = None
    why: str = ""
    cleared: str = ""


@dataclass
class Draft:
    encounter: int
    lines: list[DraftLine] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    back: str = ""  # ISO day, or "none": the doctor wants no return date
    half: str = ""
    first: str = ""  # ISO day to plan from

    @classmethod
    def of(cls, request: HttpRequest, encounter: Encounter) -> "Draft":
        kept = request.session.get(KEY) or {}
        if kept.get("encounter") != encounter.pk:
            return cls(encounter.pk)
        return cls(**{**kept, "lines": [DraftLine(**line) for line in kept["lines"]]})

    def keep(self, request: HttpRequest) -> None:
        request.session[KEY] = asdict(self)

    @property
    def ids(self) -> list[int]:
        return [line.variant for line in self.lines]

    def line(self, variant: int) -> DraftLine | None:
        return next((line for line in self.lines if line.variant == variant), None)

    def add(self, variant: int, *, from_set: int | None = None) -> None:
        """A second time is none."""
        if self.line(variant) is None and len(self.lines) < MOST:
            self.lines.append(DraftLine(variant, from_set=from_set))

    def remove(self, variant: int) -> None:
        self.lines = [line for line in self.lines if line.variant != variant]

    def change(self, old: int, new: int) -> None:
        """Another way of the same exam. What was said of a result stays: it is about the item."""
        line = self.line(old)
        if line and self.line(new) is None:
            line.variant = new

    def take_typed(self, typed: QueryDict) -> None:
        """Whatever button was pressed, nothing typed is lost."""
        if "reason" in typed:
            self.reason = typed["reason"].strip()[:200]
        for line in self.lines:
            line.why = typed.get(f"why-{line.variant}", line.why).strip()[:200]
            seen = typed.get(f"report-{line.variant}", "")
            line.report = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else line.report
            line.cleared = typed.get(f"cleared-{line.variant}", line.cleared).strip()[:200]
        if "back" in typed:
            self.back = _day(typed["back"]) or "none"
        self.first = _day(typed.get("first", self.first))
        if typed.get("half") in ("", "am", "pm"):
            self.half = typed["half"]

    def asked(self) -> None:
        """The list is with the exam departments now; the wishes for the plan stay."""
        self.lines, self.reason = [], ""


def _day(text: str) -> str:
    """An ISO day, or nothing for what is none."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""
