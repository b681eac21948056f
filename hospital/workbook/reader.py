"""Read an Excel file into typed rows, and report every wrong cell at once."""

import zipfile
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from hospital.workbook.cells import tidy
from hospital.workbook.laws import broken_laws
from hospital.workbook.problems import Problem, WrongCell, WrongWorkbook
from hospital.workbook.problems import mark as _
from hospital.workbook.sheet import Column, Content, Row, Sheet
from hospital.workbook.spec import SHEETS

MOST_BYTES = 200 * 1024 * 1024  # unpacked: a small file that unpacks to gigabytes never reaches the parser
MOST_ROWS = 20_000  # a sheet; the largest hospitals have some 5,000 template rows
EMPTY_ROWS_AT_THE_END = 500  # after so many, what follows is formatting, not data
REMARK = "#"  # a row whose first cell starts so is an explanation, not data


def read(path: str | Path) -> Content:
    """Everything that the workbook says. Raises WrongWorkbook with all problems; reads nothing halfway."""
    book = _open(path)
    problems: list[Problem] = []
    known = {sheet.title: sheet for sheet in SHEETS}
    present = {_bare(title): book[title] for title in book.sheetnames if isinstance(book[title], Worksheet)}
    for title in present.keys() - known.keys():
        problems.append(_about(title, _("没有叫“%(title)s”的表。"), _("请改成这些名字之一，或删去：%(titles)s。"),
                               title=title, titles="、".join(known)))  # fmt: skip
    rows: dict[str, list[Row]] = {}
    for sheet in SHEETS:
        if sheet.title in present:
            rows[sheet.key] = _read_sheet(sheet, present[sheet.title], problems)
        elif not sheet.optional:
            problems.append(_about(sheet.title, _("缺少这张表。"), _("请从空白工作簿复制这张表，表名不要改。")))
    content = Content(rows)
    problems += broken_laws(content)
    if problems:
        order = {sheet.title: place for place, sheet in enumerate(SHEETS)}
        raise WrongWorkbook(sorted(problems, key=lambda p: (order.get(p.sheet, -1), p.row or 0, p.column)))
    return content


def _open(path: str | Path):
    """The workbook, or a plain sentence when it is no workbook at all."""
    name = Path(path).name
    try:
        with zipfile.ZipFile(path) as parcel:
            if sum(entry.file_size for entry in parcel.infolist()) > MOST_BYTES:
                raise WrongWorkbook([_about(name, _("文件太大。"), _("请删去图片和多余的格式后另存。"))])
        return load_workbook(path)
    except FileNotFoundError:
        raise WrongWorkbook([_about(name, _("找不到这个文件。"), _("请检查路径。"))]) from None
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
        raise WrongWorkbook(
            [_about(name, _("这不是能读的 Excel 工作簿。"), _("请用 Excel 或 WPS 另存为 .xlsx，不要加密码。"))]
        ) from None


def _read_sheet(sheet: Sheet, paper: Worksheet, problems: list[Problem]) -> list[Row]:
    for merged in paper.merged_cells.ranges:
        problems.append(
            Problem(sheet.title, merged.min_row, get_column_letter(merged.min_col),
                    _("%(cells)s 是合并单元格。"), _("请取消合并，每一行都填完整。"), {"cells": merged.coord})
        )  # fmt: skip
    lines = paper.iter_rows(max_col=min(paper.max_column, 100))
    headers = next(lines, ())
    places = _find_columns(sheet, headers, problems)
    rows, empty = [], 0
    for number, cells in enumerate(lines, start=2):
        if empty >= EMPTY_ROWS_AT_THE_END:
            break
        first = tidy(cells[0].value) if cells else None
        if all(tidy(cell.value) is None for cell in cells):
            empty += 1
        elif isinstance(first, str) and first.startswith(REMARK):
            empty = 0
        elif number > MOST_ROWS:
            problems.append(_about(sheet.title, _("超过 %(most)s 行。"), _("请拆成几个文件。"), most=MOST_ROWS))
            break
        else:
            empty = 0
            rows.append(_read_row(sheet, number, cells, places, problems))
    return rows


def _find_columns(sheet: Sheet, headers, problems: list[Problem]) -> dict[str, int]:
    """Where each column stands; they may come in any order, but each once and no others."""
    places: dict[str, int] = {}
    known = {column.header: column for column in sheet.columns}
    for place, cell in enumerate(headers):
        header = _bare(cell.value)
        if header is None:
            continue
        column = known.get(header)
        where = f"{get_column_letter(place + 1)} {header}"
        if column is None:
            cure = _("请改成这些列名之一，或删去：%(names)s。")
            problems.append(Problem(sheet.title, 1, where, _("没有这一列。"), cure, {"names": "、".join(known)}))
        elif column.name in places:
            problems.append(Problem(sheet.title, 1, where, _("这一列出现了两次。"), _("请只保留一列。")))
        else:
            places[column.name] = place
    for column in sheet.columns:
        if column.required and column.name not in places:
            problems.append(Problem(sheet.title, 1, column.header, _("缺少这一列。"),
                                    _("请在第一行加上列名“%(header)s”。"), {"header": column.header}))  # fmt: skip
    return places


def _read_row(sheet: Sheet, number: int, cells, places: dict[str, int], problems: list[Problem]) -> Row:
    row = Row(sheet, number, {name: get_column_letter(place + 1) for name, place in places.items()}, {})
    for column in sheet.columns:
        place = places.get(column.name)
        try:
            row.values[column.name] = column.default if place is None else _read_cell(column, cells[place])
        except WrongCell as wrong:
            row.values[column.name] = None
            row.wrong.add(column.name)
            problems.append(row.problem(column.name, wrong.wrong, wrong.cure, **wrong.values))
    return row


def _read_cell(column: Column, cell) -> Any:
    if cell.data_type == "f":
        raise WrongCell(_("这里是公式。"), _("请复制后用“选择性粘贴—数值”换成结果。"))
    if cell.data_type == "e":
        raise WrongCell(_("这里是错误值 %(value)s。"), _("请改成正确的内容。"), value=cell.value)
    value = tidy(cell.value)
    if value is None:
        if column.required:
            raise WrongCell(_("这里不能空着。"), _("请填写%(header)s。"), header=column.header)
        return column.default
    return column.kind.read(value)


def _bare(header: Any) -> str | None:
    """A header or title without blanks and without the star that marks what must be filled in."""
    text = tidy(header)
    return text if text is None else str(text).rstrip("*＊ ").strip()


def _about(sheet: str, wrong: str, cure: str, **values) -> Problem:
    return Problem(sheet, None, "", wrong, cure, values)
