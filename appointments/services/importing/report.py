"""What an import would change or has changed, row by row, with the values before and after."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

NEW, CHANGED, MISSING = "new", "changed", "missing"


@dataclass(frozen=True)
class Change:
    """One row of the hospital that differs from the workbook."""

    kind: str  # NEW, CHANGED or MISSING
    sheet: str
    row: int | None  # in the workbook; None for what the workbook no longer has
    label: str
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # header → before, after


@dataclass(frozen=True)
class Stranded:
    """A half-day with booked patients whose doctor is no longer on duty: the office stops or substitutes it."""

    schedule: int
    label: str
    booked: int


@dataclass
class Report:
    """Everything that one import found."""

    changes: list[Change] = field(default_factory=list)
    stranded: list[Stranded] = field(default_factory=list)
    applied: bool = False

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]

    @property
    def digest(self) -> str:
        """Of everything that would happen: the same digest, the same effect."""
        said = [(one.kind, one.sheet, one.row, one.label, sorted(one.fields.items())) for one in self.changes]
        said += [(one.schedule, one.label, one.booked) for one in self.stranded]
        return hashlib.sha256(repr(said).encode()).hexdigest()

    def counts(self) -> dict[str, int]:
        return {kind: len(self.of(kind)) for kind in (NEW, CHANGED, MISSING)}
