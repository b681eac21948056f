"""时段: what the public sees of a half-day (B3: segments of at most 30 minutes)."""

from datetime import timedelta

import pytest

from appointments.models import BookingRule, Schedule
from appointments.selectors import rules
from appointments.selectors.patient import slices
from appointments.selectors.patient.openings import openings_of, to_come
from tests.factories import NOW, TODAY, RoomFactory, add_numbers

from .scenes import TOMORROW, half_day, take

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def parts(*schedules, chosen=None):
    rows = to_come([TODAY, TOMORROW], now=NOW).filter(pk__in=[schedule.pk for schedule in schedules])
    return slices.parts_of(openings_of(rows, now=NOW), chosen=chosen, now=NOW)


def shown(part):
    return [(f"{each.start:%H:%M}-{each.end:%H:%M}", each.left) for each in part.slices]


def test_numbers_with_their_own_minutes_are_shown_in_half_hours():
    """B3."""
    schedule = half_day(numbers=10, minutes=10)  # 08:00, 08:10 … 09:30
    take(schedule, 1, 4, 5, 6)

    (part,) = parts(schedule)

    assert shown(part) == [("08:00-08:30", 2), ("08:30-09:00", 0), ("09:00-09:30", 3), ("09:30-10:00", 1)]


def test_the_segment_is_a_rule():
    schedule = half_day(numbers=6, minutes=10)
    BookingRule.objects.update(segment_minutes=20)
    rules.forget()

    (part,) = parts(schedule)

    assert shown(part) == [("08:00-08:20", 2), ("08:20-08:40", 2), ("08:40-09:00", 2)]


def test_the_last_slice_ends_with_the_half_day():
    schedule = half_day(numbers=16, minutes=15)
    Schedule.objects.filter(pk=schedule.pk).update(ends_at=schedule.starts_at + timedelta(hours=3, minutes=50))

    (part,) = parts(schedule)

    assert shown(part)[-1] == ("11:30-11:50", 2)


def test_numbers_of_other_pools_make_no_slices_until_they_are_shared():
    schedule = half_day(numbers=3, minutes=10)
    add_numbers(schedule, count=3, pool="consult", shared=NOW + HOUR, minutes=10)

    assert shown(parts(schedule)[0]) == [("08:00-08:30", 3)]


def test_slices_of_today_that_have_passed_are_hidden_and_the_running_one_shows_its_rest():
    schedule = half_day(day=TODAY, numbers=12, minutes=20)  # NOW is 10:00

    (part,) = parts(schedule)

    assert shown(part) == [("10:00-10:30", 1), ("10:30-11:00", 1), ("11:00-11:30", 2), ("11:30-12:00", 1)]


def test_the_value_of_a_slice_names_the_half_day_and_its_first_moment():
    schedule = half_day(numbers=1)

    (part,) = parts(schedule)

    assert part.slices[0].value == f"{schedule.pk}@{TOMORROW}T08:00:00+08:00"


def test_the_chosen_slice_stays_chosen_while_it_has_a_number():
    schedule = half_day(numbers=6, minutes=10)
    chosen = slices.Chosen(schedule.pk, schedule.starts_at + timedelta(minutes=30))
    assert slices.chosen_in(parts(schedule, chosen=chosen)).start == chosen.start

    take(schedule, 4, 5, 6)

    assert slices.chosen_in(parts(schedule, chosen=chosen)) is None


def test_a_stopped_half_day_has_no_slices():
    schedule = half_day(numbers=6, status="stopped")

    assert parts(schedule)[0].slices == []


def test_two_rooms_of_one_half_day_are_told_apart():
    first = half_day(numbers=2, room=RoomFactory(name="1诊室"))
    second = half_day(numbers=2, room=RoomFactory(name="2诊室"))
    afternoon = half_day(half="pm", numbers=2)

    assert [part.twin for part in parts(first, second, afternoon)] == [True, True, False]
