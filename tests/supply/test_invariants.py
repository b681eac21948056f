"""X2: each invariant finds the row that breaks it, and sound data breaks none."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from appointments import invariants
from appointments.models import Allotment, Appointment, NoShow, Slot, SupplyRule, SupplyShare
from appointments.services import booking, changes, extras, visit
from hospital.models import PatientTime
from tests.factories import (
    NOW,
    TODAY,
    EncounterFactory,
    PatientFactory,
    PoolFactory,
    TeamFactory,
    UserFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db


def broken(now=NOW) -> dict[str, list[int]]:
    return {each.invariant.name: each.ids for each in invariants.violations(now=now)}


def booked(schedule=None, **more):
    return booking.book(
        schedule=schedule or open_schedule(numbers=3),
        patient=PatientFactory(),
        channel="consult",
        by=UserFactory(),
        request_key=None,
        confirmed=True,
        now=NOW,
        **more,
    )


def test_a_day_of_booking_moving_cancelling_and_visiting_breaks_none():
    schedule, other = open_schedule(numbers=4), open_schedule(numbers=4, day=TODAY + timedelta(days=29))
    moved, cancelled = booked(schedule), booked(schedule)
    booking.reschedule(appointment=moved, schedule=other, by=None, channel="consult", request_key=None, now=NOW)
    changes.cancel(appointment=cancelled, by=None, channel="counter", now=NOW)
    booking.book(
        schedule=schedule, patient=PatientFactory(), channel="web", by=UserFactory(), request_key=None, now=NOW
    )
    extras.add_extra(
        schedule=schedule, patient=PatientFactory(), by=UserFactory(), reason="病情需要", request_key="x", now=NOW
    )
    today = booked(open_schedule(numbers=4, day=TODAY))
    visit.check_in(appointment=today, by=None, document_seen=True, now=NOW)
    stopped = open_schedule(numbers=2)
    booked(stopped)
    extras.suspend(schedule=stopped, by=None, reason="外出", now=NOW)

    assert broken() == {}


def test_a_booked_number_without_an_appointment_is_found():
    slot = open_schedule(numbers=1).slots.get()
    Slot.objects.filter(pk=slot.pk).update(status="booked")

    assert broken() == {"number_agrees_with_appointment": [slot.pk]}


def test_a_live_appointment_on_a_free_number_is_found():
    row = booked()
    Slot.objects.filter(pk=row.slot_id).update(status="free")

    assert broken() == {"number_agrees_with_appointment": [row.slot_id]}


def test_an_appointment_on_another_day_than_its_schedule_is_found():
    row = booked()
    Appointment.objects.filter(pk=row.pk).update(day=row.day + timedelta(days=1))

    assert broken() == {"appointment_agrees_with_schedule": [row.pk]}


def test_a_live_appointment_without_the_patients_time_is_found():
    row = booked()
    PatientTime.objects.all().delete()

    assert broken() == {"patient_time_of_live": [row.pk]}


def test_time_kept_for_a_cancelled_appointment_is_found():
    row = booked()
    time = PatientTime.objects.get()
    changes.cancel(appointment=row, by=None, channel="counter", now=NOW)
    PatientTime.objects.create(patient=time.patient, during=time.during, source="appointment", source_id=row.pk)

    assert broken() == {"patient_time_of_cancelled": [PatientTime.objects.get().pk]}


def test_a_schedule_with_a_number_too_few_is_found():
    schedule = open_schedule(numbers=3)
    schedule.slots.get(number=3).delete()

    assert broken() == {"capacity_is_its_numbers": [schedule.pk]}


def test_a_number_whose_pool_never_opens_is_found():
    schedule = open_schedule(numbers=3)
    Allotment.objects.all().delete()

    assert broken() == {"pool_has_an_allotment": [schedule.pk]}


def test_shares_that_do_not_sum_to_a_hundred_are_found():
    """The database refuses them; a restore with triggers off would not."""
    schedule = open_schedule(numbers=1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE appointments_supplyshare DISABLE TRIGGER USER")
    rule = SupplyRule.objects.create(organization=schedule.organization, effective_from=TODAY)
    SupplyShare.objects.create(rule=rule, kind="public", percent=90, opens_days=7, opens_time="07:00")

    assert broken() == {"shares_sum_to_a_hundred": [rule.pk]}


def test_a_leading_experts_public_number_and_a_visit_without_referral_are_found():
    """B11."""
    schedule = open_schedule(numbers=2)
    row = booked(schedule)
    schedule.gate_team = TeamFactory()
    schedule.save()

    assert broken() == {"leader_has_team_numbers_only": [schedule.pk], "leader_by_referral_only": [row.pk]}


def test_a_confirmed_appointment_that_was_never_published_is_found():
    row = appointment_row(open_schedule(numbers=1), PatientFactory())
    during = (row.start, row.start + timedelta(minutes=row.slot.minutes))
    PatientTime.objects.create(patient=row.patient, during=during, source="appointment", source_id=row.pk)

    assert broken() == {"confirmed_has_a_fact": [row.pk]}


def test_a_hold_that_outlived_its_clock_is_found_after_ten_minutes():
    row = booking.book(
        schedule=open_schedule(numbers=1),
        patient=PatientFactory(),
        channel="web",
        by=UserFactory(),
        request_key=None,
        now=NOW,
    )
    over = NOW + timedelta(minutes=15) + invariants.GRACE

    assert broken(over) == {}
    assert broken(over + timedelta(seconds=1)) == {"no_hold_outlives_its_clock": [row.pk]}


def test_a_noshow_without_its_row_and_a_row_without_its_noshow_are_found():
    schedule = open_schedule(numbers=3)
    missed, came = booked(schedule), booked(schedule)
    Appointment.objects.filter(pk=missed.pk).update(status="noshow")
    NoShow.objects.create(appointment=came, patient=came.patient, day=came.day, marked_at=NOW)

    assert broken() == {"noshow_agrees": [missed.pk, came.pk]}


def test_someone_who_waits_without_having_arrived_is_found():
    row = booked()
    EncounterFactory(appointment=row)

    assert broken() == {"visit_agrees": [row.pk]}


def test_two_live_appointments_on_one_number_are_found():
    """The database refuses it; a dropped index would not."""
    row = booked(open_schedule(numbers=2))
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX appointment_one_live_per_slot")
    other = booked(row.schedule)
    Appointment.objects.filter(pk=other.pk).update(slot=row.slot, start=row.start)

    assert broken()["one_live_per_number"] == [row.slot_id]


def test_the_command_names_what_is_broken_and_fails(capsys):
    call_command("check_invariants")
    slot = open_schedule(numbers=1).slots.get()
    Slot.objects.filter(pk=slot.pk).update(status="booked")

    with pytest.raises(CommandError):
        call_command("check_invariants")
    assert "number_agrees_with_appointment: A held number has a pending appointment" in capsys.readouterr().out


def test_numbers_added_beyond_capacity_do_not_count_as_capacity():
    schedule = open_schedule(numbers=2)
    add_numbers(schedule, count=1, pool=PoolFactory(organization=schedule.organization, kind="extra"), minutes=10)

    assert broken() == {}
