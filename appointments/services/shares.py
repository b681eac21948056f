"""How a schedule's numbers are shared out among pools: the arithmetic alone, no database.

Rounding: each pool first gets the whole part of its quota; what is left goes one by one to the largest
remainders, on a tie to the pool with the larger share, then to the one named first (largest remainder,
Hare quota). The sum is always the capacity, and no pool is a whole number away from its quota. A pool is
whatever the caller names it by: a kind, or a kind with the lower institution or the group it is kept for.
"""

from collections.abc import Collection, Hashable, Mapping
from fractions import Fraction

LAST_PART = 3
"""The on-site floor lies in the last third of a schedule (rules.md)."""


def divide(capacity: int, percents: Mapping[Hashable, int]) -> dict[Hashable, int]:
    """Numbers per pool. Percentages that don't sum to 100 are taken as weights."""
    total = sum(percents.values())
    if total == 0:
        raise ValueError("no pool has a share")
    quotas = {kind: Fraction(capacity * percent, total) for kind, percent in percents.items()}
    counts = {kind: int(quota) for kind, quota in quotas.items()}
    places = {kind: place for place, kind in enumerate(percents)}
    by_need = sorted(percents, key=lambda kind: (counts[kind] - quotas[kind], -percents[kind], places[kind]))
    for kind in by_need[: capacity - sum(counts.values())]:
        counts[kind] += 1
    return counts


def _floor_places(capacity: int, wanted: int) -> list[int]:
    """`wanted` places spread over the last third; over a longer tail when the floor is larger than that."""
    tail = max(-(-capacity // LAST_PART), wanted)
    return [capacity - tail + (2 * n + 1) * tail // (2 * wanted) for n in range(wanted)]


def arrange(counts: Mapping[Hashable, int], *, floors: Collection[Hashable]) -> list[Hashable]:
    """The pool of each number, in order of number: every pool has early and late ones, the floors only late ones."""
    capacity = sum(counts.values())
    late = _mixed({kind: count for kind, count in counts.items() if kind in floors})
    early = _mixed({kind: count for kind, count in counts.items() if kind not in floors})
    places = set(_floor_places(capacity, len(late)))
    rows = {True: iter(late), False: iter(early)}
    return [next(rows[place in places]) for place in range(capacity)]


def _mixed(counts: Mapping[Hashable, int]) -> list[Hashable]:
    """Each as often as it counts, evenly spread."""
    wanted = {kind: count for kind, count in counts.items() if count}
    total = sum(wanted.values())
    credit = dict.fromkeys(wanted, 0)
    order = []
    for _place in range(total):
        for kind, count in wanted.items():
            credit[kind] += count
        chosen = max(credit, key=lambda kind: credit[kind])
        credit[chosen] -= total
        order.append(chosen)
    return order


def minutes_of(*, capacity: int, total: int, minutes: int | None = None) -> list[tuple[int, int]]:
    """(minute after the start, length) of each number. `minutes`: of every number, one after the other.

    Without it equal parts of `total`: whole minutes, none lost, lengths differ by one at most.
    """
    if minutes is not None:
        return [(place * minutes, minutes) for place in range(capacity)]
    edges = [place * total // capacity for place in range(capacity + 1)]
    return [(start, end - start) for start, end in zip(edges, edges[1:], strict=False)]
