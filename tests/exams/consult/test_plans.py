"""What a plan in the consult room says besides its times (E3, E4): by when to fast, and which visit it is made for."""

from datetime import time, timedelta

import pytest
from django.utils import timezone

from exams.models import Preparation
from hospital import clock
from tests.consult.rooms import half_day, today, with_a_strip
from tests.factories import RoleFactory, StaffFactory, appointment_row
from tests.factories.exams import ExamRequestFactory, exam_booking_row

from .rooms import add, offered, press, room_with_a_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(client):
    return room_with_a_patient(client)


def fasting(variant):
    variant.preparation = Preparation.objects.create(
        organization=variant.item.organization, name="空腹", text="空腹", fast_minutes=180, latest_start=time(11),
        source="院内规定", approved_by=StaffFactory(), approved_at=timezone.now(),
    )  # fmt: skip
    variant.save()


def test_a_fast_for_the_plan_is_also_for_what_is_booked_that_day(client, room):
    """E4"""
    early, late = offered(2, days=(1,))
    fasting(early)
    fasting(late)
    session = early.abilities.get().device.sessions.get()
    exam_booking_row(request=ExamRequestFactory(patient=room.first, variant=early), session=session)
    session = late.abilities.get().device.sessions.get()
    session.during = (clock.at(session.day, time(9, 30)), clock.at(session.day, time(12)))
    session.save()
    add(client, room, late)

    [plan] = press(client, room, "ask").context["work"].plans

    [step] = plan["days"][0]["steps"]
    assert (step.kind, step.at) == ("fast", clock.at(session.day - timedelta(days=1), time(22)))
    assert step.exam == late.name


def test_a_visit_to_another_department_is_not_the_return(client, room):
    """E3: plans are made backwards from a visit here, however near another department's is."""
    elsewhere = half_day(
        role=RoleFactory(practitioner__organization=room.role.practitioner.organization),
        day=today() + timedelta(days=2),
    )
    [mine] = with_a_strip(room, days=[(9, "am")])
    appointment_row(elsewhere, room.first)
    [variant] = offered(1, days=(1, 4))
    add(client, room, variant)
    before = press(client, room, "ask").context["work"].back
    appointment_row(mine, room.first)

    assert (before, press(client, room, "plan").context["work"].back) == (None, mine.day)
