"""P1, P3, P5: whatever the percentages and whoever they are kept for, the numbers sum to the capacity."""

from hypothesis import given
from hypothesis import strategies as st

from appointments.models import SupplyShare
from appointments.services.allocation import arranged

WHOSE = [("public", None, None), ("consult", None, None), ("counter", None, None), ("special", None, None)]
WHOSE += [("partner", partner, None) for partner in (None, 11, 12, 13)] + [("partner", None, group) for group in (1, 2)]


@st.composite
def rules_of_a_hundred(draw):
    """Shares of some pools that sum to 100, as the database asks, some of them floors."""
    pools = draw(st.lists(st.sampled_from(WHOSE), min_size=1, max_size=len(WHOSE), unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(pools) - 1, max_size=len(pools) - 1)))
    percents = [upper - lower for lower, upper in zip([0, *cuts], [*cuts, 100], strict=True)]
    return [
        SupplyShare(kind=kind, partner_id=partner, group_id=group, percent=percent, shared_at_start=draw(st.booleans()))
        for (kind, partner, group), percent in zip(pools, percents, strict=True)
    ]


def key(share):
    return share.kind, share.partner_id, share.group_id


@given(capacity=st.integers(1, 300), shares=rules_of_a_hundred())
def test_the_sum_is_the_capacity_and_each_pool_gets_its_share_to_the_whole_number(capacity, shares):
    numbers = arranged(shares, capacity=capacity, pool_of=key)

    assert len(numbers) == capacity
    for share in shares:
        exact = capacity * share.percent / 100
        assert int(exact) <= numbers.count(key(share)) <= int(exact) + 1
        if not share.percent:
            assert key(share) not in numbers


@given(capacity=st.integers(1, 300), shares=rules_of_a_hundred())
def test_every_floor_lies_late_and_all_else_before_and_among_it(capacity, shares):
    numbers = arranged(shares, capacity=capacity, pool_of=key)

    floors = {key(share) for share in shares if share.shared_at_start}
    wanted = sum(each in floors for each in numbers)
    tail = max(-(-capacity // 3), wanted)
    assert all(place >= capacity - tail for place, each in enumerate(numbers) if each in floors)


def test_ten_numbers_of_an_expert_leave_three_to_the_group():
    """1.0 floor, 3.0 group, 0.6 common partners, 4.0 consult room, 1.4 public: the tenth to the largest remainder."""
    terms = [
        ("counter", None, 10),
        ("partner", 1, 30),
        ("partner", None, 6),
        ("consult", None, 40),
        ("public", None, 14),
    ]
    shares = [SupplyShare(kind=kind, group_id=group, percent=percent) for kind, group, percent in terms]
    numbers = arranged(shares, capacity=10, pool_of=key)

    counts = {each: numbers.count(each) for each in set(numbers)}
    assert counts == {
        ("counter", None, None): 1,
        ("partner", None, 1): 3,
        ("partner", None, None): 1,
        ("consult", None, None): 4,
        ("public", None, None): 1,
    }
