"""Hold, confirm, give back, move (E1–E3): all or nothing, and each refusal by name."""

from datetime import time, timedelta
from uuid import uuid4

import pytest

from exams.errors import (
    TimeTaken,
)
from exams.models import ExamBooking, ExamPlan, ExamRequest
from exams.services import booking
from exams.services.booking import Wanted
from hospital import clock
from hospital.models import Fact, PatientTime
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    PatientFactory,
    PoolFactory,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db

TOMORROW = TODAY + timedelta(days=1)


def at(hour, minute=0, day=TOMORROW):
    return clock.at(day, time(hour, minute))


@pytest.fixture
def house():
    """One house with a public pool, and two exams that a patient is to have."""
    scan, blood = exam_variant(minutes=20), exam_variant(minutes=10)
    PoolFactory(organization=scan.item.organization)
    patient = PatientFactory()
    requests = [ExamRequestFactory(variant=each, patient=patient) for each in (scan, blood)]
    return patient, requests, [open_device(scan), open_device(blood)]


def hold(house, *starts, basket=None, channel="consult", now=NOW):
    patient, requests, devices = house
    lines = [Wanted(r.pk, d.pk, s) for r, d, s in zip(requests, devices, starts, strict=False)]
    return booking.hold_plan(patient=patient, lines=lines, channel=channel, by=None, basket=basket or uuid4(), now=now)


def test_a_plan_is_held_and_confirmed_as_one(house):
    plan = hold(house, at(8), at(9))
    rows = list(plan.bookings.order_by("during"))
    assert [row.status for row in rows] == ["pending", "pending"]
    assert (plan.exams, plan.trips, plan.minutes) == (2, 1, 70)
    assert rows[0].fee == 180
    assert PatientTime.objects.filter(source="exam", source_id__in=[row.pk for row in rows]).count() == 2
    assert {row.status for row in ExamRequest.objects.all()} == {"booked"}

    for _double_click in range(2):
        confirmed = booking.confirm(basket=plan.basket, by=None, now=NOW)
        assert [row.status for row in confirmed] == ["booked", "booked"]
    assert Fact.objects.filter(topic="exam.booked").count() == 2


def test_one_taken_line_takes_nothing(house):
    patient, requests, devices = house
    other = ExamRequestFactory(variant=requests[1].variant)
    booking.hold_one(request=other, device=devices[1], start=at(9), channel="consult", by=None, basket=None, now=NOW)
    with pytest.raises(TimeTaken) as refusal:
        hold(house, at(8), at(9, 5))
    assert refusal.value.details["exam"] == requests[1].variant.name
    assert not ExamBooking.objects.filter(patient=patient).exists()
    assert not ExamPlan.objects.exists()
    assert requests[0].variant.name not in refusal.value.sentence
