"""What the public may take of a half-day, in a word and in numbers (B3, B7, B11)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from appointments.models import ChannelRule, Schedule
from appointments.policies.scarcity import State, is_few, state_of_all
from appointments.selectors import rules
from appointments.selectors.numbers import count_left
from appointments.selectors.patient.openings import days_shown, openings_of, to_come
from hospital import clock
from hospital.models import PriceItem
from tests.factories import NOW, TODAY, OrganizationFactory, PoolFactory, ServiceFactory, add_numbers

from .scenes import TOMORROW, doctor, half_day, supply_rule, take, take_all_but, team_with_leader

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def seen(schedule):
    (opening,) = openings_of([Schedule.objects.select_related("service").get(pk=schedule.pk)], now=NOW)
    return opening


def word(schedule):
    opening = seen(schedule)
    return opening.state, opening.left


def test_free_numbers_are_counted():
    """B7."""
    assert word(half_day(numbers=10)) == (State.OPEN, 10)


@pytest.mark.parametrize(
    ("numbers", "left", "state"),
    [
        (10, 3, State.OPEN),
        (10, 2, State.FEW),
        (20, 4, State.FEW),
        (20, 5, State.OPEN),
        (2, 2, State.FEW),
        (10, 0, State.FULL),
    ],
)
def test_few_is_two_or_one_in_five(numbers, left, state):
    schedule = half_day(numbers=numbers)
    take_all_but(schedule, left)

    assert word(schedule) == (state, left)


@pytest.mark.parametrize(
    ("status", "until", "left"),
    [
        ("held", NOW + HOUR, 9),
        ("held", NOW, 10),
        ("resting", NOW + HOUR, 9),
        ("resting", NOW, 10),
        ("blocked", None, 9),
    ],
)
def test_a_hold_or_a_rest_counts_again_from_its_moment(status, until, left):
    schedule = half_day(numbers=10)
    take(schedule, 1, status=status, until=until)

    assert seen(schedule).left == left


def test_blocked_numbers_are_no_numbers():
    """Three of ten are not few; that ten more are out of use says nothing."""
    schedule = half_day(numbers=20)
    take(schedule, *range(1, 11), status="blocked")
    take(schedule, *range(11, 18))

    assert word(schedule) == (State.OPEN, 3)


def test_numbers_that_open_later_are_not_released_yet_and_the_page_knows_when():
    schedule = half_day(numbers=10, opened=NOW + HOUR)

    opening = seen(schedule)

    assert (opening.state, opening.left, opening.more_at) == (State.UNRELEASED, 0, NOW + HOUR)


def test_the_rest_of_the_consult_pool_is_the_publics_from_its_recall():
    """booking.md: a recall is exact to the second without writing a number."""
    PoolFactory()  # the hospital has a public pool
    schedule = half_day(numbers=4, pool="consult", shared=NOW)
    later = half_day(numbers=4, pool="consult", shared=NOW + HOUR)
    never = half_day(numbers=4, pool="consult")

    assert word(schedule) == (State.OPEN, 4)
    assert word(later) == (State.UNRELEASED, 0)
    assert word(never) == (State.OFFLINE, 0)


def test_a_full_half_day_says_when_the_rest_of_another_pool_follows():
    schedule = half_day(numbers=4)
    add_numbers(schedule, count=4, pool="consult", shared=NOW + HOUR, minutes=10)
    take(schedule, 1, 2, 3, 4)

    opening = seen(schedule)
    assert (opening.state, opening.more_at) == (State.FULL, NOW + HOUR)

    take(schedule, 5, 6, 7, 8)
    assert seen(schedule).more_at is None  # nothing would come


def test_the_on_site_floor_is_nothing_to_wait_for_at_home():
    schedule = half_day(numbers=4)
    add_numbers(schedule, count=2, pool="counter", shared=schedule.starts_at, minutes=10)
    take(schedule, 1, 2, 3, 4)

    opening = seen(schedule)

    assert (opening.state, opening.more_at) == (State.FULL, None)


def test_a_stopped_half_day_has_no_numbers_and_no_next_release():
    schedule = half_day(numbers=4, opened=NOW + HOUR, status="stopped")

    opening = seen(schedule)

    assert (opening.state, opening.left, opening.more_at) == (State.STOPPED, 0, None)


def test_minutes_that_have_passed_are_gone():
    """Monday 10:00 in a morning from 08:00 to 12:00."""
    schedule = half_day(day=TODAY, numbers=8)  # every half hour

    opening = seen(schedule)

    assert (opening.left, opening.of) == (3, 3)  # 10:30, 11:00, 11:30


def test_a_running_half_day_without_numbers_ahead_is_full():
    schedule = half_day(day=TODAY, numbers=2)

    assert word(schedule) == (State.FULL, 0)


def test_a_leading_expert_is_behind_the_teams_gate_also_on_old_schedules():
    """B11: as the claim itself sees it."""
    role = doctor()
    before = half_day(role=role)
    team, led = team_with_leader(role.department)
    half = half_day(role=led, numbers=4)
    gated = half_day(numbers=4, gate_team=team)

    assert word(before) == (State.OPEN, 10)
    assert word(half) == (State.GATED, 0)
    assert word(gated) == (State.GATED, 0)
    assert seen(half).gate == team.pk


def test_members_and_former_leaders_are_behind_no_gate():
    team, led = team_with_leader(doctor().department)
    member = team.members.get(leader=False)
    assert word(half_day(role=member.role)) == (State.OPEN, 10)

    team.members.filter(role=led).update(active=False)

    assert word(half_day(role=led)) == (State.OPEN, 10)


def test_a_team_that_is_closed_has_no_gate():
    team, led = team_with_leader(doctor().department)
    team.active = False
    team.save()

    assert word(half_day(role=led)) == (State.OPEN, 10)


def test_a_half_day_costs_what_is_valid_on_its_day():
    house = OrganizationFactory()
    service = ServiceFactory(code="X", price_code="X")
    for day, until, amount in ((TODAY, TODAY, 30), (TOMORROW, None, 50)):
        PriceItem.objects.create(
            organization=house, code="X", name="X", amount=amount, effective_from=day, effective_to=until
        )

    today, tomorrow = half_day(day=TODAY, service=service), half_day(day=TOMORROW, service=service)
    fees = [each.fee for each in openings_of([today, tomorrow], now=NOW)]

    assert fees == [Decimal(30), Decimal(50)]


def test_without_a_price_nothing_is_offered():
    """The claim would refuse it: no_price."""
    assert word(half_day(service=ServiceFactory(code="Y", price_code="Y"))) == (State.OFFLINE, 0)


def test_a_channel_without_pools_offers_nothing():
    ChannelRule.objects.filter(channel="web").delete()
    schedule = half_day()
    ChannelRule.objects.filter(channel="web").delete()
    rules.forget()

    assert word(schedule) == (State.OFFLINE, 0)


def test_what_is_over_or_of_a_doctor_who_left_is_not_shown():
    yesterday, over = half_day(day=TODAY - timedelta(days=1)), half_day(day=TODAY)
    Schedule.objects.filter(pk=over.pk).update(starts_at=NOW - 2 * HOUR, ends_at=NOW)
    gone = half_day()
    gone.role.practitioner.active = False
    gone.role.practitioner.save()
    unused = half_day(service=ServiceFactory(code="Z", active=False))
    there = half_day()

    shown = set(to_come([TODAY - timedelta(days=2), TOMORROW], now=NOW).values_list("pk", flat=True))

    assert there.pk in shown
    assert shown.isdisjoint({yesterday.pk, over.pk, gone.pk, unused.pk})


def test_it_counts_what_the_claims_own_look_counts():
    """The same numbers as count_left over a mixed day, pool by pool and state by state."""
    schedules = [half_day(numbers=6) for _ in range(3)]
    schedules.append(half_day(numbers=6, opened=NOW + HOUR))
    schedules.append(half_day(numbers=5, pool="consult", shared=NOW - HOUR))
    add_numbers(schedules[0], count=4, pool="consult", shared=NOW, minutes=5)
    add_numbers(schedules[1], count=4, pool="partner", opened=NOW - HOUR, minutes=5)
    take(schedules[0], 1, 2)
    take(schedules[1], 3, status="held", until=NOW)
    take(schedules[2], 1, 2, 3, status="resting", until=NOW + HOUR)
    pools = rules.pools_for("web", organization_id=schedules[0].organization_id, day=TODAY)

    counted = count_left([row.pk for row in schedules], pools=pools, now=NOW)
    shown = openings_of(Schedule.objects.filter(pk__in=[row.pk for row in schedules]), now=NOW)

    assert {each.schedule.pk: each.left for each in shown if each.left} == counted


def test_the_public_sees_as_far_as_the_supply_rules_release():
    house = OrganizationFactory()
    assert days_shown(house.pk, now=NOW)[-1] == TODAY + timedelta(days=7)

    supply_rule(days=14)
    rules.forget()

    assert days_shown(house.pk, now=NOW)[-1] == TODAY + timedelta(days=14)


def test_the_days_are_the_hospitals_not_the_servers():
    house = OrganizationFactory()
    late = clock.at(TODAY, clock.datetime.min.time()) + timedelta(hours=23)  # 15:00 UTC

    assert days_shown(house.pk, now=late)[0] == TODAY
    assert days_shown(house.pk, now=late + 2 * HOUR)[0] == TOMORROW


@pytest.mark.parametrize(
    ("states", "left", "of", "word"),
    [
        ([State.FULL, State.OPEN], 9, 10, State.OPEN),
        ([State.FULL, State.FEW], 1, 10, State.FEW),
        ([State.FEW, State.FEW], 4, 10, State.OPEN),  # two in the morning and two in the afternoon
        ([State.FULL, State.UNRELEASED], 0, 0, State.UNRELEASED),
        ([State.STOPPED, State.FULL], 0, 0, State.FULL),
        ([State.STOPPED, State.GATED], 0, 0, State.STOPPED),
        ([], 0, 0, State.NONE),
    ],
)
def test_the_word_for_a_day(states, left, of, word):
    assert state_of_all(states, left=left, of=of) is word


def test_few_at_its_edges():
    assert [is_few(left, of=15) for left in (2, 3, 4)] == [True, True, False]
