"""How one cell is read: a kind per column, strict about what it takes, plain about what is wrong.

Every kind turns a value as openpyxl gives it into a Python value, or raises WrongCell.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from hospital.workbook.problems import WrongCell
from hospital.workbook.problems import mark as _

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u2060"))
DIGITS = str.maketrans("０１２３４５６７８９：．／－", "0123456789:./-")
FOR_EVER = 9999  # the year that other systems write for a day that never comes, and that a hospital may have kept
LIST_MARKS = re.compile(r"[、,，;；\n]")


def tidy(value: Any) -> Any:
    """Drop the blanks and invisible characters that come with copying; an empty text is no value."""
    if not isinstance(value, str):
        return value
    return value.translate(INVISIBLE).strip(" \t\r\n\u3000\xa0") or None


@dataclass(frozen=True)
class Text:
    """Words: a name, an address."""

    longest: int = 100

    def read(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise WrongCell(_("这里应填文字。"), _("请把单元格格式设为“文本”后重新填写。"))
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        if any(ord(sign) < 32 and sign != "\n" for sign in text):
            raise WrongCell(_("文字里有看不见的控制字符。"), _("请删去后手工重新输入。"))
        if len(text) > self.longest:
            raise WrongCell(
                _("文字有 %(length)s 个字，最多 %(longest)s 个。"),
                _("请缩短。"),
                length=len(text),
                longest=self.longest,
            )
        return text

    def hint(self) -> str:
        return _("文字")


@dataclass(frozen=True)
class Code(Text):
    """A code that other sheets point at: letters, digits, dot, dash."""

    longest: int = 32

    def read(self, value: Any) -> str:
        if isinstance(value, float) and not value.is_integer():
            raise WrongCell(
                _("编码 %(value)s 被存成了数字，前后的 0 可能已丢失。"),
                _("请把该列格式设为“文本”，再重新输入编码。"),
                value=value,
            )
        text = super().read(value).translate(DIGITS)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
            raise WrongCell(
                _("编码“%(value)s”含有不允许的字符。"),
                _("编码只用字母、数字、点、横线和下划线。"),
                value=text,
            )
        return text

    def hint(self) -> str:
        return _("编码（字母、数字、点、横线）")


@dataclass(frozen=True)
class Codes(Code):
    """Several codes in one cell, separated by 、 or a comma."""

    def read(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, str):
            return (super().read(value),)
        codes = [super(Codes, self).read(part) for part in map(tidy, LIST_MARKS.split(value)) if part]
        for code in codes:
            if codes.count(code) > 1:
                raise WrongCell(_("“%(value)s”写了两次。"), _("请只保留一次。"), value=code)
        return tuple(codes)

    def hint(self) -> str:
        return _("多个编码，用顿号“、”分开")


@dataclass(frozen=True)
class Choice:
    """One of a few words; the value is the code that the word stands for."""

    words: dict[str, Any]

    def read(self, value: Any) -> Any:
        text = str(value).strip()
        if text not in self.words:
            raise WrongCell(
                _("“%(value)s”不在可选范围内。"),
                _("请从这些里选：%(words)s。"),
                value=text,
                words="、".join(self.words),
            )
        return self.words[text]

    def hint(self) -> str:
        return "、".join(self.words)


@dataclass(frozen=True)
class WholeNumber:
    """A whole number within bounds."""

    least: int = 0
    most: int = 9999

    def read(self, value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?\d+", value.translate(DIGITS)):
            value = int(value.translate(DIGITS))
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole:
            raise WrongCell(_("“%(value)s”不是整数。"), _("请填整数，不带单位。"), value=value)
        if not self.least <= value <= self.most:
            raise WrongCell(
                _("%(value)s 超出范围。"),
                _("请填 %(least)s 到 %(most)s 之间的整数。"),
                value=int(value),
                least=self.least,
                most=self.most,
            )
        return int(value)

    def hint(self) -> str:
        return f"{self.least}–{self.most}"


@dataclass(frozen=True)
class Money:
    """Yuan, to the fen, never below zero."""

    most: Decimal = Decimal("9999.99")

    def read(self, value: Any) -> Decimal:
        text = value.translate(DIGITS).lstrip("¥￥").removesuffix("元").strip() if isinstance(value, str) else value
        try:
            if isinstance(value, bool | date | time | timedelta):
                raise InvalidOperation
            amount = Decimal(str(text))
            if not amount.is_finite():
                raise InvalidOperation
        except InvalidOperation:
            raise WrongCell(
                _("“%(value)s”不是金额。"), _("请填元为单位的数字，例如 50 或 12.50。"), value=value
            ) from None
        if not 0 <= amount <= self.most:
            raise WrongCell(_("金额 %(value)s 超出范围。"), _("请填 0 到 %(most)s 元。"), value=amount, most=self.most)
        if amount != round(amount, 2):
            raise WrongCell(_("金额 %(value)s 多于两位小数。"), _("请精确到分。"), value=amount)
        return amount.quantize(Decimal("0.01"))

    def hint(self) -> str:
        return _("元，例如 50 或 12.50")


@dataclass(frozen=True)
class Day:
    """A calendar day; a date cell, or text like 2026-11-21 and 2026/11/21."""

    def read(self, value: Any) -> date:
        if isinstance(value, datetime) and value.time() == time():
            return self._plausible(value.date())
        if type(value) is date:
            return self._plausible(value)
        if isinstance(value, str):
            parts = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", value.translate(DIGITS))
            try:
                return self._plausible(date(*map(int, parts.groups())))
            except (AttributeError, ValueError):
                pass
        raise WrongCell(_("“%(value)s”不是日期。"), _("请按 2026-11-21 的样子填写。"), value=value)

    @staticmethod
    def _plausible(day: date) -> date:
        if not 2000 <= day.year <= 2100 and day.year != FOR_EVER:
            raise WrongCell(_("日期 %(value)s 的年份不对。"), _("请填 2000 到 2100 年之间的日期。"), value=day)
        return day

    def hint(self) -> str:
        return _("日期，例如 2026-11-21")


@dataclass(frozen=True)
class TimeOfDay:
    """A wall time of the hospital, to the minute."""

    def read(self, value: Any) -> time:
        if isinstance(value, float) and 0 <= value < 1:  # a time in a cell that Excel calls General
            minutes = round(value * 24 * 60)
            value = time(minutes // 60, minutes % 60)
        if isinstance(value, time) and not value.second:
            return value
        if isinstance(value, str):
            parts = re.fullmatch(r"(\d{1,2}):(\d{2})(?::00)?", value.translate(DIGITS))
            try:
                return time(*map(int, parts.groups()))
            except (AttributeError, ValueError):
                pass
        raise WrongCell(_("“%(value)s”不是时间。"), _("请按 08:30 的样子填写，精确到分钟。"), value=value)

    def hint(self) -> str:
        return _("时间，例如 08:30")


def words(names: Iterable[str]) -> Choice:
    """A choice whose words stand for themselves."""
    return Choice({name: name for name in names})


YES_NO = Choice({"是": True, "否": False})
