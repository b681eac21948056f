"""May this be done now, and why not: tables, without a database (B4, B10, B14, B16)."""

from datetime import date, time, timedelta

import pytest

from appointments.models import Appointment, BookingRule, Schedule
from appointments.models.rules import Channel
from appointments.policies import booking as policy
from hospital import clock

DAY = date(2026, 12, 1)  # the day before is in another month
RULE = BookingRule()
CUT_OFF = clock.at(date(2026, 11, 30), time(15))
SECOND = timedelta(seconds=1)
ALL = set(Channel.values)


def visit(status="booked", *, schedule_status="open"):
    return Appointment(status=status, day=DAY, schedule=Schedule(status=schedule_status))


def code(refusal):
    return refusal and refusal.code


@pytest.mark.parametrize(
    ("status", "channel", "now", "refusal"),
    [
        ("booked", "web", CUT_OFF - SECOND, None),
        ("booked", "web", CUT_OFF, None),
        ("booked", "web", CUT_OFF + SECOND, "too_late_to_cancel"),
        ("booked", "app", CUT_OFF + SECOND, "too_late_to_cancel"),
        ("booked", "phone", CUT_OFF + SECOND, "too_late_to_cancel"),
        ("booked", "kiosk", CUT_OFF + SECOND, "too_late_to_cancel"),
        ("booked", "partner", CUT_OFF + SECOND, "too_late_to_cancel"),
        ("booked", "counter", CUT_OFF + SECOND, None),
        ("booked", "consult", CUT_OFF + SECOND, None),
        ("booked", "ward", CUT_OFF + SECOND, None),
        ("pending", "web", CUT_OFF + SECOND, None),
        ("arrived", "counter", CUT_OFF, "wrong_state"),
        ("fulfilled", "counter", CUT_OFF, "wrong_state"),
        ("noshow", "counter", CUT_OFF, "wrong_state"),
        ("cancelled", "counter", CUT_OFF, "wrong_state"),
    ],
)
def test_who_may_cancel_when(status, channel, now, refusal):
    assert code(policy.refusal_to_cancel(visit(status), channel=channel, rule=RULE, now=now)) == refusal


def test_a_stopped_clinic_has_no_cut_off():
    stopped = visit(schedule_status="stopped")

    assert policy.refusal_to_cancel(stopped, channel="web", rule=RULE, now=CUT_OFF + SECOND) is None
    assert not policy.is_late(stopped, rule=RULE, now=CUT_OFF + SECOND)


@pytest.mark.parametrize(
    ("days", "wall", "utc"),
    [
        (1, time(15), "2026-11-30T07:00:00+00:00"),
        (1, time(23, 59), "2026-11-30T15:59:00+00:00"),
        (0, time(7), "2026-11-30T23:00:00+00:00"),
        (2, time(0), "2026-11-28T16:00:00+00:00"),
    ],
)
def test_the_cut_off_is_a_wall_time_of_the_hospital(days, wall, utc):
    rule = BookingRule(cancel_days=days, cancel_time=wall)

    assert policy.cancel_deadline(DAY, rule).astimezone(clock.UTC).isoformat() == utc


HOLD = CUT_OFF


@pytest.mark.parametrize(
    ("status", "hold_until", "now", "refusal"),
    [
        ("pending", HOLD, HOLD - SECOND, None),
        ("pending", HOLD, HOLD, "lapsed"),
        ("pending", HOLD, HOLD + SECOND, "lapsed"),
        ("pending", None, HOLD, "lapsed"),
        ("booked", None, HOLD, None),
        ("cancelled", None, HOLD, "lapsed"),
        ("arrived", None, HOLD, "wrong_state"),
        ("fulfilled", None, HOLD, "wrong_state"),
        ("noshow", None, HOLD, "wrong_state"),
    ],
)
def test_what_may_be_confirmed(status, hold_until, now, refusal):
    assert code(policy.refusal_to_confirm(visit(status), hold_until=hold_until, now=now)) == refusal


def test_self_service_is_what_a_patient_does_alone():
    assert {channel for channel in ALL if policy.is_self_service(channel)} == {"web", "app", "phone", "kiosk"}


def test_only_the_counter_gives_numbers_whose_minute_has_passed():
    assert {channel for channel in ALL if policy.may_take_past_numbers(channel)} == {"counter"}


def test_how_long_each_channel_holds():
    minutes = {channel: policy.hold_for(channel, RULE).total_seconds() / 60 for channel in ALL}

    assert minutes == {
        "web": 15,
        "app": 15,
        "phone": 15,
        "kiosk": 15,
        "partner": 15,
        "consult": 3,
        "ward": 3,
        "counter": 5,
    }


@pytest.mark.parametrize("channel", sorted(ALL))
def test_limits_are_for_self_service_and_not_for_exempt_services(channel):
    limited = [2, 3, 5] if policy.is_self_service(channel) else None

    assert policy.limits_for(channel, exempt=False, rule=RULE) == limited
    assert policy.limits_for(channel, exempt=True, rule=RULE) is None


@pytest.mark.parametrize(
    ("channel", "level", "levels", "refusal"),
    [
        ("consult", "general", ["general"], None),
        ("consult", "chief", ["general"], "level_not_allowed"),
        ("consult", "chief", [], "level_not_allowed"),
        ("consult", "chief", None, None),
        ("web", "chief", ["general"], None),
        ("ward", "chief", ["general"], None),
    ],
)
def test_which_levels_the_consult_room_books(channel, level, levels, refusal):
    assert code(policy.refusal_by_level(channel=channel, level=level, levels=levels)) == refusal


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, None),
        ({"reason": " "}, "needs_reason"),
        ({"status": "stopped"}, "stopped"),
        ({"ends_at": CUT_OFF}, "past"),
        ({"day": DAY + timedelta(days=30)}, None),
        ({"day": DAY + timedelta(days=31)}, "too_far"),
        ({"extras": 4}, None),
        ({"extras": 5}, "extra_limit"),
    ],
    ids=str,
)
def test_when_an_add_on_is_granted(change, refusal):
    asked = {"reason": "术后", "extras": 0, "status": "open", "ends_at": CUT_OFF + SECOND, "day": DAY} | change
    schedule = Schedule(status=asked["status"], ends_at=asked["ends_at"], day=asked["day"])

    answer = policy.refusal_to_add_extra(
        schedule, extras=asked["extras"], reason=asked["reason"], rule=RULE, now=CUT_OFF
    )

    assert code(answer) == refusal
