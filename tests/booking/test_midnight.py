"""The hospital's day ends at 16:00 UTC: dates come from the schedule's day, never from the server's (O7, P6)."""

from datetime import date, time, timedelta

import pytest

from appointments import errors
from appointments.models import BookingRule, ConsultLevelRule
from appointments.selectors import rules
from appointments.services import visit
from hospital import clock
from hospital.models import PriceItem
from tests.booking.acts import A_SECOND, take, take_and_confirm, utc
from tests.factories import NOW, TODAY, PatientFactory, ScheduleFactory, add_numbers, open_schedule

pytestmark = pytest.mark.django_db

TOMORROW = TODAY + timedelta(days=1)
MIDNIGHT = clock.at(TOMORROW, time(0))
BEFORE, AFTER = utc(TODAY, 15, 59, 59), utc(TODAY, 16, 0, 0)


def night_clinic():
    """20:00 until 01:00: its last numbers lie on the next day of the calendar."""
    schedule = ScheduleFactory(
        day=TODAY, half="ev", starts_at=clock.at(TODAY, time(20)), ends_at=clock.at(TOMORROW, time(1)), capacity=10
    )
    add_numbers(schedule, count=10)
    return schedule


def test_the_hospitals_midnight_is_16_00_utc():
    assert [clock.today(BEFORE), clock.today(AFTER)] == [TODAY, TOMORROW]
    assert MIDNIGHT == AFTER


def test_a_number_after_midnight_is_a_visit_of_the_clinics_day():
    """Limits, the unique day and the price go by it."""
    row = take(night_clinic(), number=9)

    assert (row.day, row.start.astimezone(clock.ZONE).date()) == (TODAY, TOMORROW)


def test_a_night_clinic_still_sells_after_midnight_until_it_is_over():
    schedule = night_clinic()

    with pytest.raises(errors.PastNumber):
        take(schedule, number=8, now=AFTER)  # 23:30
    assert take(schedule, number=9, now=AFTER - A_SECOND).slot.number == 9
    assert take(schedule, now=AFTER).slot.number == 10
    assert take(schedule, number=8, channel="counter", now=AFTER).slot.number == 8
    with pytest.raises(errors.PastNumber):
        take(schedule, number=7, channel="counter", now=schedule.ends_at)


def test_a_clinic_that_is_over_gives_nothing_not_even_at_the_counter():
    """The counter may give a number whose minute has passed while the clinic runs, and no visit of yesterday."""
    schedule = open_schedule(day=TODAY)

    assert take(schedule, number=1, channel="counter", now=schedule.ends_at - A_SECOND)
    with pytest.raises(errors.PastNumber):
        take(schedule, number=2, channel="counter", now=schedule.ends_at)
    with pytest.raises(errors.PastNumber):
        take(schedule, number=2, channel="counter", now=clock.at(TOMORROW, time(9)))


def test_two_visits_at_both_sides_of_utc_midnight_are_one_day_of_the_hospital():
    """08:00 and 07:30 at the hospital are 00:00 and 23:30 UTC."""
    patient, day = PatientFactory(), TODAY + timedelta(days=7)
    for start in (time(7), time(8), time(9)):
        hours = {"starts_at": clock.at(day, start), "ends_at": clock.at(day, time(start.hour + 1))}
        schedule = open_schedule(day=day, numbers=2, **hours)
        if start < time(9):
            take(schedule, patient)

    with pytest.raises(errors.LimitReached) as refusal:
        take(schedule, patient)
    assert "一天2次" in refusal.value.sentence


def test_release_at_07_00_is_23_00_utc_of_the_day_before():
    """P6: D−7 at 07:00, to the second."""
    day = TODAY + timedelta(days=14)
    schedule = open_schedule(day=day, opened=clock.days_before(day, 7, time(7)))
    opens = utc(day - timedelta(days=8), 23)

    with pytest.raises(errors.NotOpen):
        take(schedule, now=opens - A_SECOND)
    assert take(schedule, now=opens)


@pytest.mark.parametrize("day", [date(2026, 12, 1), date(2027, 1, 1), date(2027, 3, 1), date(2028, 3, 1)], ids=str)
def test_a_release_counts_back_over_the_end_of_a_month(day):
    schedule = open_schedule(day=day, opened=clock.days_before(day, 7, time(7)))
    opens = utc(day - timedelta(days=8), 23)

    with pytest.raises(errors.NotOpen):
        take(schedule, now=opens - A_SECOND)
    assert take(schedule, now=opens)


def test_a_rule_of_tomorrow_holds_from_the_hospitals_midnight():
    schedule = open_schedule()
    BookingRule.objects.update(effective_to=TODAY)
    BookingRule.objects.create(
        organization=schedule.organization, effective_from=TOMORROW, web_hold_minutes=7, limit_day=1
    )
    rules.forget()

    held = {now: take(schedule, now=now).slot.hold_until - now for now in (BEFORE, AFTER)}

    assert held == {BEFORE: timedelta(minutes=15), AFTER: timedelta(minutes=7)}


def test_a_level_opens_to_the_consult_room_at_the_hospitals_midnight():
    """B4."""
    schedule = open_schedule()
    terms = {"organization": schedule.organization}
    ConsultLevelRule.objects.create(**terms, effective_from=TODAY, effective_to=TODAY, levels=["chief"])
    ConsultLevelRule.objects.create(**terms, effective_from=TOMORROW, levels=["chief", "general"])

    with pytest.raises(errors.LevelNotAllowed):
        take(schedule, channel="consult", now=BEFORE)
    assert take(schedule, channel="consult", now=AFTER)


def test_the_price_is_that_of_the_visits_day_whenever_it_is_booked():
    today, tomorrow = open_schedule(day=TODAY), open_schedule(day=TOMORROW)
    PriceItem.objects.update(effective_to=TODAY)
    PriceItem.objects.create(
        organization=today.organization, code="G", name="普通挂号费", amount=30, effective_from=TOMORROW
    )

    assert [take(today).fee, take(tomorrow).fee, take(tomorrow, now=AFTER).fee] == [20, 30, 30]


def test_who_is_booked_for_today_checks_in_until_midnight_and_not_after():
    today, tomorrow = take_and_confirm(night_clinic()), take_and_confirm(open_schedule(day=TOMORROW))

    with pytest.raises(errors.VisitOnAnotherDay):
        visit.check_in(appointment=tomorrow, by=None, now=BEFORE)
    assert visit.check_in(appointment=today, by=None, now=BEFORE)
    assert visit.check_in(appointment=tomorrow, by=None, now=AFTER)


def test_the_day_of_these_tests_is_a_monday_in_the_morning():
    assert (TODAY.isoweekday(), NOW.astimezone(clock.ZONE).hour) == (1, 10)
