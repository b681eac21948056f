"""The office's week has thousands of cells: drawn here, a row at a time, not by a template each (ten times faster)."""

from dataclasses import dataclass
from functools import lru_cache

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from appointments.selectors.office import Cell, Row
from hospital.models.time import ALL_DAY

register = template.Library()


@lru_cache(maxsize=8)
def _words(_language: str) -> dict[str, str]:
    """Asked once a language, not once a cell."""
    words = {"stopped": pgettext("短", "停诊"), "taken": _("已约"), "none": _("无预约"), "unreleased": _("未放号")}
    words |= {
        "ev": pgettext("短", "夜"),
        ALL_DAY: pgettext("短", "全"),
        "full": _("满号"),
        "left": pgettext("短", "余"),
    }
    return words | {
        "substituted": pgettext("短", "替诊"),
        "extra": pgettext("短", "加"),
        "rebooked": pgettext("短", "改约"),
    }


def _what(cell: Cell, words: dict[str, str]) -> tuple[str, str]:
    """The two lines of a cell."""
    if cell.stopped and cell.asked:
        return words["stopped"], f"{words['rebooked']}{cell.answered}/{cell.asked}"
    if cell.stopped:
        return words["stopped"], f"{words['taken']}{cell.taken}" if cell.taken else words["none"]
    if cell.unreleased:
        return f"{cell.taken}/{cell.total}" if cell.taken else str(cell.total), words["unreleased"]
    word = words["full"] if cell.full else f"{words['left']}{cell.left}"
    if cell.substitute:
        word = f"{words['substituted']} {word}"
    elif cell.extras:
        word = f"{word} {words['extra']}{cell.extras}"
    return f"{cell.taken}/{cell.total}", f"{words[cell.half]} {word}" if cell.half in words else word


@dataclass(frozen=True)
class Frame:
    """What all cells of a page have in common, asked once a row."""

    words: dict[str, str]
    kept: str  # the filters as the beginning of an address, escaped

    @classmethod
    def of(cls, kept: str) -> "Frame":
        return cls(_words(get_language()), escape(f"?{kept}&" if kept else "?"))


def _draw(cell: Cell, frame: Frame, *, chosen: bool, oob: bool = False) -> str:
    """A house has 2,500 a week: nothing stands in it that the table or the script can say for all. How many are taken
    is read from the two lines; only a stopped one's must be said."""
    count, word = _what(cell, frame.words)
    more = ' aria-current="true"' if chosen else ""
    more += f" data-n={cell.total} data-t={cell.taken}" if cell.stopped else ""
    return (
        f'<a class="cell {cell.tone}{" chosen" if chosen else ""}" id=cell-{cell.pk}'
        f' href="{frame.kept}schedule={cell.pk}"{more}{OOB if oob else ""}>'
        f"<i>{_label(cell)}</i><b>{count}</b><small>{word}</small></a>"
    )


OOB = ' hx-swap-oob="true"'


def _label(cell: Cell) -> str:
    return escape(f"{cell.label} {cell.substitute}" if cell.substitute else cell.label)


def _tick(cell: Cell) -> str:
    """Before its cell, where there is no script: then the selection is a plain form. select.js makes its own."""
    return f'<input class="tick" type="checkbox" name="schedule" value="{cell.pk}" aria-label="{_label(cell)}">'


@register.simple_tag
def week_cells(row: Row, kept: str, chosen: int | None = None, ticks: bool = False) -> SafeString:
    """The 14 <td> of a row, whose end tags HTML leaves out; with `ticks` each cell can be selected without script."""
    frame = Frame.of(kept)
    drawn = [
        "".join([(_tick(cell) if ticks else "") + _draw(cell, frame, chosen=cell.pk == chosen) for cell in column])
        for column in row.columns
    ]
    return mark_safe("".join([f"<td>{cells}" for cells in drawn]))  # noqa: S308 - label and address are escaped


@register.simple_tag
def changed_cell(cell: Cell, kept: str, chosen: bool) -> SafeString:
    """One cell to put in its place out of band."""
    return mark_safe(_draw(cell, Frame.of(kept), chosen=chosen, oob=True))  # noqa: S308
