"""The draws and the queue of the demo, without a database."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from stdnum.cn import ric

from appointments.demo import behaviour, people, seeding, stops
from appointments.demo.queueing import WALK, Turn, serve

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def turn(start, here, length):
    """Minutes after nine."""
    return Turn(None, NINE + start * MINUTE, NINE + here * MINUTE, length * MINUTE)


def test_patients_are_called_by_their_booked_minute_once_they_are_here():
    late, early, walk_in = turn(0, 12, 5), turn(10, -20, 5), turn(5, 1, 5)

    served = serve([late, early, walk_in], opens_at=NINE)

    assert served == [early, walk_in, late]  # at nine only he was here; at 09:05:40 the walk-in was due first
    assert [one.called_at for one in served] == [NINE, NINE + 5 * MINUTE + WALK, NINE + 12 * MINUTE]


def test_one_doctor_never_has_two_patients_and_never_waits_while_one_is_here():
    dice = random.Random(1)
    turns = [turn(dice.randrange(0, 180), dice.randrange(-30, 200), dice.uniform(2, 15)) for _patient in range(40)]

    served = serve(turns, opens_at=NINE)

    assert len(served) == 40
    for before, after in zip(served, served[1:], strict=False):
        assert after.called_at >= before.finished_at
        assert after.called_at == max(before.finished_at, after.checked_in_at)
    assert all(one.called_at >= max(NINE, one.checked_in_at) for one in served)


def test_children_see_childrens_doctors_and_men_no_gynaecologist():
    dice, codes = random.Random(2), ["XNK", "EK", "FK", "CK", "YK"]

    def departments(age, woman):
        drawn = [
            behaviour.persona(dice, patient=1, age=age, woman=woman, codes=codes, community="SQ").departments
            for _draw in range(200)
        ]
        return {code for one in drawn for code in one} - {"SQ"}

    assert departments(5, woman=True) == {"EK", "YK"}
    assert departments(50, woman=False) == {"XNK", "YK"}
    assert departments(30, woman=True) == {"XNK", "FK", "CK", "YK"}


def test_the_longer_ago_a_visit_was_booked_the_more_stay_away():
    def share(days):
        dice = random.Random(3)
        person = behaviour.persona(dice, patient=1, age=40, woman=True, codes=["XNK"], community="SQ")
        person.keeps = 0.95
        came = [behaviour.comes(dice, person, waited_days=days, channel="web") for _visit in range(20_000)]
        return sum(came) / len(came)

    assert share(1) == pytest.approx(0.949, abs=0.01)
    assert share(30) == pytest.approx(0.914, abs=0.01)


def test_the_same_seed_draws_the_same():
    assert [behaviour.wishes_on(random.Random(7), date(2026, 11, 23), 200) for _run in range(2)] == [
        behaviour.wishes_on(random.Random(7), date(2026, 11, 23), 200)
    ] * 2


def test_cards_are_valid_and_of_places_that_no_card_carries():
    dice = random.Random(4)
    cards = {people._card(dice, date(1970, 1, 1) + timedelta(days=n), n) for n in range(500)}

    assert len(cards) == 500
    assert all(ric.is_valid(card) for card in cards)
    assert {card[2:6] for card in cards} == {"0100"}


@pytest.mark.parametrize("hours", [0, 3, 7.4, 7.6, 9, 11, 14, 19, 23.9])
def test_at_any_hour_the_order_that_runs_is_told_already_and_its_patients_still_have_time(hours):
    now = datetime(2026, 11, 23, 16, 0, tzinfo=UTC) + timedelta(hours=hours)
    decided = stops.Scene(None, {}, None, now).ago(stops.NEWEST)

    assert seeding.OLD_NEWS < now - decided < timedelta(hours=23, minutes=30)
