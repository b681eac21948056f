"""O8: what becomes of the half-day hours when a period is put in; no database."""

from datetime import date, time

import pytest

from appointments.errors import HoursAsBefore, HoursGap, HoursOverlap
from appointments.policies.hours import Period, put_in

WINTER, SUMMER = (time(8), time(12)), (time(7, 30), time(11, 30))


def winter(first, last=None) -> Period:
    return Period(*WINTER, first, last)


def summer(first, last=None) -> Period:
    return Period(*SUMMER, first, last)


OPEN = [winter(date(2025, 10, 1))]
TWO = [winter(date(2025, 10, 1), date(2026, 4, 30)), summer(date(2026, 5, 1))]

FITS = [
    (
        OPEN,
        summer(date(2026, 5, 1), date(2026, 9, 30)),
        [
            winter(date(2025, 10, 1), date(2026, 4, 30)),
            summer(date(2026, 5, 1), date(2026, 9, 30)),
            winter(date(2026, 10, 1)),
        ],
    ),
    (OPEN, summer(date(2026, 5, 1)), TWO),
    (OPEN, summer(date(2025, 10, 1)), [summer(date(2025, 10, 1))]),
    (
        TWO,
        winter(date(2026, 10, 1)),
        [*TWO[:1], summer(date(2026, 5, 1), date(2026, 9, 30)), winter(date(2026, 10, 1))],
    ),
    (TWO[:1], summer(date(2026, 5, 1), date(2026, 9, 30)), [TWO[0], summer(date(2026, 5, 1), date(2026, 9, 30))]),
    ([], summer(date(2026, 5, 1)), [summer(date(2026, 5, 1))]),
]


@pytest.mark.parametrize(("periods", "new", "then"), FITS)
def test_a_period_is_put_in_without_overlap_or_gap(periods, new, then):
    assert put_in(periods, new, half="上午") == then


REFUSED = [
    (OPEN, winter(date(2026, 5, 1)), HoursAsBefore, None),
    (TWO, summer(date(2026, 4, 1), date(2026, 9, 30)), HoursOverlap,
     "上午：和已登记的 2025-10-01 至 2026-04-30（08:00–12:00）只有一部分重叠"),
    (TWO[:1], summer(date(2026, 6, 1)), HoursGap, "上午：2026-05-01 至 2026-05-31 会没有作息时间"),
    (TWO[1:], winter(date(2026, 1, 1), date(2026, 3, 31)), HoursGap, "2026-04-01 至 2026-04-30"),
]  # fmt: skip


@pytest.mark.parametrize(("periods", "new", "refusal", "words"), REFUSED)
def test_what_overlaps_or_leaves_a_gap_is_refused_in_words(periods, new, refusal, words):
    with pytest.raises(refusal) as caught:
        put_in(periods, new, half="上午")
    assert words is None or words in str(caught.value)
