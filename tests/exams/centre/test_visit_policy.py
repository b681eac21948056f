"""检查当天, without a database: windows, the order of the queue, and what suspends (E5)."""

from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.errors import DeviceIsDown, NotInQueue, TooEarlyForExam, TooLateToCheckIn
from exams.models import Device, ExamBooking, ExamItem, ExamRequest, ExamRule, ExamVariant
from exams.policies import visit as policy
from tests.factories import NOW

RULE = ExamRule(early_minutes=60, late_minutes=30, noshow_limit=3, noshow_days=180, suspend_days=30)
MINUTE = timedelta(minutes=1)
Status = ExamBooking.Status


def booking(*, start=NOW, status=Status.BOOKED, before=0, **more):
    during = DateTimeTZRange(start, start + 20 * MINUTE)
    stay = DateTimeTZRange(start - before * MINUTE, during.upper)
    variant = ExamVariant(item=ExamItem(name="腹部超声"), minutes=20)
    return ExamBooking(during=during, stay=stay, status=status, variant=variant, device=Device(name="彩超1"), **more)


@pytest.mark.parametrize(
    ("minutes", "refused"),
    [(-61, TooEarlyForExam), (-60, None), (0, None), (29, None), (30, TooLateToCheckIn), (600, TooLateToCheckIn)],
)
def test_check_in_opens_an_hour_before_and_closes_when_the_patient_counts_as_missing(minutes, refused):
    """E5: by the rule row; the moment of closing is the no-show's."""
    refusal = policy.refusal_to_check_in(booking(), rule=RULE, now=NOW + minutes * MINUTE)

    assert type(refusal) is (refused or type(None))


def test_who_has_a_drip_first_is_expected_that_much_earlier():
    drip = booking(before=30)

    assert policy.refusal_to_check_in(drip, rule=RULE, now=NOW - 90 * MINUTE) is None


def test_an_exam_after_midnight_is_checked_in_the_evening_before():
    """E5: moments count, not days."""
    after_midnight = NOW.replace(hour=16, minute=20)  # 00:20 at the hospital

    assert (
        policy.refusal_to_check_in(booking(start=after_midnight), rule=RULE, now=after_midnight - 45 * MINUTE) is None
    )


def test_somebody_without_a_booked_time_is_never_early_or_late():
    walk_in = booking(start=NOW - 90 * MINUTE, walk_in=True)

    assert policy.refusal_to_check_in(walk_in, rule=RULE, now=NOW) is None


def test_a_refusal_says_the_exam_its_time_and_from_when():
    refusal = policy.refusal_to_check_in(booking(), rule=RULE, now=NOW - 90 * MINUTE)

    assert refusal.in_full == "腹部超声预约在11-23 10:00，现在还不能报到。请在11-23 09:00以后再来报到。"


@pytest.mark.parametrize("state", Status.values)
def test_each_act_of_the_day_has_its_states_and_no_others(state):
    """E5: the whole table."""
    row = booking(status=state)
    allowed = {
        "check_in": {Status.BOOKED},
        "undo": {Status.ARRIVED, Status.CALLED},
        "call": {Status.ARRIVED, Status.CALLED},
        "end_without": {Status.BOOKED, Status.ARRIVED, Status.CALLED, Status.RUNNING},
    }
    refusals = {
        "check_in": policy.refusal_to_check_in(row, rule=RULE, now=NOW),
        "undo": policy.refusal_to_undo(row),
        "call": policy.refusal_to_call(row),
        "end_without": policy.refusal_to_end_without(row),
    }

    assert {act for act, refusal in refusals.items() if refusal is None} == {
        act for act, states in allowed.items() if state in states
    }
    assert {type(refusal) for refusal in refusals.values()} <= {NotInQueue, type(None)}


def test_whose_device_is_down_is_neither_checked_in_nor_called():
    assert isinstance(policy.refusal_to_check_in(booking(holds=False), rule=RULE, now=NOW), DeviceIsDown)
    assert isinstance(policy.refusal_to_call(booking(status=Status.ARRIVED, holds=False)), DeviceIsDown)


def test_the_queue_goes_by_priority_then_time_and_who_was_passed_waits_anew():
    """E5: early arrivals wait for their time; late ones queue from when they came."""

    def waiting(pk, *, start, came, **more):
        return booking(start=NOW + start * MINUTE, checked_in_at=NOW + came * MINUTE, pk=pk, **more)

    early = waiting(1, start=40, came=-50)
    punctual = waiting(2, start=10, came=5)
    late = waiting(3, start=-20, came=20)
    passed = waiting(4, start=-30, came=-40, passed_at=NOW + 60 * MINUTE)
    urgent = waiting(5, start=50, came=45, priority=2)

    queue = sorted([early, passed, late, punctual, urgent], key=policy.turn)

    assert [row.pk for row in queue] == [5, 2, 3, 1, 4]


@pytest.mark.parametrize(
    ("asked_for", "seen", "is_"), [("routine", 0, 0), ("urgent", 0, 1), ("emergency", 1, 2), ("routine", 2, 2)]
)
def test_the_higher_of_what_the_doctor_asked_and_the_desk_sees_counts(asked_for, seen, is_):
    assert policy.priority_at_check_in(ExamRequest(priority=asked_for), seen) == is_


def missed(*days_ago):
    return [((NOW - timedelta(days=ago)).date(), NOW - timedelta(days=ago)) for ago in days_ago]


@pytest.mark.parametrize(
    ("days_ago", "until"),
    [
        ((), None),
        ((20, 10), None),
        ((20, 10, 0), 30),
        ((0, 20, 10), 30),  # in whatever order
        ((200, 190, 0), None),  # two of them too long ago
        ((300, 290, 280), -250),  # a suspension that is over
        ((40, 35, 31, 2), -1),  # the fourth starts a new count
        ((40, 35, 31, 2, 1, 0), 30),
    ],
)
def test_the_third_no_show_in_half_a_year_suspends_for_a_month(days_ago, until):
    """E5: counted from what nobody excused; what one suspension answered does not count for the next."""
    assert policy.suspended_until(missed(*days_ago), rule=RULE) == (
        None if until is None else NOW + timedelta(days=until)
    )


def test_a_limit_of_nought_never_suspends():
    assert policy.suspended_until(missed(3, 2, 1), rule=ExamRule(noshow_limit=0)) is None


def test_counting_starts_on_the_day_of_the_exam():
    day = date(2026, 1, 1)
    rows = [(day, NOW), (day, NOW), (day + timedelta(days=180), NOW)]

    assert policy.suspended_until(rows, rule=RULE) is None  # 180 days later the first two are out
