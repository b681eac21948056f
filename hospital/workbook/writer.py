"""Write workbooks that the reader takes: the blank one for a hospital to fill in, and filled ones.

Headers carry a note each, choices and references drop-down lists, and the file is the same bytes for
the same content, so that a rebuilt workbook shows no difference where nothing changed.
"""

import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from hospital.workbook.cells import Choice, Codes
from hospital.workbook.reader import REMARK
from hospital.workbook.sheet import Column, Sheet
from hospital.workbook.spec import SHEETS

LAST_ROW = 5000  # how far down the drop-down lists and formats reach in the validations
STAMP = (2026, 1, 1, 0, 0, 0)  # the parcel's own clock, fixed
HEAD = PatternFill("solid", fgColor="DCE9F5")
MUST = PatternFill("solid", fgColor="F6DDC9")


def write_blank(path: str | Path) -> None:
    """The blank workbook: headers, notes, drop-downs, and one example row that the reader skips."""
    Path(path).write_bytes(blank())


def blank(*, sheets: Sequence[Sheet] = SHEETS) -> bytes:
    """The same as the bytes of a file."""
    return packed({sheet.key: [_example(sheet)] for sheet in sheets}, sheets=sheets)


def write(path: str | Path, rows: dict[str, Iterable[dict[str, Any]]], *, sheets: Sequence[Sheet] = SHEETS) -> None:
    """A workbook with these rows; a row is a dict of column names to values as a person would type them."""
    Path(path).write_bytes(packed(rows, sheets=sheets))


def packed(rows: dict[str, Iterable[dict[str, Any]]], *, sheets: Sequence[Sheet] = SHEETS) -> bytes:
    """The same as the bytes of a file."""
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _write_sheet(book.create_sheet(sheet.title), sheet, rows.get(sheet.key, ()), sheets)
    return _same_bytes(book)


def _write_sheet(paper: Worksheet, sheet: Sheet, rows: Iterable[dict[str, Any]], sheets: Sequence[Sheet]) -> None:
    for place, column in enumerate(sheet.columns, start=1):
        letter = get_column_letter(place)
        cell = paper.cell(1, place, column.header + ("*" if column.required else ""))
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="center")
        cell.fill = MUST if column.required else HEAD
        cell.comment = Comment(_note(column), "", height=110, width=260)
        paper.column_dimensions[letter].width = column.width
        validation = _validation(column, sheets)
        if validation:
            paper.add_data_validation(validation)
            validation.add(f"{letter}2:{letter}{LAST_ROW}")
    paper.freeze_panes = "B2"
    paper.row_dimensions[1].height = 24
    for line, row in enumerate(rows, start=2):
        for place, column in enumerate(sheet.columns, start=1):
            value = row.get(column.name)
            if value is not None:
                cell = paper.cell(line, place, value)
                if cell.data_type == "f":
                    cell.data_type = "s"  # a name that begins with = is a name
                cell.number_format = _format(value)


def _format(value: Any) -> str:
    """Texts as text, so that Excel keeps the noughts of a code; dates and times as the reader takes them."""
    if isinstance(value, datetime):
        return "yyyy-mm-dd hh:mm"
    if isinstance(value, date):
        return "yyyy-mm-dd"
    return "hh:mm" if isinstance(value, time) else "@" if isinstance(value, str) else "General"


def _example(sheet: Sheet) -> dict[str, Any]:
    first, *rest = sheet.columns
    return {first.name: f"{REMARK} 示例 {first.example}"} | {column.name: column.example for column in rest}


def _note(column: Column) -> str:
    must = "必填" if column.required else "可空"
    return "\n".join(part for part in (f"{must}。{column.kind.hint()}", column.note) if part)


def _validation(column: Column, sheets: Sequence[Sheet]) -> DataValidation | None:
    """A drop-down list: of the words of a choice, or of the codes on the sheet that the column points at."""
    if isinstance(column.kind, Choice):
        formula = '"' + ",".join(column.kind.words) + '"'
    elif column.points_at and not isinstance(column.kind, Codes):
        target = next(sheet for sheet in sheets if sheet.key == column.points_at)
        formula = f"'{target.title}'!$A$2:$A${LAST_ROW}"
    else:
        return None
    validation = DataValidation(type="list", formula1=formula, allow_blank=not column.required)
    validation.error, validation.errorTitle = "请从下拉列表中选择。", column.header
    return validation


def _same_bytes(book: Workbook) -> bytes:
    """Save, then pack again with a fixed clock: openpyxl writes the time of saving into the file."""
    loose, packed = BytesIO(), BytesIO()
    book.save(loose)
    with zipfile.ZipFile(loose) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in sorted(source.namelist()):
            content = source.read(entry)
            if entry == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-01T00:00:00Z", content)
            target.writestr(zipfile.ZipInfo(entry, STAMP), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
