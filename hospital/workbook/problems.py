"""What can be wrong with a hospital's workbook, said so that the person who filled it in can cure it."""

from dataclasses import dataclass, field


def mark(text: str) -> str:
    """Mark a sentence for the message catalogue. This package knows no Django, so whoever shows it translates."""
    return text


@dataclass(frozen=True)
class Problem:
    """One wrong place: where it is, what is wrong there, and what to do about it."""

    sheet: str
    row: int | None  # as Excel counts; None when the whole sheet is meant
    column: str  # "G 诊室"; empty when the whole row is meant
    wrong: str
    cure: str
    values: dict = field(default_factory=dict, compare=False)

    def sentences(self, translate=str) -> tuple[str, str]:
        """What is wrong and the cure, in the reader's language."""
        return translate(self.wrong) % self.values, translate(self.cure) % self.values

    def __str__(self) -> str:
        wrong, cure = self.sentences()
        return f"{self.sheet} {self.row or '-'} {self.column or '-'}：{wrong} {cure}"


class WrongWorkbook(Exception):
    """The workbook can't be used; `problems` lists every wrong place at once, in the order of the sheets."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class WrongCell(Exception):
    """A single cell can't be read as what its column holds."""

    def __init__(self, wrong: str, cure: str, **values):
        self.wrong, self.cure, self.values = wrong, cure, values
        super().__init__(wrong % values)
