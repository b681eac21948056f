"""Read an Excel file into typed rows, and report every wrong cell at once."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from openpyxl.utils import get_column_letter

from hospital.workbook.cells import tidy
from hospital.workbook.laws import broken_laws
from hospital.workbook.opening import Paper, about, opened
from hospital.workbook.problems import Problem, WrongCell, WrongWorkbook
from hospital.workbook.problems import mark as _
from hospital.workbook.sheet import Column, Content, Row, Sheet
from hospital.workbook.spec import SHEETS

MOST_ROWS = 20_000  # a sheet; the largest hospitals have some 5,000 template rows, their people come in a few files
EMPTY_ROWS_AT_THE_END = 500  # after so many, what follows is formatting, not data
EMPTY = _("这里不能空着。")
REMARK = "#"  # a row whose first cell starts so is an explanation, not data


def read(file: str | Path | IO[bytes], *, name: str = "") -> Content:
    """Everything that the hospital's workbook says. Raises WrongWorkbook with all problems; reads nothing halfway."""
    content, problems = read_all(file, name=name, sheets=SHEETS)
    problems += broken_laws(content)
    if problems:
        raise WrongWorkbook(in_order(problems, SHEETS))
    return content


def read_all(file: str | Path | IO[bytes], *, name: str = "", sheets: Sequence[Sheet]) -> tuple[Content, list[Problem]]:
    """Every row, and every cell or sheet that is wrong by itself. Raises WrongWorkbook when it is no workbook."""
    problems: list[Problem] = []
    known = {sheet.title: sheet for sheet in sheets}
    rows: dict[str, list[Row]] = {}
    with opened(file, name=name) as papers:
        present = {_bare(paper.title): paper for paper in papers}
        for title in present.keys() - known.keys():
            problems.append(about(title, _("没有叫“%(title)s”的表。"), _("请改成这些名字之一，或删去：%(titles)s。"),
                                  title=title, titles="、".join(known)))  # fmt: skip
        for sheet in sheets:
            if sheet.title in present:
                rows[sheet.key] = _read_sheet(sheet, present[sheet.title], problems)
            elif not sheet.optional:
                problems.append(about(sheet.title, _("缺少这张表。"), _("请从空白工作簿复制这张表，表名不要改。")))
    return Content(rows), problems


def in_order(problems: list[Problem], sheets: Sequence[Sheet]) -> list[Problem]:
    """In the order of the sheets and rows."""
    order = {sheet.title: place for place, sheet in enumerate(sheets)}
    return sorted(problems, key=lambda p: (order.get(p.sheet, -1), p.row or 0, p.column))


def _read_sheet(sheet: Sheet, paper: Paper, problems: list[Problem]) -> list[Row]:
    problems += _of_looks(sheet, paper)
    lines = paper.lines()
    places = _find_columns(sheet, next(lines, ()), problems)
    rows, empty = [], 0
    for number, cells in enumerate(lines, start=2):
        if empty >= EMPTY_ROWS_AT_THE_END:
            break
        first = tidy(cells[0].value) if cells else None
        if all(tidy(cell.value) is None for cell in cells):
            empty += 1
        elif isinstance(first, str) and first.startswith(REMARK):
            empty = 0
        elif number > MOST_ROWS + 1:
            problems.append(about(sheet.title, _("超过 %(most)s 行。"), _("请拆成几个文件。"), most=MOST_ROWS))
            break
        else:
            empty = 0
            rows.append(_read_row(sheet, number, cells, places, problems))
    return rows


def _of_looks(sheet: Sheet, paper: Paper) -> list[Problem]:
    """What the eye does not see as the reader does: merged cells, hidden rows, a hidden sheet."""
    found = []
    for cells in paper.merged:
        letters, number = re.match(r"\$?([A-Z]*)\$?(\d{0,7})", cells).groups()
        found.append(
            Problem(sheet.title, int(number or 1), letters,
                    _("%(cells)s 是合并单元格。"), _("请取消合并，每一行都填完整。"), {"cells": cells})
        )  # fmt: skip
    if paper.hidden:
        found.append(
            Problem(sheet.title, paper.hidden[0], "",
                    _("从这一行起有 %(count)s 行被隐藏或筛掉了，看不见的行不导入。"),
                    _("请取消隐藏和筛选，看过后再上传；不要的行请删去。"), {"count": len(paper.hidden)})
        )  # fmt: skip
    if paper.is_hidden:
        found.append(about(sheet.title, _("这张表被隐藏了。"), _("请取消隐藏，看过后再上传。")))
    return found


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
            raise WrongCell(EMPTY, _("请填写%(header)s。"), header=column.header)
        return column.default
    return column.kind.read(value)


def _bare(header: Any) -> str | None:
    """A header or title without blanks and without the star that marks what must be filled in."""
    text = tidy(header)
    return text if text is None else str(text).rstrip("*＊ ").strip()
