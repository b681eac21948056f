"""One row a figure: printed for people, written to results.json for machines."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from unicodedata import east_asian_width

RESULTS = Path(os.environ.get("BENCH_RESULTS") or Path(__file__).with_name("results.json"))


@dataclass(frozen=True)
class Row:
    """`ratio` is what the target is about; `ours` and `reference` are the medians it comes from."""

    name: str
    ours: float
    reference: float | None
    ratio: float
    target: float
    better: str  # higher | lower
    unit: str = ""
    stretch: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        return self.ratio >= self.target if self.better == "higher" else self.ratio <= self.target


def compare(name: str, ours: list[float], reference: list[float], **more) -> Row:
    """Medians and the ratio of medians."""
    mine, other = median(ours), median(reference)
    return Row(name, mine, other, mine / other if other else float("inf"), **more)


def measured(name: str, values: list[float], *, target: float, better: str = "lower", **more) -> Row:
    """A figure of ours that has no reference: the median itself is what the target is about."""
    ours = median(values)
    return Row(name, ours, None, ours, target, better, **more)


def exactly(name: str, ours: float, wanted: float, **more) -> Row:
    """A count that has one right value."""
    return Row(name, ours, None, ours, wanted, **more)


def as_text(rows: list[Row]) -> str:
    head = ("figure", "ours", "reference", "ratio", "target", "stretch", "met")
    lines = [head] + [
        (
            row.name,
            _number(row.ours, row.unit),
            _number(row.reference, row.unit),
            _number(row.ratio),
            f"{'≥' if row.better == 'higher' else '≤'} {row.target:g}",
            "" if row.stretch is None else f"{row.stretch:g}",
            "yes" if row.met else "NO",
        )
        for row in rows
    ]
    widths = [max(_width(line[n]) for line in lines) for n in range(len(head))]
    lines.insert(1, tuple("-" * width for width in widths))
    padded = (" | ".join(cell + " " * (widths[n] - _width(cell)) for n, cell in enumerate(line)) for line in lines)
    text = "\n".join(f"| {line} |" for line in padded)
    notes = "\n".join(f"- {row.name}: {row.note}" for row in rows if row.note)
    return f"{text}\n\n{notes}"


def write(rows: list[Row], *, about: dict) -> None:
    RESULTS.write_text(
        json.dumps(
            {"about": about, "rows": [asdict(row) | {"met": row.met} for row in rows]}, indent=1, ensure_ascii=False
        )
        + "\n"
    )


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return "–"
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
