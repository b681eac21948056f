"""What a sheet and a column are, for the spec, the reader and the writer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hospital.workbook.cells import Text
from hospital.workbook.problems import Problem


@dataclass(frozen=True)
class Column:
    """One column: its Chinese header, the name that code uses, and how its cells are read."""

    header: str
    name: str
    kind: Any = field(default_factory=Text)
    required: bool = False
    default: Any = None
    points_at: str = ""  # the key of the sheet whose first column this one names
    note: str = ""
    example: Any = None
    width: int = 14  # characters, in the written workbook


@dataclass(frozen=True)
class Sheet:
    """One sheet: its Chinese title, what a row is known by, and its columns in the order of the blank workbook."""

    key: str
    title: str
    columns: tuple[Column, ...]
    known_by: tuple[str, ...]  # the names of the columns that make a row unique
    optional: bool = False
    note: str = ""

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass
class Row:
    """A row as read: typed values by column name, and where it stood, for messages."""

    sheet: Sheet
    number: int
    letters: dict[str, str]
    values: dict[str, Any]
    wrong: set[str] = field(default_factory=set)  # columns already reported: no law speaks of them again

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def key(self) -> tuple:
        return tuple(self.values[name] for name in self.sheet.known_by)

    def problem(self, name: str, wrong: str, cure: str, **values) -> Problem:
        """Say that this row's column `name` is wrong."""
        column = f"{self.letters.get(name, '')} {self.sheet.column(name).header}".strip()
        return Problem(self.sheet.title, self.number, column, wrong, cure, values)


@dataclass
class Content:
    """Everything that a workbook says, by sheet key."""

    rows: dict[str, list[Row]]

    def __getitem__(self, key: str) -> list[Row]:
        return self.rows.get(key, [])

    def __iter__(self) -> Iterator[Row]:
        for rows in self.rows.values():
            yield from rows
