"""How many numbers a channel could take: what the pages count is what the claim would give."""

from datetime import timedelta

import pytest
from django.db.models import Count

from appointments.models import Slot
from appointments.selectors.numbers import count_left, open_to, takeable
from appointments.selectors.rules import ChannelPools
from tests.factories import NOW, PoolFactory, TeamFactory, add_numbers, open_schedule

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def pools():
    """A channel that takes from the public and the consult pool."""
    public, consult, team = (PoolFactory(kind=kind).pk for kind in ("public", "consult", "team"))
    return ChannelPools(ids=(public, consult), public=public, team=team)


def by_orm(schedules, *, pools, now):
    """The same rule, written for one number."""
    rows = Slot.objects.filter(takeable(now=now), open_to(pools, now=now), schedule__in=schedules).order_by()
    return dict(rows.values_list("schedule").annotate(n=Count("id")))


def test_free_numbers_and_those_whose_time_has_passed_count(pools):
    schedule = open_schedule(numbers=6)
    states = {2: ("booked", None), 3: ("held", NOW + HOUR), 4: ("held", NOW), 5: ("resting", NOW), 6: ("blocked", None)}
    for number, (status, until) in states.items():
        schedule.slots.filter(number=number).update(status=status, hold_until=until)

    assert count_left([schedule.pk], pools=pools, now=NOW) == {schedule.pk: 3}


def test_a_number_whose_minute_has_come_is_gone(pools):
    schedule = open_schedule(numbers=4)

    assert count_left([schedule.pk], pools=pools, now=schedule.starts_at + HOUR) == {schedule.pk: 2}


def test_a_pool_counts_from_its_moment_and_as_public_from_the_other(pools):
    schedule = open_schedule(numbers=2, opened=NOW + HOUR)
    add_numbers(schedule, count=3, pool="partner", opened=NOW - HOUR, shared=NOW + 2 * HOUR)

    left = [count_left([schedule.pk], pools=pools, now=NOW + n * HOUR) for n in range(3)]

    assert left == [{}, {schedule.pk: 2}, {schedule.pk: 5}]


def test_a_channel_without_the_public_pool_gets_nothing_that_is_shared(pools):
    schedule = open_schedule(numbers=2, pool="consult", shared=NOW)
    other = ChannelPools(ids=(), public=None, team=None)

    assert count_left([schedule.pk], pools=other, now=NOW) == {}
    assert count_left([schedule.pk], pools=pools, now=NOW) == {schedule.pk: 2}


def test_a_leading_experts_schedule_opens_its_team_pool_only(pools):
    """B11."""
    schedule = open_schedule(numbers=2, gate_team=TeamFactory())
    add_numbers(schedule, count=3, pool="team")

    assert count_left([schedule.pk], pools=pools, now=NOW) == {schedule.pk: 3}


def test_the_statement_and_the_rule_for_one_number_agree(pools):
    schedules = [
        open_schedule(numbers=3),
        open_schedule(numbers=2, pool="consult", opened=NOW + HOUR, shared=NOW),
        open_schedule(numbers=2, pool="partner", opened=NOW - HOUR),
        open_schedule(numbers=1, gate_team=TeamFactory(), pool="team"),
        open_schedule(numbers=1, gate_team=TeamFactory(), shared=NOW),
    ]
    ids = [schedule.pk for schedule in schedules]

    for now in (NOW - 2 * timedelta(days=1), NOW, NOW + HOUR, schedules[0].starts_at + 2 * HOUR):
        assert count_left(ids, pools=pools, now=now) == by_orm(ids, pools=pools, now=now)
    assert count_left(ids, pools=pools, now=NOW) == {ids[0]: 3, ids[1]: 2, ids[3]: 1}
    assert count_left([], pools=pools, now=NOW) == {}
