"""One settlement of all that is owed (M4): which invoices may be brought onto one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Owed:
    """What an owed invoice is. `clean`: all its lines on credit, nothing paid; `insured`: a settlement of the insurance
    stands or is under way."""

    invoice: int
    insurance: str
    due_at: datetime
    clean: bool
    insured: bool


def gathered(rows: Sequence[Owed]) -> tuple[int, list[int]] | None:
    """(the one that takes all, those that go onto it). The one due first takes, so that nobody gains days by it. What
    the insurance has settled, or somebody paid a part of, stays by itself. None where nothing is to be brought
    together."""
    takers = sorted((row for row in rows if not row.insured), key=lambda row: (row.due_at, row.invoice))
    for taker in takers:
        others = [row.invoice for row in takers if row.clean and row is not taker and row.insurance == taker.insurance]
        if others:
            return taker.invoice, others
    return None
