"""核对报告: counted from the lines of a run, so that the sums always add up."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count

from appointments.models import ImportLine, ImportRun
from hospital.workbook.cutover import SHEETS

from .verdicts import Outcome, sentences


@dataclass
class Sums:
    """Of one sheet. `in_file` = waiting + imported + there + refused, by construction."""

    title: str
    outcomes: Counter = field(default_factory=Counter)
    reasons: Counter = field(default_factory=Counter)  # code → rows

    @property
    def in_file(self) -> int:
        return sum(self.outcomes.values())

    @property
    def waiting(self) -> int:
        return self.outcomes[Outcome.WAITING]

    @property
    def imported(self) -> int:
        return self.outcomes[Outcome.IMPORTED]

    @property
    def there(self) -> int:
        return self.outcomes[Outcome.THERE]

    @property
    def refused(self) -> int:
        return self.outcomes[Outcome.REFUSED]

    @property
    def why(self) -> list[tuple[str, str, int]]:
        """(what is wrong, cure, rows), the commonest first."""
        return [(*sentences(code), count) for code, count in self.reasons.most_common()]


def reconciliation(run: ImportRun) -> list[Sums]:
    """One query."""
    found: dict[int, Sums] = {place: Sums(sheet.title) for place, sheet in enumerate(SHEETS)}
    rows = ImportLine.objects.filter(run=run).order_by().values_list("place", "outcome", "code")
    for place, outcome, code, count in rows.annotate(count=Count("pk")):
        found[place].outcomes[outcome] += count
        if outcome == Outcome.REFUSED:
            found[place].reasons[code] += count
    return list(found.values())


def counts_of(run: ImportRun) -> dict[str, int]:
    """Over all sheets, for the audit."""
    totals: dict[str, int] = defaultdict(int)
    for sums in reconciliation(run):
        for outcome, count in sums.outcomes.items():
            totals[str(outcome)] += count
    return dict(totals)


def refused_lines(run: ImportRun) -> Iterator[tuple[str, int, str, str, str]]:
    """(sheet, row, column, what is wrong, cure) of every row that was not imported."""
    rows = ImportLine.objects.filter(run=run, outcome=Outcome.REFUSED).order_by("place", "row")
    for line in rows.iterator():
        yield SHEETS[line.place].title, line.row, line.column, *sentences(line.code, SHEETS[line.place], line.column)
