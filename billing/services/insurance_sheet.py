"""医保目录 as a file: an Excel workbook or CSV, read as a whole; every wrong row is said at once."""

import csv
import io
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from openpyxl import Workbook

from billing.models import InsuranceItem
from hospital.workbook import writer
from hospital.workbook.cells import DIGITS, Choice, Code, Text
from hospital.workbook.problems import Problem, WrongCell, WrongWorkbook
from hospital.workbook.problems import mark as _
from hospital.workbook.reader import MOST_ROWS, in_order, read_all
from hospital.workbook.sheet import Column, Sheet
from hospital.workbook.spec import starred

from .insurance_tables import Item

KLASS_WORDS = {"A": "甲类", "B": "乙类", "C": "丙类"}
KLASSES = {"甲": "A", "甲类": "A", "A": "A", "乙": "B", "乙类": "B", "B": "B", "丙": "C", "丙类": "C", "C": "C"}


@dataclass(frozen=True)
class Percent:
    """0 to 100; 10, 10% and, in a cell that Excel shows as a percentage, 0.1 with its sign."""

    def read(self, value: Any) -> Decimal:
        text = str(value).translate(DIGITS).strip().removesuffix("%").removesuffix("％").strip()
        try:
            percent = Decimal(text)
            if isinstance(value, bool) or not percent.is_finite():
                raise InvalidOperation
        except InvalidOperation:
            raise WrongCell(_("“%(value)s”不是百分比。"), _("请填 0 到 100，例如 10。"), value=value) from None
        if not 0 <= percent <= 100 or percent != round(percent, 2):
            raise WrongCell(_("%(value)s 超出范围。"), _("请填 0 到 100，最多两位小数。"), value=value)
        return percent.quantize(Decimal("0.01"))

    def hint(self) -> str:
        return _("0–100，例如 10")


ITEMS = Sheet(
    "item", "医保目录",
    (starred("价目代码", "code", Code(20), example="GH01", width=16),
     Column("名称", "name", Text(120), default="", example="普通号", note=_("只供核对，不导入。"), width=24),
     starred("国家医保编码", "national_code", Text(30), example="001101000010000", width=26),
     starred("类别", "klass", Choice(KLASSES), example="甲类"),
     Column("先行自付", "own_percent", Percent(), default=Decimal("0.00"), example=0,
            note=_("乙类的先行自付比例（%）；甲类、丙类空着。"))),
    ("code",),
)  # fmt: skip
SHEETS = (ITEMS,)
MOST_BYTES = 10 * 2**20


def read(file: IO[bytes], *, name: str) -> list[Item]:
    """Raises WrongWorkbook with every wrong row."""
    if name.lower().endswith(".csv"):
        file = io.BytesIO(_as_workbook(file.read(), name))
    content, problems = read_all(file, name=name, sheets=SHEETS)
    problems += _laws(content[ITEMS.key])
    if problems:
        raise WrongWorkbook(in_order(problems, SHEETS))
    return [Item(row.code, row.national_code, row.klass, row.own_percent) for row in content[ITEMS.key]]


def _laws(rows) -> list[Problem]:
    found, seen = [], {}
    if not rows:
        return [Problem(ITEMS.title, None, "", _("没有一行数据。"), _("请从第二行起填写，再上传。"))]
    for row in rows:
        if "code" not in row.wrong and row.code in seen:
            wrong, cure = _("价目代码和第 %(row)s 行重复。"), _("一个代码只留一行。")
            found.append(row.problem("code", wrong, cure, row=seen[row.code]))
        seen.setdefault(row.code, row.number)
        if {"klass", "own_percent"} & row.wrong:
            continue
        if row.klass != InsuranceItem.Klass.B and row.own_percent:
            found.append(
                row.problem("own_percent", _("只有乙类有先行自付。"), _("请改成 0 或空着，或把类别改成乙类。"))
            )
    return found


def _as_workbook(content: bytes, name: str) -> bytes:
    """The lines of a CSV as they would stand in the workbook, so that both are read by one reader."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    if "\0" in text:
        raise WrongWorkbook([Problem(name, None, "", _("这不是文本文件。"), _("请另存为 CSV 或 .xlsx 再上传。"))])
    lines = list(csv.reader(io.StringIO(text), delimiter="\t" if "\t" in text.split("\n", 1)[0] else ","))
    if len(lines) > MOST_ROWS + 1:
        wrong, cure = _("超过 %(most)s 行。"), _("请拆成几个文件。")
        raise WrongWorkbook([Problem(name, None, "", wrong, cure, {"most": MOST_ROWS})])
    book, packed = Workbook(write_only=True), io.BytesIO()
    paper = book.create_sheet(ITEMS.title)
    for line in lines:
        paper.append([_clean(cell) for cell in line])
    book.save(packed)
    return packed.getvalue()


def _clean(cell: str) -> str | None:
    """Control characters, which no cell may hold, and blanks around it."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", cell).strip() or None


def packed(rows: list[dict[str, Any]]) -> bytes:
    return writer.packed({ITEMS.key: rows}, sheets=SHEETS)


def blank() -> bytes:
    return writer.blank(sheets=SHEETS)
