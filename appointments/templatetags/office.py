"""The office's week has thousands of cells: drawn here, a row at a time, not by a template each (ten times faster)."""

from functools import lru_cache

from django import template
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from appointments.selectors.office import Cell, Row

register = template.Library()

CELL = (
    '<a class="cell {tone}{chosen}" id="cell-{pk}" href="?{kept}&amp;schedule={pk}" hx-get="{at}"{current}{oob}>'
    '<span class="visually-hidden">{label}</span><b>{count}</b><small>{word}</small></a>'
)
TICK = (
    '<input class="tick" type="checkbox" name="schedule" value="{pk}" data-n="{n}" data-t="{t}" aria-label="{label}">'
)
"""Before its cell: the selection works as a plain form; select.js hides it and selects the cell itself."""


@lru_cache(maxsize=8)
def _words(_language: str) -> dict[str, str]:
    """Asked once a language, not once a cell."""
    words = {"stopped": pgettext("短", "停诊"), "taken": _("已约"), "none": _("无预约"), "unreleased": _("未放号")}
    words |= {"evening": pgettext("短", "夜"), "full": _("满号"), "left": pgettext("短", "余")}
    return words | {"substituted": pgettext("短", "替诊"), "extra": pgettext("短", "加")}


def _what(cell: Cell, words: dict[str, str]) -> tuple[str, str]:
    """The two lines of a cell."""
    if cell.stopped:
        return words["stopped"], f"{words['taken']}{cell.taken}" if cell.taken else words["none"]
    if cell.unreleased:
        return f"{cell.taken}/{cell.total}" if cell.taken else str(cell.total), words["unreleased"]
    word = words["full"] if cell.full else f"{words['left']}{cell.left}"
    if cell.substitute:
        word = f"{words['substituted']} {word}"
    elif cell.extras:
        word = f"{word} {words['extra']}{cell.extras}"
    return f"{cell.taken}/{cell.total}", f"{words['evening']} {word}" if cell.evening else word


def _draw(cell: Cell, *, chosen: bool, kept: str, at: str, words: dict[str, str], oob: bool = False) -> str:
    count, word = _what(cell, words)
    return CELL.format(
        tone=cell.tone,
        chosen=" chosen" if chosen else "",
        current=' aria-current="true"' if chosen else "",
        oob=' hx-swap-oob="true"' if oob else "",
        pk=cell.pk,
        kept=kept,
        at=at.replace("/0/", f"/{cell.pk}/"),
        label=escape(f"{cell.label} {cell.substitute}".rstrip()),
        count=count,
        word=word,
    )


def _tick(cell: Cell) -> str:
    return TICK.format(pk=cell.pk, n=cell.total, t=cell.taken, label=escape(cell.label))


@register.simple_tag
def week_cells(row: Row, kept: str, chosen: int | None = None, acts: bool = False) -> SafeString:
    """The 14 <td> of a row; with `acts` each cell can be selected."""
    words, at, kept = _words(get_language()), reverse("appointments:office_schedule", args=[0]), escape(kept)
    drawn = (
        "".join(
            (_tick(cell) if acts else "") + _draw(cell, chosen=cell.pk == chosen, kept=kept, at=at, words=words)
            for cell in column
        )
        for column in row.columns
    )
    return mark_safe("".join(f"<td>{cells}</td>" for cells in drawn))  # noqa: S308 - label and address are escaped


@register.simple_tag
def changed_cell(cell: Cell, kept: str, chosen: bool) -> SafeString:
    """One cell to put in its place out of band."""
    at = reverse("appointments:office_schedule", args=[0])
    words = _words(get_language())
    return mark_safe(_draw(cell, chosen=chosen, kept=escape(kept), at=at, words=words, oob=True))  # noqa: S308
