"""P2: what a weekly half-day may be. A table without a database."""

from dataclasses import replace
from datetime import date, time

import pytest

from appointments.policies.contract import may_sit
from appointments.policies.template import Asked, Pattern, Stretch, problems

TODAY = date(2026, 11, 23)
MORNING = Stretch(time(8), time(12), date(2026, 1, 1))
WANG = Pattern(
    name="王建国", place="心内科 1诊室", weekday=1, parity="every", first=date(2026, 12, 1), last=date.max, room=1,
    doctors=frozenset({7}), stretches=(replace(MORNING, first=date(2026, 12, 1)),),
)  # fmt: skip
ASKED = Asked(pattern=WANG, today=TODAY, numbers=16, actor="王建国")


def other(**changes) -> Pattern:
    """Somebody else's Monday morning, in another room."""
    stretches = (MORNING,)
    return replace(WANG, **{"doctors": frozenset({8}), "room": 2, "stretches": stretches, **changes})


def codes(asked: Asked, *others: Pattern) -> list[tuple]:
    return [(problem.field, problem.code) for problem in problems(asked, others=others)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"numbers": 0}, [("numbers", "no_numbers")]),
        ({"numbers": -5}, [("numbers", "no_numbers")]),
        ({"numbers": 301}, [("numbers", "many_numbers"), ("numbers", "too_many")]),
        ({"numbers": 240}, []),
        ({"numbers": 241}, [("numbers", "too_many")]),
        ({"minutes": 0}, [("minutes", "no_minutes")]),
        ({"minutes": 15}, []),
        ({"minutes": 16}, [("minutes", "too_long")]),
        ({"minutes": 481}, [("minutes", "many_minutes"), ("minutes", "too_long")]),
        ({"starts": time(8)}, [("ends", "one_hour")]),
        ({"ends": time(8)}, [("starts", "one_hour")]),
        ({"starts": time(12), "ends": time(12)}, [("ends", "hours_reversed")]),
        ({"ends_before_start": True}, [("effective_to", "dates_reversed")]),
        ({"pattern": replace(WANG, first=date(2026, 11, 22))}, [("effective_from", "in_the_past")]),
        ({"pattern": replace(WANG, first=date(2062, 11, 30))}, [("effective_from", "too_far")]),
        ({"pattern": replace(WANG, first=TODAY)}, []),
        ({"pattern": replace(WANG, stretches=())}, [("half", "no_hours")]),
        ({"actor_active": False}, [("actor", "inactive")]),
        ({"actor_service": "主任医师门诊"}, [("service", "other_service")]),
        ({"actor_elsewhere": "内分泌科"}, [("actor", "other_department")]),
        ({"room_campus": "东院区"}, [("room", "other_campus")]),
        ({"twin": True}, [("effective_from", "twin")]),
        ({"outside_contract": ("王建国", "柳堤社区")}, [("actor", "outside_contract")]),
    ],
)
def test_each_wrong_thing_is_said_at_its_field(changes, expected):
    assert codes(replace(ASKED, **changes)) == expected


def test_the_shortest_season_decides_how_much_fits():
    """O8: three hours and a half in winter, three in summer."""
    seasons = (
        Stretch(time(13, 30), time(17), date(2026, 12, 1), date(2027, 4, 30)),
        Stretch(time(14, 30), time(17, 30), date(2027, 5, 1), date(2027, 9, 30)),
    )
    asked = replace(ASKED, pattern=replace(WANG, stretches=seasons), numbers=18)

    assert codes(replace(asked, minutes=10)) == []
    (problem,) = problems(replace(asked, minutes=11))
    assert problem.sentence == "18 个号、每号 11 分钟共 198 分钟，放不进 180 分钟。请减少号数或缩短每号时间。"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"doctors": frozenset({7, 9})}, [("actor", "doctor_twice")]),
        ({"room": 1}, [("room", "room_twice")]),
        ({"doctors": frozenset({7}), "room": 1}, [("actor", "doctor_twice")]),
        ({"room": 1, "weekday": 2}, []),
        ({"room": 1, "parity": "odd"}, [("room", "room_twice")]),
        ({"room": 1, "stretches": (replace(MORNING, starts=time(12), ends=time(14)),)}, []),
        ({"room": 1, "stretches": (replace(MORNING, starts=time(11, 59), ends=time(14)),)}, [("room", "room_twice")]),
        ({"room": 1, "stretches": (replace(MORNING, last=date(2026, 11, 30)),)}, []),
        ({"room": 1, "stretches": (replace(MORNING, last=date(2026, 12, 1)),)}, [("room", "room_twice")]),
    ],
)
def test_a_doctor_and_a_room_are_taken_once(changes, expected):
    assert codes(ASKED, other(**changes)) == expected


def test_odd_and_even_weeks_do_not_meet():
    odd = replace(ASKED, pattern=replace(WANG, parity="odd"))

    assert codes(odd, other(room=1, parity="even")) == []
    assert codes(odd, other(room=1, parity="odd")) == [("room", "room_twice")]


def test_the_other_is_named_with_its_weekday_hours_and_dates():
    taken = other(room=1, name="李敏", parity="odd", first=date(2026, 1, 1), last=date(2026, 12, 31))
    (problem,) = problems(ASKED, others=[taken])

    said = "诊室在这个时间已被占用：李敏 心内科 1诊室，周一（单周） 08:00–12:00，2026-01-01 至 2026-12-31。"
    assert problem.sentence.startswith(said)


@pytest.mark.parametrize(
    ("at_home", "contracts", "expected"),
    [
        (True, [], True),
        (False, [], False),
        (True, [(date(2026, 1, 1), date(2026, 6, 30))], False),
        (False, [(date(2026, 1, 1), None)], True),
        (False, [(date(2026, 1, 1), date(2026, 12, 1))], True),
        (False, [(date(2026, 12, 2), None), (date(2026, 1, 1), date(2026, 11, 30))], False),
    ],
)
def test_a_doctor_sits_where_a_contract_covers_the_day_and_at_home_without_one(at_home, contracts, expected):
    """P12."""
    assert may_sit(at_home=at_home, contracts=contracts, day=date(2026, 12, 1)) is expected
