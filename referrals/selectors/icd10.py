"""ICD-10: the common codes of primary care and county hospitals, searched in memory; nothing is asked of the net.

`referrals/data/icd10.csv`: codes of the WHO's edition of 2019, three or four characters; names after GB/T 14396, and
what doctors say for short (冠心病, 慢阻肺). What is not on the list is written as free text, without a code.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hospital import pinyin

LIST = Path(__file__).resolve().parent.parent / "data" / "icd10.csv"
MOST = 12
CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Code:
    """`said`: the name and what doctors say for it, each with its pinyin and initials; `short`: the first of these."""

    code: str
    name: str
    short: str
    said: tuple[tuple[str, str, str], ...]

    def __str__(self):
        return f"{self.code} {self.name}"


def search(text: str, *, limit: int = MOST) -> list[Code]:
    """By code (i10, E11.9), Chinese, pinyin or initials; the nearest first. Several words must all be there."""
    words = [word for word in re.split(r"[\s,，、]+", text.strip().lower()) if word][:5]
    if not words:
        return []
    ranked = []
    for place, row in enumerate(_rows()):
        ranks = [_rank(row, word) for word in words]
        if None not in ranks:
            ranked.append((max(ranks), len(row.name), place, row))
    return [row for *_order, row in sorted(ranked, key=lambda found: found[:3])[:limit]]


def find(code: str) -> Code | None:
    return _by_code().get(code.strip().upper())


def named(code: str, typed: str) -> str:
    """The diagnosis in words: what was typed, unless that was only how the code was looked for (gxy, i10)."""
    row = find(code)
    typed = typed.strip()
    return row.name if row and not CHINESE.search(typed) else typed


def meant(code: str, typed: str) -> str:
    """The code that a pick and the box beside it say together. A pick goes when the box then looks for something else;
    what can only be one code, or is one, needs no pick."""
    row, words = find(code), typed.strip()
    rows = search(words, limit=len(_rows()))
    if row and (not rows or row in rows):
        return row.code
    if exact := find(words):
        return exact.code
    return rows[0].code if len(rows) == 1 and not CHINESE.search(words) else ""


def only_searched(code: str, typed: str) -> bool:
    """Initials or the beginning of a code (gxy, E1), and nothing picked: no diagnosis yet."""
    return not meant(code, typed) and not CHINESE.search(typed) and bool(search(typed, limit=1))


def _rank(row: Code, word: str) -> int | None:
    """0: exactly this, also in short; 1: begins so; 2: one of its names in short does; 3, 4: somewhere inside."""
    code = row.code.lower()
    if word in (code, code.replace(".", "")):
        return 0
    if code.startswith(word) or code.replace(".", "").startswith(word):
        return 1
    best = None
    for place, (name, full, initials) in enumerate(row.said):
        if word in (name, full, initials):
            found = 0
        elif name.startswith(word) or initials.startswith(word) or full.startswith(word):
            found = 1 if place == 0 else 2
        elif word in name:
            found = 3
        elif len(word) > 1 and (word in initials or (len(word) > 3 and word in full)):
            found = 4
        else:
            continue
        best = found if best is None else min(best, found)
    return best


@cache
def _rows() -> tuple[Code, ...]:
    """Read once per process, in a quarter of a second."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return tuple(_row(*line) for line in list(csv.reader(file))[1:])


@cache
def _by_code() -> dict[str, Code]:
    return {row.code: row for row in _rows()}


def _row(code: str, name: str, aliases: str) -> Code:
    names = [name, *aliases.split()]
    return Code(code, name, "".join(names[1:2]), tuple((one.lower(), *pinyin.of_thing(one)) for one in names))
