"""Which numbers a stop offers, what is kept and what anybody can take (B13)."""

from datetime import timedelta

import pytest
import time_machine

from appointments.models import Appointment
from appointments.selectors.stops import elsewhere
from tests.factories import NOW, TODAY

from .scenes import IN_A_WEEK, case_of, doctor, link_of, session, stop, work

pytestmark = pytest.mark.django_db


def offered(schedule, *, kept=None):
    case = case_of(Appointment.objects.filter(schedule=schedule).first())
    places = elsewhere.places_for(case, now=NOW)
    return [each.schedule for each in places if kept in (None, each.kept)]


def test_the_numbers_nearest_to_the_stopped_day_come_first_and_none_before_the_answer_is_due():
    """B13: tomorrow's session begins before the deadline, that of the day after is as good as any."""
    role = doctor()
    stopped = session(role, booked=1)
    session(role, day=TODAY, starts_at=NOW + timedelta(hours=1), ends_at=NOW + timedelta(hours=4), booked=0)
    early, after, before = (session(role, day=IN_A_WEEK + timedelta(days=n), booked=0) for n in (-5, 3, -1))

    stop(stopped)

    assert offered(stopped, kept=True) == [before]
    assert offered(stopped, kept=False) == [before, after, early]


@pytest.mark.parametrize(("cause", "colleague_first"), [("illness", True), ("leave", False)])
def test_of_a_doctor_who_is_ill_a_colleagues_numbers_are_offered_too(cause, colleague_first):
    """B13: of the department, of the level or above; who is ill today may be so tomorrow."""
    role = doctor()
    stopped = session(role, booked=1)
    own = [session(role, day=IN_A_WEEK + timedelta(days=n), booked=0) for n in (1, 2, 3)]
    colleague = session(doctor(role.department), day=IN_A_WEEK + timedelta(days=2), booked=0)
    session(doctor(role.department, of="ordinary"), booked=0)

    stop(stopped, cause=cause)

    seen = offered(stopped, kept=False)
    assert seen[:2] == ([colleague, own[0]] if colleague_first else own[:2])
    assert offered(stopped, kept=True) == [colleague if colleague_first else own[0]]


def test_the_page_says_apart_what_is_kept_and_what_anybody_can_take(client):
    """B13: only kept numbers are promised."""
    role = doctor()
    stopped = session(role, booked=1)
    session(role, day=IN_A_WEEK + timedelta(days=1), booked=0)
    stop(stopped)
    with time_machine.travel(NOW, tick=False):
        work()
        text = client.get(link_of(case_of(Appointment.objects.get()))).content.decode()

    kept, public = text.index("先留给您的号"), text.index("大家都能约的号")
    assert text[kept:public].count('name="slot"') == 3
    assert text[public:].count('name="slot"') == 3
