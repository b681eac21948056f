"""B9: when the line is open and how long an offer stands. No database."""

from datetime import datetime, time

import pytest

from appointments.errors import NoWaitlistHere, StillNumbers, Stopped, WaitlistClosed
from appointments.models import BookingRule, Schedule
from appointments.policies import rules as rule_policy
from appointments.policies import waitlist as policy
from hospital import clock
from tests.factories import TODAY

RULE = BookingRule()
FAR = clock.at(TODAY.replace(day=30), time(18))


def at(text: str, day=TODAY) -> datetime:
    return clock.at(day, time.fromisoformat(text))


def tomorrow(text: str) -> datetime:
    return at(text, TODAY.replace(day=TODAY.day + 1))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("05:59", None),
        ("06:00", at("08:00")),
        ("10:00", at("12:00")),
        ("21:00", at("23:00")),
        ("22:30", tomorrow("07:30")),
        ("22:59", tomorrow("07:59")),
        ("23:00", None),
        ("00:30", None),
    ],
)
def test_an_offer_stands_for_two_hours_of_the_day(now, until):
    """B9: 06:00–23:00; nobody is woken at night, and the minutes do not run then."""
    assert policy.deadline(RULE, closes=FAR, now=at(now)) == until


@pytest.mark.parametrize(
    ("now", "until"), [("15:59", at("17:59")), ("17:00", at("18:00")), ("17:45", at("18:00")), ("17:46", None)]
)
def test_no_offer_goes_past_the_cut_off_or_leaves_less_than_a_quarter_of_an_hour(now, until):
    assert policy.deadline(RULE, closes=at("18:00"), now=at(now)) == until


def test_a_long_offer_runs_over_several_days():
    rule = BookingRule(waitlist_minutes=1440, waitlist_from=time(8), waitlist_until=time(18))  # 24 h of 10 a day

    assert policy.deadline(rule, closes=FAR, now=at("09:00")) == at("13:00", TODAY.replace(day=TODAY.day + 2))


@pytest.mark.parametrize(
    ("now", "next_at"), [("05:00", at("06:00")), ("06:00", at("06:00")), ("23:30", tomorrow("06:00"))]
)
def test_at_night_the_next_offer_is_in_the_morning(now, next_at):
    assert policy.offers_from(RULE, now=at(now)) == next_at


def test_the_line_closes_at_six_on_the_eve():
    assert policy.closes_at(TODAY.replace(day=24), RULE) == at("18:00", TODAY)


@pytest.mark.parametrize(
    ("status", "channel", "now", "refusal"),
    [
        ("open", "web", "17:59", None),
        ("open", "counter", "17:59", None),
        ("open", "web", "18:00", WaitlistClosed),
        ("stopped", "web", "10:00", Stopped),
        ("open", "consult", "10:00", NoWaitlistHere),
        ("open", "partner", "10:00", NoWaitlistHere),
    ],
)
def test_who_may_join_when(status, channel, now, refusal):
    schedule = Schedule(status=status)

    said = policy.refusal_to_join(schedule, channel=channel, closes=at("18:00"), now=at(now))

    assert type(said) is (refusal or type(None))


def test_the_refusals_say_when_it_closed_and_what_is_left():
    closed = policy.refusal_to_join(Schedule(status="open"), channel="web", closes=at("18:00"), now=at("19:00"))

    assert closed.sentence == "候补已在11月23日 18:00截止。"
    assert policy.refusal_while_numbers(3).sentence == "现在还有3个号，不用候补。"
    assert isinstance(policy.refusal_while_numbers(1), StillNumbers)
    assert policy.refusal_while_numbers(0) is None


def test_hours_in_the_wrong_order_and_senseless_numbers_are_named_at_their_field():
    rule = BookingRule(waitlist_from=time(23), waitlist_until=time(6), waitlist_minutes=5, waitlist_most=0)

    wrong = {problem.field for problem in rule_policy.problems_of_booking(rule)}

    assert wrong == {"waitlist_until", "waitlist_minutes", "waitlist_most"}
