"""一次采血: the blood tests of one needle through the day (E5)."""

import pytest

from appointments.services.defaults import ensure_defaults
from exams.models import ExamBooking
from exams.selectors import rooms, standing
from exams.services import noshow, visit, walkin
from tests.factories import (
    NOW,
    TODAY,
    ExamItemFactory,
    ExamRequestFactory,
    PatientFactory,
    UserFactory,
    device_session,
    exam_variant,
    open_device,
)

from .test_visit import MINUTE, arrived, booked, question

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse():
    return UserFactory()


def test_one_needle_is_one_check_in_one_call_one_place_in_the_queue_and_one_miss(nurse):
    """E5: five blood tests of one draw; one of them asks more and is checked in by itself."""
    tests = [exam_variant(item=ExamItemFactory(modality="lab"), minutes=5) for _test in range(5)]
    patient, place = PatientFactory(), device_session(open_device(*tests, days=()), day=TODAY)
    rows = [
        booked(place, start=NOW + 5 * n * MINUTE, request=ExamRequestFactory(variant=test, patient=patient))
        for n, test in enumerate(tests)
    ]
    question(rows[4], effect="warn").items.add(tests[4].item)
    visit.check_in(booking=rows[0], answers={}, by=nurse, now=NOW)

    def states():
        return [ExamBooking.objects.get(pk=row.pk).status for row in rows]

    assert states() == ["arrived"] * 4 + ["booked"]
    visit.undo_check_in(booking=rows[1], by=nurse, now=NOW)
    assert states() == ["booked"] * 5
    visit.check_in(booking=rows[4], answers={"pregnant": "yes"}, by=nurse, now=NOW)
    assert states() == ["arrived"] * 5
    visit.call_next(device=place.device, by=nurse, now=NOW)
    other = arrived(place, start=NOW + 40 * MINUTE, came=0)
    assert rooms.ahead_of(other) == 1
    queue = rooms.queues_of([place.device], day=TODAY)[place.device.pk]
    assert ([row.pk for row in queue.called], queue.waiting) == ([rows[0].pk], [other])
    assert len(queue.called[0].also) == 4
    visit.pass_over(booking=rows[0], by=nurse, now=NOW + MINUTE)
    assert ExamBooking.objects.filter(passed_at=NOW + MINUTE).count() == 5
    visit.start(booking=rows[0], by=nurse, now=NOW + 2 * MINUTE)
    visit.not_done(booking=rows[3], reason="管子不够", by=nurse, now=NOW + 3 * MINUTE)
    visit.finish(booking=rows[0], by=nurse, now=NOW + 6 * MINUTE)
    assert states() == ["done", "done", "done", "not_done", "done"]


def test_a_missed_draw_is_one_miss(nurse):
    """E5: five tests of one needle do not suspend a patient who failed to come once."""
    tests = [exam_variant(item=ExamItemFactory(modality="lab"), minutes=5) for _test in range(5)]
    patient, place = PatientFactory(), device_session(open_device(*tests, days=()), day=TODAY)
    for n, test in enumerate(tests):
        booked(place, start=NOW + 5 * n * MINUTE, request=ExamRequestFactory(variant=test, patient=patient))
    assert noshow.mark(now=NOW + 100 * MINUTE) == 5
    house = place.device.organization_id
    assert standing.suspended_until(patient.pk, house, now=NOW + 101 * MINUTE) is None


def test_a_draw_goes_to_another_station_as_one(nurse):
    """E5: 换设备 of any of its tests; back to back from the other station's next free minutes on."""
    tests = [exam_variant(item=ExamItemFactory(modality="lab"), minutes=5) for _test in range(3)]
    patient, place = PatientFactory(), device_session(open_device(*tests, days=()), day=TODAY)
    ensure_defaults(place.device.organization)
    rows = [
        booked(place, start=NOW + (60 + 5 * n) * MINUTE, request=ExamRequestFactory(variant=test, patient=patient))
        for n, test in enumerate(tests)
    ]
    other = device_session(open_device(*tests, days=(), organization=place.device.organization), day=TODAY).device
    walkin.transfer(booking=rows[1], device=other, by=nurse, now=NOW)
    found = ExamBooking.objects.order_by("during")
    assert [(row.pk, row.device, row.start) for row in found] == [
        (row.pk, other, NOW + 5 * n * MINUTE) for n, row in enumerate(rows)
    ]
