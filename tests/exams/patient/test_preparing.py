"""How people prepare, by the clock, and until when they may change their mind (E4, E5). No database."""

from datetime import date, time, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.models import ExamBooking, ExamItem, ExamRule, ExamVariant, Preparation
from exams.policies import self_service as policy
from exams.policies.preparing import Coming, begins, fast_from, steps_of
from hospital import clock

DAY = date(2026, 11, 25)


def at(hour, minute=0, *, day=DAY):
    return clock.at(day, time(hour, minute))


EVE = DAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "minutes", "told"),
    [
        (at(8), 480, at(22, day=EVE)),  # midnight: told as the evening before
        (at(8, 20), 480, at(22, day=EVE)),
        (at(7), 480, at(22, day=EVE)),  # 23:00
        (at(6, 40), 480, at(22, 30, day=EVE)),
        (at(10), 240, at(6)),
        (at(9, 50), 240, at(22, day=EVE)),  # 05:50
        (at(14, 40), 480, at(6, 30)),
        (at(14, 5), 360, at(8)),  # on the half-hour, never later
        (at(13), 12 * 60, at(22, day=EVE)),
    ],
)
def test_a_fast_is_told_on_the_half_hour_and_never_begins_in_the_night(start, minutes, told):
    assert fast_from(start, minutes) == told
    assert told <= start - timedelta(minutes=minutes)


def test_several_exams_of_a_day_are_prepared_for_once_in_the_order_of_time():
    """E4: one fast until the last fasting exam; who fasts first drinks after it, and is told so."""
    fast = Preparation(name="空腹", fast_minutes=480)
    bowels = Preparation(name="肠道准备", fast_minutes=720, lead_minutes=2880, escort=True)
    full = Preparation(name="憋尿", full_bladder=True)
    exams = ("腹部超声", at(8), fast), ("盆腔超声", at(9), full), ("肠镜", at(10), bowels), ("心电图", at(11), None)
    steps = steps_of(Coming(*exam) for exam in exams)

    assert [(step.kind, step.at, step.exam, step.after) for step in steps] == [
        ("prepare", at(10, day=DAY - timedelta(days=2)), "肠镜", ""),
        ("fast", at(22, day=EVE), "肠镜", ""),
        ("bladder", at(9), "盆腔超声", "腹部超声"),
        ("escort", at(10), "肠镜", ""),
    ]
    [alone] = steps_of([Coming("盆腔超声", at(9), full)])
    assert alone.after == ""
    assert begins(steps) == at(10, day=DAY - timedelta(days=2))
    assert begins(steps_of([Coming("心电图", at(11), None)])) is None


def booking(status="booked", *, holds=True, simple=True):
    variant = ExamVariant(item=ExamItem(name="腹部超声", simple=simple), kind="plain", minutes=20)
    return ExamBooking(variant=variant, during=DateTimeTZRange(at(8), at(8, 20)), status=status, holds=holds)


@pytest.mark.parametrize(
    ("row", "now", "cancel", "move"),
    [
        (booking(), at(6), None, None),  # the last moment counts
        (booking(), at(6) + timedelta(seconds=1), "exam_too_late", "exam_too_late"),
        (booking(holds=False), at(7, 59), None, None),  # the device went down
        (booking(simple=False), at(5), None, "exam_not_moved_alone"),
        (booking(simple=False), at(7), "exam_too_late", "exam_too_late"),
        *((booking(status), at(5), "exam_wrong_state", "exam_wrong_state")
          for status in ("pending", "arrived", "called", "running", "done", "not_done", "cancelled", "noshow")),
    ],
)  # fmt: skip
def test_until_when_people_give_back_and_move_alone(row, now, cancel, move):
    """E5: staff can later, too."""
    rule = ExamRule(cancel_minutes=120)
    said = [
        getattr(ask(row, rule=rule, now=now), "code", None)
        for ask in (policy.refusal_to_cancel, policy.refusal_to_move)
    ]
    assert said == [cancel, move]
