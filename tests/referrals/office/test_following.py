"""R4: what happens to a number moves the referral that came by it; nothing disappears."""

from datetime import timedelta

import pytest

from appointments.models import Appointment
from appointments.services import changes, visit
from appointments.services.stops import closing
from hospital import outbox
from referrals.errors import NumberChanged, NumberOfAnother
from referrals.models import Referral
from referrals.policies.moves import Side
from referrals.services import booking_for, numbers
from tests.factories import NOW, TODAY, StaffFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(referral):
    """(referral, its number)."""
    number = appointment_row(open_schedule(), referral.patient)
    numbers.take(referral=referral, appointment=number, by=StaffFactory(), side=Side.ORIGIN, now=NOW)
    return referral, number


def now_of(referral) -> tuple:
    referral.refresh_from_db()
    return referral.status, referral.appointment_id, referral.due_at is not None


def test_a_cancelled_number_brings_the_referral_back(booked, facts):
    row, number = booked
    changes.cancel(appointment=number, by=None, channel="counter", now=NOW)
    facts()
    assert now_of(row) == ("accepted", None, True)


def test_a_stopped_session_brings_it_back_and_a_new_time_takes_it_along(booked, facts):
    """B13, R4: the office may book before the patient answers; who answers first has decided."""
    row, number = booked
    closing.close(number.schedule, by=None, reason="开会", now=NOW)
    facts()
    assert now_of(row) == ("accepted", None, True)
    other = open_schedule(department=number.department)
    Appointment.objects.filter(pk=number.pk).update(slot=other.slots.get(number=2), schedule=other)
    outbox.publish(topic="appointment.moved", key=f"appointment:{number.pk}", payload={}, now=NOW)
    facts()
    assert now_of(row) == ("booked", number.pk, False)


def test_after_a_stop_the_next_number_takes_the_old_ones_place_and_nobody_is_booked_twice(booked, facts, office):
    """B13, R4: the old one is still the patient's while they are asked."""
    row, number = booked
    closing.close(number.schedule, by=None, reason="开会", now=NOW)
    facts()
    with pytest.raises(NumberOfAnother):  # not even by hand
        numbers.take(referral=row, appointment=number, by=office, side=Side.RECEIVER, now=NOW)
    other = open_schedule(day=TODAY + timedelta(days=3), department=number.department)
    asked = {"schedule": other, "start": other.starts_at, "source": booking_for.OWN, "side": Side.RECEIVER}
    asked |= {"referral": row, "by": office, "now": NOW}
    with pytest.raises(NumberChanged):  # the page knew nothing of it
        booking_for.book(**asked, request_key="a")
    for _twice in range(2):
        assert booking_for.book(**asked, moving=number.pk, request_key="b").pk == number.pk
    assert now_of(row) == ("booked", number.pk, False)
    facts()
    assert now_of(row) == ("booked", number.pk, False)
    assert list(row.events.values_list("kind", flat=True)) == ["booked", "lost", "booked"]
    assert Appointment.objects.filter(patient=row.patient, status="booked").count() == 1


def test_another_number_of_the_patient_is_used_and_the_stopped_one_goes_back(booked, facts, office):
    row, number = booked
    closing.close(number.schedule, by=None, reason="开会", now=NOW)
    facts()
    own = appointment_row(open_schedule(day=TODAY + timedelta(days=3)), row.patient)
    booking_for.use(referral=row, appointment=own, by=office, side=Side.RECEIVER, now=NOW)
    facts()
    assert now_of(row) == ("booked", own.pk, False)
    number.refresh_from_db()
    assert number.status == "cancelled"


def test_a_referral_never_gets_a_second_number(booked, office):
    """Two of the office at once: the second hears of the first."""
    row, number = booked
    own = appointment_row(open_schedule(day=TODAY + timedelta(days=3)), row.patient)
    with pytest.raises(NumberChanged) as refused:
        booking_for.use(referral=row, appointment=own, by=office, side=Side.RECEIVER, now=NOW)
    assert f"{number.start:%m}-" in refused.value.sentence
    assert now_of(row) == ("booked", number.pk, False)


def test_a_session_that_takes_place_after_all_keeps_its_referrals(booked, facts):
    row, number = booked
    closing.close(number.schedule, by=None, reason="开会", now=NOW)
    facts()
    number.schedule.status = "open"
    number.schedule.save()
    outbox.publish(
        topic="schedule.reopened", key=f"schedule:{number.schedule_id}", payload={"booked": [number.pk]}, now=NOW
    )
    facts()
    assert now_of(row) == ("booked", number.pk, False)


def test_who_missed_it_and_comes_late_has_arrived_and_is_seen(booked, facts):
    row, number = booked
    Appointment.objects.filter(pk=number.pk).update(status="noshow", day=NOW.date())
    outbox.publish(topic="appointment.noshow", key=f"appointment:{number.pk}", payload={}, now=NOW)
    facts()
    assert now_of(row) == ("accepted", None, True)
    number.refresh_from_db()
    visit.check_in(appointment=number, by=None, now=NOW)
    facts()
    assert now_of(row) == ("arrived", number.pk, False)
    visit.undo_check_in(appointment=number, by=None, now=NOW)
    facts()
    assert now_of(row) == ("booked", number.pk, False)
    encounter = visit.check_in(appointment=number, by=None, now=NOW)
    facts()
    outbox.publish(
        topic="encounter.finished", key=f"appointment:{number.pk}", payload={"encounter": encounter.pk}, now=NOW
    )
    facts()
    assert now_of(row) == ("seen", number.pk, False)
    assert Referral.objects.get().events.last().kind == "seen"


def test_who_checked_in_and_left_unseen_is_back_on_the_list_until_they_come_back(booked, facts):
    row, number = booked
    Appointment.objects.filter(pk=number.pk).update(day=NOW.date())
    number.refresh_from_db()
    encounter = visit.check_in(appointment=number, by=None, now=NOW)
    facts()
    visit.left(encounter=encounter, by=None, now=NOW)
    facts()
    assert now_of(row) == ("accepted", None, True)
    visit.check_in(appointment=number, by=None, now=NOW)
    facts()
    assert now_of(row) == ("arrived", number.pk, False)


def test_what_is_over_is_left_alone(booked, facts):
    row, number = booked
    Referral.objects.filter(pk=row.pk).update(status="rejected", ended_at=NOW, due_at=None)
    changes.cancel(appointment=number, by=None, channel="counter", now=NOW)
    facts()
    assert now_of(row) == ("rejected", number.pk, False)
