"""Several at once on one device: what is promised holds whoever comes first (E1, E10)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from exams.models import DowntimeCase, ExamBooking
from exams.services import booking, devices
from hospital.errors import Refused
from hospital.models import PatientTime
from tests.factories import NOW, ExamRequestFactory

from .test_downtime import LATER, House, deliver

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    def run(act):
        try:
            return act() and None
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(run, acts))


def test_two_answers_at_once_are_one():
    """E10: by the link and by the phone operator; the second hears what the first said."""
    house = House(booked=1)
    down = house.take_down()
    deliver()
    case = down.cases.get()
    told = at_once(
        lambda: devices.accept(case=case, by=None, channel="web", now=LATER),
        lambda: devices.cancel(case=case, by=house.by, channel="phone", now=LATER),
        lambda: devices.accept(case=DowntimeCase.objects.get(), by=None, channel="web", now=LATER),
    )
    row, answer = ExamBooking.objects.get(pk=case.booking_id), DowntimeCase.objects.get().answer
    assert (answer, row.holds) in {("accept", True), ("cancel", False)}
    assert told.count("exam_case_answered") + told.count(None) == 3
    assert PatientTime.objects.filter(source="exam").count() == int(row.holds)


def test_a_device_goes_down_while_others_book_on_it():
    """E1: each booking is either displaced and asked, or refused; none holds time in the downtime."""
    house = House(booked=2)
    start = house.device.sessions.order_by("day").first().during.lower + timedelta(minutes=60)
    requests = [ExamRequestFactory(variant=house.variant, organization=house.device.organization) for _each in range(4)]

    def book(place):
        held = booking.hold_one(
            request=requests[place], device=house.device, start=start + timedelta(minutes=20 * place),
            channel="counter", by=house.by, basket=None, now=NOW,
        )  # fmt: skip
        booking.confirm(booking=held, by=house.by, now=NOW)

    at_once(house.take_down, *(lambda place=place: book(place) for place in range(4)))

    on_it = ExamBooking.objects.filter(device=house.device, holds=True)
    assert not on_it.exists()
    booked = ExamBooking.objects.filter(device=house.device, status="booked")
    assert DowntimeCase.objects.count() == booked.count() >= 2
