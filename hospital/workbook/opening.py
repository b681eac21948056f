"""Opening whatever somebody uploads as an Excel file: a plain sentence instead of a stack of errors.

Sheets are streamed (openpyxl's read-only mode), so that 10,000 rows cost little memory. What that mode does not
tell, merged cells and hidden rows, is looked for in the sheet's own XML.
"""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from hospital.workbook.problems import Problem, WrongWorkbook
from hospital.workbook.problems import mark as _

MOST_BYTES = 64 * 1024 * 1024
"""Unpacked: a small file that unpacks to gigabytes never reaches the parser. 50,000 rows are about 30 MB."""

MOST_PARTS = 2000  # entries of the parcel; a workbook has a few dozen
MOST_COLUMNS = 100
OLE = bytes.fromhex("D0CF11E0A1B11AE1")  # what old .xls files and password-protected .xlsx files begin with
TAG = re.compile(rb"<(?:\w+:)?(mergeCell|row)\s([^>]*)>")
ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')


@dataclass
class Paper:
    """One sheet as it stands in the file."""

    title: str
    sheet: ReadOnlyWorksheet
    name: str  # of the file, for messages
    merged: list[str] = field(default_factory=list)  # A2:A3
    hidden: list[int] = field(default_factory=list)  # rows

    @property
    def is_hidden(self) -> bool:
        return self.sheet.sheet_state != "visible"

    def lines(self) -> Iterator[tuple]:
        """Rows of cells from the first on; those that the file leaves out come as empty ones."""
        self.sheet.reset_dimensions()  # what the file says of its size is often wrong
        rows = self.sheet.iter_rows(max_col=MOST_COLUMNS)
        while True:
            with _in_words(self.name):
                row = next(rows, None)
            if row is None:
                return
            yield row


@contextmanager
def opened(file: str | Path | IO[bytes], *, name: str = "") -> Iterator[list[Paper]]:
    """The sheets of a workbook. Raises WrongWorkbook when it can't be read at all."""
    name = name or Path(str(file)).name
    _refuse_unreadable(file, name)
    with _in_words(name):
        book = load_workbook(file, read_only=True, keep_links=False)
    try:
        with _in_words(name):
            papers = [_paper(book, sheet, name) for sheet in book.worksheets if isinstance(sheet, ReadOnlyWorksheet)]
        yield papers
    finally:
        book.close()


def _paper(book, sheet: ReadOnlyWorksheet, name: str) -> Paper:
    paper = Paper(sheet.title, sheet, name)
    for match in TAG.finditer(book._archive.read(sheet._worksheet_path)):
        said = dict(ATTRIBUTE.findall(match[2]))
        if match[1] == b"mergeCell":
            paper.merged.append(said.get(b"ref", b"").decode())
        elif said.get(b"hidden") in {b"1", b"true"} and said.get(b"r", b"").isdigit():
            paper.hidden.append(int(said[b"r"]))
    return paper


def _refuse_unreadable(file: str | Path | IO[bytes], name: str) -> None:
    try:
        start = _first_bytes(file)
        if start == OLE:
            wrong = _("这个文件加了密码，或是旧的 .xls 格式。")
            raise WrongWorkbook([about(name, wrong, _("请在 Excel 或 WPS 里取消密码，另存为 .xlsx 后再上传。"))])
        with zipfile.ZipFile(file) as parcel:
            entries = parcel.infolist()
            if sum(entry.file_size for entry in entries) > MOST_BYTES or len(entries) > MOST_PARTS:
                raise WrongWorkbook([about(name, _("文件太大。"), _("请删去图片和多余的格式后另存。"))])
    except FileNotFoundError:
        raise WrongWorkbook([about(name, _("找不到这个文件。"), _("请检查路径。"))]) from None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise _unreadable(name) from None


def _first_bytes(file: str | Path | IO[bytes]) -> bytes:
    if isinstance(file, str | Path):
        with Path(file).open("rb") as stream:
            return stream.read(len(OLE))
    file.seek(0)
    start = file.read(len(OLE))
    file.seek(0)
    return start


@contextmanager
def _in_words(name: str):
    """Whatever the parser raises about a broken file is one sentence: it has no family of errors of its own."""
    try:
        yield
    except WrongWorkbook:
        raise
    except Exception:
        raise _unreadable(name) from None


def _unreadable(name: str) -> WrongWorkbook:
    return WrongWorkbook(
        [about(name, _("这不是能读的 Excel 工作簿。"), _("请用 Excel 或 WPS 另存为 .xlsx，不要加密码。"))]
    )


def about(sheet: str, wrong: str, cure: str, **values: Any) -> Problem:
    """Something about a whole sheet or file."""
    return Problem(sheet, None, "", wrong, cure, values)
