"""P3, P4, P6, P7: numbers open and are recalled to the second, whether or not a job has run."""

from datetime import date, datetime, time, timedelta

import pytest

from appointments import errors
from appointments.models import Schedule
from appointments.services import booking, planning, supply
from appointments.services.defaults import ensure_defaults
from hospital import clock
from tests.factories import NOW, CampusFactory, OrganizationFactory, PatientFactory, TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def schedule_on(day: date, *, numbers=100) -> Schedule:
    organization = OrganizationFactory()
    ensure_defaults(organization)
    CampusFactory(organization=organization)
    TemplateFactory(weekday=day.isoweekday(), starts=time(8), ends=time(12), numbers=numbers)
    planning.lay_out(organization=organization, first_day=day, last_day=day, now=NOW)
    return Schedule.objects.get()


def take(schedule, channel, now: datetime):
    return booking.book(
        schedule=schedule, patient=PatientFactory(), channel=channel, by=UserFactory(), request_key=None, now=now
    )


@pytest.mark.parametrize(
    "day",
    [date(2026, 12, 7), date(2027, 1, 4), date(2027, 3, 5), date(2028, 3, 6)],
    ids=["plain", "over the year", "over the end of February", "over a leap day"],
)
def test_the_public_release_is_at_seven_o_clock_seven_days_before_to_the_second(day):
    schedule = schedule_on(day)
    seven = clock.at(day - timedelta(days=7), time(7))

    with pytest.raises(errors.NotOpen):
        take(schedule, "web", seven - SECOND)
    assert take(schedule, "web", seven).slot.pool.kind in {"public", "partner"}


def test_lower_institutions_take_theirs_from_ten_days_before():
    schedule = schedule_on(date(2026, 12, 7))
    release = clock.at(date(2026, 11, 27), time(7))

    with pytest.raises(errors.NotOpen):
        take(schedule, "partner", release - SECOND)
    assert take(schedule, "partner", release).slot.pool.kind == "partner"


def test_the_consult_room_books_from_ninety_two_days_before_midnight_at_the_hospital():
    schedule = schedule_on(date(2027, 3, 1))
    opens = clock.at(date(2026, 11, 29), time(0))

    with pytest.raises(errors.NotOpen):
        take(schedule, "consult", opens - SECOND)
    assert take(schedule, "consult", opens).slot.pool.kind == "consult"


def test_unused_partner_numbers_are_public_from_the_very_second_without_any_job():
    """P4."""
    schedule = schedule_on(date(2026, 12, 7))
    seven = clock.at(date(2026, 11, 30), time(7))

    taken = [take(schedule, "web", seven).slot.pool.kind for _n in range(50)]

    assert (taken.count("partner"), taken.count("public")) == (36, 14)
    with pytest.raises(errors.SoldOut):
        take(schedule, "web", seven)


def test_the_job_that_follows_sells_no_number_early_and_none_late():
    schedule = schedule_on(date(2026, 12, 7))
    seven = clock.at(date(2026, 11, 30), time(7))

    assert supply.follow_up(now=seven - SECOND) == 0
    assert supply.follow_up(now=seven) == 36
    for _n in range(50):
        take(schedule, "web", seven)
    with pytest.raises(errors.SoldOut):
        take(schedule, "web", seven)


def test_consult_numbers_are_shared_at_ten_in_the_evening_two_days_before():
    schedule = schedule_on(date(2026, 12, 7))
    evening = clock.at(date(2026, 12, 5), time(22))
    for _n in range(50):
        take(schedule, "web", evening - SECOND)

    with pytest.raises(errors.SoldOut):
        take(schedule, "web", evening - SECOND)
    assert take(schedule, "web", evening).slot.pool.kind == "consult"


def test_the_web_cannot_drain_the_on_site_floor_before_the_clinic_opens():
    """P7."""
    schedule = schedule_on(date(2026, 12, 7))
    begins = clock.at(schedule.day, time(8))
    for _n in range(90):
        take(schedule, "web", begins - SECOND)

    with pytest.raises(errors.SoldOut):
        take(schedule, "web", begins - SECOND)
    assert take(schedule, "counter", begins - SECOND).slot.pool.kind == "counter"
    assert take(schedule, "web", begins).slot.pool.kind == "counter"
