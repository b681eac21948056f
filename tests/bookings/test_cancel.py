"""退号: what follows is said first, once is once, and the cut-off is the hospital's own wall clock (B14)."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from appointments.models import Appointment, BookingRule
from appointments.selectors import rules
from hospital import clock
from hospital.models import Fact
from tests.factories import NOW, appointment_row, open_schedule

from .scenes import SOON, at, booked, clinic, eve, key_on
from .test_cards import words_of

pytestmark = pytest.mark.django_db


def test_what_follows_is_said_before_and_the_number_comes_back(mine):
    schedule = clinic()
    row = booked(mine, schedule, mine.person)
    page = mine.get(f"/bookings/{row.pk}/cancel/")
    assert "11月25日 15:00前退号不收钱" in words_of(page)
    assert "放回给别人约" in words_of(page)
    assert Appointment.objects.get().status == "booked"

    done = mine.post(f"/bookings/{row.pk}/cancel/", {"request_key": key_on(page)})
    assert done.url == f"/bookings/{row.pk}/"
    assert "已退号，号已放回" in words_of(mine.get(done.url))
    assert schedule.slots.get(number=1).status == "free"


def test_cancelling_twice_is_once(mine):
    row = booked(mine, clinic(), mine.person)
    key = key_on(mine.get(f"/bookings/{row.pk}/cancel/"))
    answers = [mine.post(f"/bookings/{row.pk}/cancel/", {"request_key": key}) for _n in range(2)]
    answers.append(mine.post(f"/bookings/{row.pk}/cancel/"))  # another tab

    assert {answer.url for answer in answers} == {f"/bookings/{row.pk}/"}
    assert Fact.objects.filter(topic="appointment.cancelled").count() == 1
    assert mine.get(f"/bookings/{row.pk}/cancel/").url == f"/bookings/{row.pk}/"


@pytest.mark.parametrize(
    ("moment", "may"),
    [(time(14, 59, 59), True), (time(15, 0, 0), True), (time(15, 0, 1), False), (time(23, 59, 59), False)],
)
def test_the_cut_off_is_three_in_the_afternoon_of_the_day_before_here_not_in_utc(mine, moment, may):
    row = booked(mine, clinic(), mine.person)
    now = clock.at(SOON - timedelta(days=1), moment).astimezone(UTC)

    with at(mine, now):
        page = mine.get(f"/bookings/{row.pk}/cancel/")
        assert ("确定退号" in words_of(page)) is may
        answer = mine.post(f"/bookings/{row.pk}/cancel/")
    row.refresh_from_db()
    if may:
        assert row.status == "cancelled"
    else:
        assert answer.status_code == 409
        assert "退号截止时间是11月25日 15:00，已经过了" in words_of_refused(answer)
        assert "到窗口办理" in words_of_refused(answer)
        assert row.status == "booked"


def words_of_refused(response) -> str:
    response.status_code = 200
    return words_of(response)


def test_after_the_cut_off_the_list_and_the_page_are_grey_with_the_reason(mine):
    schedule = clinic()
    row = booked(mine, schedule, mine.person)
    with at(mine, eve(schedule, hour=15, second=1)):
        for address in ("/bookings/", f"/bookings/{row.pk}/", f"/bookings/{row.pk}/change/"):
            page = mine.get(address)
            assert 'aria-disabled="true"' in page.content.decode(), address
            assert "退号截止时间是11月25日 15:00，已经过了" in words_of(page), address
            assert f"/bookings/{row.pk}/cancel/" not in page.content.decode()


def test_the_cut_off_crosses_the_turn_of_the_month_and_of_the_year(mine):
    with at(mine, datetime(2026, 12, 30, 2, tzinfo=UTC)):
        schedule = clinic(day=date(2027, 1, 1), opened=NOW)
        row = booked(mine, schedule, mine.person)
        assert "12月31日 15:00前退号不收钱" in words_of(mine.get(f"/bookings/{row.pk}/cancel/"))
    with at(mine, clock.at(date(2026, 12, 31), time(15, 0, 1))):
        assert mine.post(f"/bookings/{row.pk}/cancel/").status_code == 409


def test_the_rule_in_force_decides_not_a_constant(mine):
    BookingRule.objects.update(cancel_days=0, cancel_time=time(7))
    rules.forget()
    row = booked(mine, clinic(), mine.person)
    BookingRule.objects.update(cancel_days=0, cancel_time=time(7))
    rules.forget()

    assert "11月26日 07:00前退号不收钱" in words_of(mine.get(f"/bookings/{row.pk}/cancel/"))


def test_who_has_checked_in_hears_that_it_is_too_late(mine):
    row = appointment_row(open_schedule(day=SOON), mine.person, status="arrived")
    answer = mine.post(f"/bookings/{row.pk}/cancel/")

    assert answer.status_code == 409
    assert "当前状态是“已报到”" in words_of_refused(answer)


def test_an_address_alone_cancels_nothing(mine):
    row = booked(mine, clinic(), mine.person)
    mine.get(f"/bookings/{row.pk}/cancel/")
    mine.get(f"/bookings/{row.pk}/confirm/")

    assert Appointment.objects.get().status == "booked"
