"""Exams that nobody ended or gave up: found again, and back on the list (E5)."""

from datetime import timedelta

import pytest

from exams.models import ExamNoShow
from exams.selectors import rooms
from exams.services import noshow, visit
from tests.factories import NOW, TODAY, UserFactory, device_session, exam_variant, open_device

from .test_visit import arrived, booked

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    return device_session(open_device(exam_variant(), days=()), day=TODAY)


@pytest.mark.parametrize("state", ["booked", "arrived"])
def test_a_walk_in_that_left_comes_back_to_the_list_and_is_no_no_show(session, state):
    """E5: they stood at the desk; their request must not stay "booked" for ever."""
    row = booked(session, walk_in=True, status=state, checked_in_at=NOW if state == "arrived" else None)

    assert noshow.mark(now=NOW + timedelta(hours=13)) == 0
    row.refresh_from_db()
    assert (row.status, row.holds, row.request.status) == ("not_done", False, "open")
    assert not ExamNoShow.objects.exists()


def test_an_exam_that_nobody_ended_before_the_holiday_can_be_ended_after_it(session):
    """E5: it keeps the device from everybody else, so it must be seen."""
    row = arrived(session)
    visit.start(booking=row, by=UserFactory(), now=NOW)

    queue = rooms.queues_of([session.device], day=TODAY + timedelta(days=8))[session.device.pk]

    assert [each.pk for each in queue.running] == [row.pk]
