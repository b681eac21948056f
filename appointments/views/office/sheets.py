"""Lists as Excel files: written row by row to a temporary file, so that a long list costs little memory."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from tempfile import TemporaryFile
from typing import IO, Any

from django.http import FileResponse, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font, PatternFill

from hospital import clock

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD = PatternFill("solid", fgColor="DCE9F5")
MOST_ROWS = 50_000
"""Of one list. Beyond it the last row says so: a filter finds what is wanted, and Excel stays usable."""

FORMULA = re.compile(r"[=+\-@\t\r]")
"""What a cell must not begin with: Excel and its kin would compute it, and what patients type is not a formula."""

WIDTHS = (8, 40)  # characters, least and most


def safe(value: Any) -> Any:
    """As a cell takes it: times as the hospital's wall time, texts that could be formulas marked as text."""
    if isinstance(value, datetime):
        return value.astimezone(clock.ZONE).replace(tzinfo=None)
    if value is None or isinstance(value, bool | int | float | date | time):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub("", str(value))
    return f"'{text}" if FORMULA.match(text) else text


def workbook(sheets: Iterable[tuple[str, list[str], Iterable[Iterable[Any]]]]) -> tuple[IO[bytes], int]:
    """(title, headers, rows) each. Returns the file, open at its beginning, and how many rows it holds."""
    book, count = Workbook(write_only=True), 0
    for title, headers, rows in sheets:
        count += _write(book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31]), headers, rows)
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    book.save(file)
    file.seek(0)
    return file, count


def _write(paper, headers: list[str], rows: Iterable[Iterable[Any]]) -> int:
    paper.freeze_panes = "A2"
    for place, header in enumerate(headers):
        letter = chr(ord("A") + place) if place < 26 else f"A{chr(ord('A') + place - 26)}"
        paper.column_dimensions[letter].width = min(max(WIDTHS[0], 3 * len(header)), WIDTHS[1])
    paper.append([_head(paper, header) for header in headers])
    count = 0
    for row in rows:
        if count == MOST_ROWS:
            paper.append([_("只导出了前 %(most)s 行。请在页面上缩小筛选范围后再导出。") % {"most": MOST_ROWS}])
            break
        paper.append([_cell(paper, value) for value in row])
        count += 1
    return count


def _head(paper, header: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(paper, value=safe(header))
    cell.font, cell.fill = Font(bold=True), HEAD
    return cell


def _cell(paper, value: Any):
    plain = safe(value)
    if isinstance(plain, datetime | time):
        cell = WriteOnlyCell(paper, value=plain)
        cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(plain, datetime) else "hh:mm"
        return cell
    return plain


def file_answer(content: bytes | IO[bytes], name: str) -> HttpResponse:
    """The file to save, never shown or kept by a cache."""
    if isinstance(content, bytes):
        answer = HttpResponse(content, content_type=TYPE)
        answer.headers["Content-Disposition"] = content_disposition_header(True, name)
    else:
        answer = FileResponse(content, as_attachment=True, filename=name, content_type=TYPE)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
