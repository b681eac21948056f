"""P1, P7: the arithmetic of sharing numbers out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.services import shares

DEFAULT = {"counter": 10, "partner": 36, "consult": 40, "public": 14}
KINDS = ["counter", "partner", "consult", "public", "special"]


def weights():
    return st.dictionaries(st.sampled_from(KINDS), st.integers(0, 100), min_size=1).filter(lambda w: sum(w.values()))


def test_a_hundred_numbers_are_shared_as_the_default_rule_says():
    assert shares.divide(100, DEFAULT) == {"counter": 10, "partner": 36, "consult": 40, "public": 14}


def test_what_rounding_leaves_goes_to_the_largest_remainder():
    # quotas 1.0, 3.6, 4.0, 1.4: nine whole numbers, the tenth to the partners
    assert shares.divide(10, DEFAULT) == {"counter": 1, "partner": 4, "consult": 4, "public": 1}


def test_a_tie_goes_to_the_larger_share_and_then_to_the_first_named():
    assert shares.divide(1, {"public": 50, "consult": 50}) == {"public": 1, "consult": 0}
    assert shares.divide(2, {"public": 25, "consult": 75}) == {"public": 0, "consult": 2}


def test_a_rule_without_any_share_is_refused():
    with pytest.raises(ValueError, match="no pool has a share"):
        shares.divide(10, {"public": 0})


@given(capacity=st.integers(1, 300), percents=weights())
def test_the_sum_is_always_the_capacity_and_no_pool_is_a_whole_number_off(capacity, percents):
    counts = shares.divide(capacity, percents)

    total = sum(percents.values())
    assert sum(counts.values()) == capacity
    assert all(abs(counts[kind] * total - capacity * percents[kind]) < total for kind in percents)


@given(capacity=st.integers(1, 300), percents=weights())
def test_every_number_gets_a_pool_and_the_floor_lies_late(capacity, percents):
    counts = shares.divide(capacity, percents)
    order = shares.arrange(counts, floors={"counter"})

    assert {kind: order.count(kind) for kind in percents} == counts
    tail = max(-(-capacity // 3), counts.get("counter", 0))
    assert all(place >= capacity - tail for place, kind in enumerate(order) if kind == "counter")


def test_the_other_pools_have_early_and_late_numbers():
    order = shares.arrange(shares.divide(30, DEFAULT), floors={"counter"})

    for kind in ("consult", "partner", "public"):
        places = [place for place, each in enumerate(order) if each == kind]
        assert places[0] < 8
        assert places[-1] > 20


@given(capacity=st.integers(1, 300), total=st.integers(1, 720))
def test_numbers_fill_the_half_day_without_gap_or_overlap(capacity, total):
    minutes = shares.minutes_of(capacity=capacity, total=total)

    assert minutes[0][0] == 0
    assert sum(length for _start, length in minutes) == total
    assert all(
        start + length == following for (start, length), (following, _) in zip(minutes, minutes[1:], strict=False)
    )
    lengths = [length for _start, length in minutes]
    assert max(lengths) - min(lengths) <= 1
