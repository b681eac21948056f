"""In which order mixed payments are given back (M6). Pure.

The insurance's part is reversed first, by itself (services.insuring): it is never refunded as money. Of what the
patient paid, what goes back to its origin by itself comes before what somebody must fetch at a window.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

ORDER = ("card", "wechat", "alipay", "bank", "cheque", "cash")


@dataclass(frozen=True)
class Held:
    """What is still there of a payment: its amount less all its refunds."""

    payment: int
    means: str
    left: Decimal
    at: datetime


@dataclass(frozen=True)
class Part:
    payment: int
    means: str
    amount: Decimal


def unwind(amount: Decimal, held: Iterable[Held]) -> list[Part]:
    """By means in their order, of one means the latest payment first. Never more than is there: what is missing to
    `amount` is missing in the answer, and the caller says so."""
    parts = []
    for each in sorted(held, key=lambda one: (ORDER.index(one.means), -one.at.timestamp(), -one.payment)):
        part = min(amount, each.left)
        if part > 0:
            parts.append(Part(each.payment, each.means, part))
            amount -= part
    return parts


def over_lines(part: Part, lines: list[tuple[int, Decimal]]) -> list[tuple[int | None, Decimal]]:
    """A part of a refund over the lines it is for (id, what of it is not yet given back), in their order; the rest
    is of no line. Takes from `lines` as it goes."""
    left, given = part.amount, []
    for n, (line, open_) in enumerate(lines):
        share = min(left, open_)
        if share > 0:
            given.append((line, share))
            lines[n] = (line, open_ - share)
            left -= share
    return [*given, (None, left)] if left else given
