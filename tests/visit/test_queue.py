"""Whose turn it is (B20; docs/decisions/0008-queue-order.md)."""

from datetime import timedelta
from random import Random

import pytest

from appointments.models import Encounter
from appointments.policies import visit as policy
from appointments.selectors import visit as selectors
from appointments.services import visit
from tests.factories import NOW, TODAY


def order(clinic):
    rows = selectors.in_turn(Encounter.objects.filter(schedule=clinic, status="waiting"))
    return [row.appointment.slot.number for row in rows.select_related("appointment__slot")]


def at(clinic, minutes):
    return clinic.starts_at + timedelta(minutes=minutes)


def test_coming_early_does_not_overtake_an_earlier_number(arrived, clinic):
    arrived(3, at=at(clinic, -60))
    arrived(1, at=at(clinic, -5))

    assert order(clinic) == [1, 3]


def test_a_late_patient_waits_from_the_check_in(arrived, clinic):
    """Number 1 (08:00) comes at 08:30: behind number 2 (08:24), before number 3 (08:48)."""
    arrived(2, at=at(clinic, 0))
    arrived(3, at=at(clinic, 0))
    arrived(1, at=at(clinic, 30))

    assert order(clinic) == [2, 1, 3]


def test_priority_comes_first_and_is_fair_among_its_own(arrived, clinic):
    arrived(1, at=at(clinic, 0))
    arrived(4, at=at(clinic, 0), priority=1)
    arrived(3, at=at(clinic, 0), priority=1)
    arrived(9, at=at(clinic, 0), priority=2)

    assert order(clinic) == [9, 3, 4, 1]


def test_who_does_not_answer_waits_anew(arrived, clinic, nurse):
    first = arrived(1, at=at(clinic, 0))
    arrived(2, at=at(clinic, 0))
    arrived(5, at=at(clinic, 0))
    visit.call(encounter=first, by=nurse, now=at(clinic, 10))

    visit.pass_over(encounter=first, by=nurse, now=at(clinic, 40))

    assert order(clinic) == [2, 1, 5]


def test_who_was_called_to_the_room_goes_in_first(arrived, clinic, nurse):
    arrived(1, at=at(clinic, 0))
    second = arrived(2, at=at(clinic, 0))
    visit.call(encounter=second, by=nurse, now=at(clinic, 5))

    assert visit.call_next(practitioner=clinic.role.practitioner, by=nurse, now=at(clinic, 6)).pk == second.pk


def test_nobody_waits_while_the_doctor_is_idle(arrived, clinic, nurse):
    """An early patient is called when no one else is here."""
    early = arrived(9, at=at(clinic, -10))

    assert visit.call_next(practitioner=clinic.role.practitioner, by=nurse, now=at(clinic, 0)).pk == early.pk


def test_the_page_and_the_call_use_the_same_order(arrived, clinic):
    """in_turn() in SQL and turn() in Python, over random days."""
    random = Random(7)
    for number in range(1, 11):
        arrived(number, at=at(clinic, random.randrange(-60, 240)), priority=random.choice([0, 0, 0, 1]))
        if random.random() < 0.3:
            passed = at(clinic, random.randrange(0, 240))
            Encounter.objects.filter(appointment__slot__number=number).update(passed_at=passed)

    queue = selectors.queue_of(practitioner=clinic.role.practitioner, day=TODAY)

    assert [row.slot.number for row in queue.waiting] == order(clinic)


def test_the_doctors_day_takes_two_queries(arrived, booked, clinic, nurse, django_assert_num_queries):
    for number in range(1, 6):
        arrived(number)
    booked(7)
    visit.call_next(practitioner=clinic.role.practitioner, by=nurse, now=NOW)

    with django_assert_num_queries(2):
        queue = selectors.queue_of(practitioner=clinic.role.practitioner, day=TODAY)
        names = [row.patient.name for row in [queue.inside, *queue.waiting, *queue.not_yet]]
        rooms = [str(sitting.room) for sitting in queue.sittings]

    assert (len(names), len(rooms), queue.total, queue.waiting_count) == (6, 1, 6, 4)


@pytest.mark.parametrize(
    ("start", "check_in", "call", "waited"),
    [(0, -30, 12, 12), (0, 10, 12, 2), (0, -30, -5, 0), (30, 0, 45, 15)],
)
def test_waiting_counts_from_the_later_of_booked_start_and_check_in(start, check_in, call, waited):
    """K: waiting = first call − max(booked start, check-in), never below nothing."""
    moments = [NOW + timedelta(minutes=minutes) for minutes in (start, check_in, call)]

    assert policy.waited(start=moments[0], checked_in_at=moments[1], called_at=moments[2]) == timedelta(minutes=waited)
