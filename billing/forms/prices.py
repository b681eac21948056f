"""Shapes of prices: one, and a list pasted from Excel."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.forms.rules import DayInput
from billing.policies.pricing import CODE, MOST, Wanted
from billing.policies.splitting import FEN
from hospital import plain
from hospital.workbook.cells import Day, Money, tidy
from hospital.workbook.opening import opened
from hospital.workbook.problems import Problem, WrongCell, WrongWorkbook

MOST_LINES = 5_000
MOST_BYTES = 2 * 1024 * 1024


class AmountField(forms.DecimalField):
    def __init__(self, **more):
        super().__init__(
            label=_("金额（元）"), min_value=Decimal(0), max_value=MOST, max_digits=8, decimal_places=2, **more
        )
        self.widget.attrs = {"inputmode": "decimal"}

    def clean(self, value):
        said = super().clean(value)
        return None if said is None else said.quantize(FEN)


class PriceForm(plain.Form):
    """`code` is asked for of a new one only; `today`: the first day is tomorrow unless told otherwise."""

    code = forms.RegexField(
        rf"^{CODE.pattern}$",
        label=_("代码"),
        max_length=20,
        help_text=_("字母、数字、点、横线；定了就不改。"),
        error_messages={"invalid": _("代码只用字母、数字、点、横线和下划线，最多 20 个。")},
    )
    name = forms.CharField(label=_("名称"), max_length=60, strip=True)
    amount = AmountField()
    effective_from = forms.DateField(label=_("生效日"), widget=DayInput())
    why = forms.CharField(label=_("原因"), max_length=100, strip=True, help_text=_("例如文件号：某价〔2026〕12号"))
    seen = forms.IntegerField(widget=forms.HiddenInput(), required=False)

    def __init__(self, *args, code: str = "", today: date, **kwargs):
        initial = {"effective_from": today + timedelta(days=1), **kwargs.pop("initial", {})}
        super().__init__(*args, label_suffix="", initial=initial, **kwargs)
        self.fixed = code
        if code:
            del self.fields["code"]

    def wanted(self) -> Wanted:
        said = self.cleaned_data
        return Wanted(self.fixed or said["code"], said["name"], said["amount"], said["effective_from"])


class WithdrawForm(plain.Form):
    why = forms.CharField(label=_("原因"), max_length=100, strip=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class EndForm(WithdrawForm):
    last_day = forms.DateField(label=_("最后一天"), widget=DayInput())
    field_order = ["last_day", "why"]


@dataclass(frozen=True)
class Wrong:
    """A line that can't be read: its number, and what is wrong with it."""

    line: int
    sentence: str


class ListForm(plain.Form):
    """A list as Excel copies it: code, name, amount and, where it differs, the first day; or a file of that."""

    text = forms.CharField(
        label=_("价目"),
        required=False,
        strip=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "pricelist__text"}),
        help_text=_("从 Excel 复制整块贴在这里，四列：代码、名称、金额、生效日（可空）。第一行可以是表头。"),
    )
    file = forms.FileField(
        label=_("或上传文件"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.txt"}),
        help_text=_(".xlsx、.csv 或 .txt，最大 2 MB；Excel 只读第一张表。"),
        error_messages={"empty": _("这个文件是空的，请重新选一个。")},
    )
    effective_from = forms.DateField(
        label=_("生效日"), widget=DayInput(), help_text=_("没有单独写生效日的行都从这一天起。")
    )
    why = forms.CharField(label=_("原因"), max_length=100, strip=True, help_text=_("例如文件号：某价〔2026〕12号"))

    def __init__(self, *args, cut_off: bool = False, today: date, **kwargs):
        super().__init__(*args, label_suffix="", initial={"effective_from": today + timedelta(days=1)}, **kwargs)
        self.cut_off = cut_off
        self.wrong: list[Wrong] = []
        self.lines: list[Wanted] = []

    def clean_file(self):
        file = self.cleaned_data.get("file")
        if self.cut_off or file and file.size > MOST_BYTES:
            raise ValidationError(_("文件超过 2 MB，请拆成几个文件。"))
        return file

    def clean(self):
        said = super().clean()
        if (file := said.get("file")) and (text := self._read_file(file)) is not None:
            said["text"] = text
            self.data = self.data.copy()
            self.data["text"] = text  # shown in the box, so that it can be corrected there
        if "file" in self.errors:
            return said  # what stands in the box is not what was meant
        if not (said.get("text") or "").strip():
            self.add_error("text", _("请贴上价目，或选一个文件。"))
        elif said.get("effective_from"):
            self._read(said["text"], first_day=said["effective_from"])
        return said

    def _read_file(self, file) -> str | None:
        if not file.name.lower().endswith(".xlsx"):
            return self._decoded(file.read())
        try:
            with opened(file, name=file.name) as [first, *_others]:
                return "\n".join("\t".join(_cell(cell.value) for cell in row[:4]) for row in first.lines())
        except WrongWorkbook as wrong:
            self.add_error("file", " ".join(wrong.problems[0].sentences(gettext)))
        except ValueError:
            self.add_error("file", _("这个工作簿里没有表。"))
        return None

    def _decoded(self, content: bytes) -> str | None:
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
        self.add_error("file", _("读不出这个文件的文字，请另存为“CSV UTF-8”再上传。"))
        return None

    def _read(self, text: str, *, first_day: date) -> None:
        known: dict[tuple[str, date], int] = {}
        for number, cells in enumerate(rows_of(text), start=1):
            if not any(cells) or number == 1 and cells[0] in HEADS:
                continue
            if len(self.lines) >= MOST_LINES:
                self.add_error("text", _("一次最多 %(most)s 行，请分几次导入。") % {"most": MOST_LINES})
                return
            try:
                line = read_line(cells, first_day=first_day)
            except WrongCell as problem:
                self.wrong.append(Wrong(number, _sentence(problem)))
                continue
            if before := known.setdefault((line.code, line.first_day), number) - number:
                said = _("和第 %(line)s 行是同一个代码、同一天。") % {"line": number + before}
                self.wrong.append(Wrong(number, said))
                continue
            self.lines.append(line)
        if self.wrong:
            self.add_error(
                "text", _("有 %(count)s 行读不懂，请按页面上的提示更正，还没有保存。") % {"count": len(self.wrong)}
            )
        elif not self.lines:
            self.add_error("text", _("没有读到价目行。"))


HEADS = ("代码", "价目代码", "编码", "code", "Code")


def _cell(value) -> str:
    """As it would be typed; a tab or a new line in a cell would be read as another."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%F}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())


def rows_of(text: str) -> list[list[str]]:
    """Tabs as Excel copies them, else commas."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter = "\t" if "\t" in text else ","
    return [[str(tidy(cell) or "") for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]


def read_line(cells: list[str], *, first_day: date) -> Wanted:
    """Raises WrongCell."""
    code, name, amount, day, *_rest = [*cells, "", "", "", ""]
    if not CODE.fullmatch(code):
        raise WrongCell(
            _("代码“%(value)s”不对。"), _("代码只用字母、数字、点、横线和下划线，最多 20 个。"), value=code[:30]
        )
    if not name or len(name) > 60:
        raise WrongCell(_("名称是空的，或超过 60 个字。"), _("请更正名称。"))
    price = Money(most=MOST).read(amount.replace(",", "") or "–")
    return Wanted(code, name, price, Day().read(day) if day else first_day)


def _sentence(problem: WrongCell) -> str:
    return " ".join(Problem("", None, "", problem.wrong, problem.cure, problem.values).sentences(gettext))
