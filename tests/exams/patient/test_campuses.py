"""An exam that is done at two campuses: each time says where it is, and both can be chosen (E1, E3, E10)."""

from datetime import time

import pytest

from exams.models import ExamBooking
from exams.services import devices
from tests.bookings.test_cards import words_of
from tests.factories import NOW, CampusFactory, ExamZoneFactory, UserFactory, open_device
from tests.messages.test_notices import worker

from .scenes import abdomen, asked_for, booked, slots

pytestmark = pytest.mark.django_db


@pytest.fixture
def both(mine):
    """08:00–10:00 on the day after tomorrow, on one campus and on the other."""
    variant = abdomen(days=(2,))
    lake = CampusFactory(code="LAKE", name="滨湖院区")
    open_device(variant, days=(2,), starts=time(8), ends=time(10), zone=ExamZoneFactory(campus=lake))
    return asked_for(mine.person, variant)


def test_each_half_hour_says_its_campus_and_is_moved_to_the_other(mine, both):
    """E1, E2: nobody learns only afterwards to which house they have to go."""
    page = mine.get(f"/exams/requests/{both.pk}/times/")
    assert len(slots(page)) == 8
    assert words_of(page).count("滨湖院区") == 4

    row = booked(mine, both)
    here = row.device.zone.campus.name
    page = mine.get(f"/exams/bookings/{row.pk}/move/")
    assert words_of(page).count("现在的时间") == 2  # in the head, and of this campus's half-hour only
    there = next(slot for slot in slots(page) if slot.startswith(f"{row.device_id}@") is False)
    assert mine.post(f"/exams/bookings/{row.pk}/move/", {"slot": there}).status_code == 302
    assert ExamBooking.objects.get(holds=True).device.zone.campus.name != here


def test_a_plan_says_the_campus_of_each_day(mine, both):
    other = abdomen(days=(2,), name="血常规", preparation=False)
    asked_for(mine.person, other)
    page = words_of(mine.get(f"/exams/together/{mine.person.pk}/plans/"))
    assert "院区" in page.partition("推荐的安排")[2]


def test_another_time_is_kept_at_the_same_campus_if_there_is_one(mine, both):
    """E10: and what can be chosen instead says where it is."""
    row = booked(mine, both)
    near = open_device(both.variant, days=(2,), starts=time(9), ends=time(10), zone=row.device.zone)
    devices.take_down(device=row.device, during=row.session.during, cause="fault", reason="", by=UserFactory(), now=NOW)
    worker()
    assert ExamBooking.objects.get(status="pending").device == near
    assert "滨湖院区" in words_of(mine.get(f"/exams/bookings/{row.pk}/answer/"))
