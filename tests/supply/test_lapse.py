"""Expired holds go back by themselves, with everything that hung on them."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from appointments.models import Appointment
from appointments.services import booking, changes, supply
from hospital.models import Fact, Patient, PatientTime
from tests.factories import NOW, PatientFactory, UserFactory, open_schedule

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=15)


def hold(schedule, patient=None):
    return booking.book(
        schedule=schedule,
        patient=patient or PatientFactory(),
        channel="web",
        by=UserFactory(),
        request_key=None,
        now=NOW,
    )


def test_an_expired_hold_frees_the_number_and_the_patients_time_and_leaves_a_fact():
    held = hold(open_schedule(numbers=2))

    assert supply.lapse_holds(now=LATER) == 1

    held.refresh_from_db()
    held.slot.refresh_from_db()
    assert (held.status, held.cancelled_at, held.note) == ("cancelled", LATER, "lapsed")
    assert (held.slot.status, held.slot.hold_until) == ("free", None)
    assert not PatientTime.objects.exists()
    assert list(Fact.objects.order_by("id").values_list("topic", "key")) == [
        ("appointment.held", f"appointment:{held.pk}"),
        ("appointment.lapsed", f"appointment:{held.pk}"),
    ]


def test_a_hold_that_still_stands_or_was_confirmed_is_left_alone():
    schedule = open_schedule(numbers=2)
    standing, confirmed = hold(schedule), hold(schedule)
    changes.confirm(appointment=confirmed, by=None, now=NOW)

    assert supply.lapse_holds(now=LATER - timedelta(seconds=1)) == 0
    assert supply.lapse_holds(now=LATER) == 1
    confirmed.refresh_from_db()
    standing.refresh_from_db()
    assert (standing.status, confirmed.status) == ("cancelled", "booked")


def test_running_it_again_does_nothing():
    hold(open_schedule(numbers=1))
    supply.lapse_holds(now=LATER)

    assert supply.lapse_holds(now=LATER) == 0
    assert Fact.objects.filter(topic="appointment.lapsed").count() == 1


def test_more_than_one_batch_goes_back(monkeypatch):
    monkeypatch.setattr(supply, "LAPSE_BATCH", 2)
    schedule = open_schedule(numbers=5)
    for _n in range(5):
        hold(schedule)

    assert supply.lapse_holds(now=LATER) == 5
    assert Appointment.objects.filter(status="pending").count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_patient_who_is_being_served_is_left_for_the_next_minute():
    """The job waits for nobody, so it can be part of no deadlock."""
    schedule = open_schedule(numbers=2)
    served, other = hold(schedule), hold(schedule)
    locked, go_on = Event(), Event()

    def being_served():
        try:
            with transaction.atomic():
                Patient.objects.select_for_update(no_key=True).get(pk=served.patient_id)
                locked.set()
                go_on.wait(10)
        finally:
            connection.close()

    thread = Thread(target=being_served)
    thread.start()
    assert locked.wait(10)
    assert supply.lapse_holds(now=LATER) == 1
    other.refresh_from_db()
    assert other.status == "cancelled"
    go_on.set()
    thread.join()
    assert supply.lapse_holds(now=LATER) == 1
