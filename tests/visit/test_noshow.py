"""爽约 (B15): counted at the schedule's end; 3 in rolling 90 days → 90 days."""

from datetime import timedelta

import pytest

from appointments.models import Appointment, BookingRule, NoShow, PatientSuspension
from appointments.services import visit
from hospital.models import Fact
from tests.factories import NOW, TODAY, PatientFactory, appointment_row, open_schedule


@pytest.fixture
def evening(clinic):
    return clinic.ends_at + timedelta(hours=6)


def missed_before(patient, *, days):
    past = open_schedule(day=TODAY - timedelta(days=days))
    row = appointment_row(past, patient, status="noshow")
    return NoShow.objects.create(appointment=row, patient=patient, day=past.day, marked_at=past.ends_at)


def statuses():
    return list(Appointment.objects.order_by("slot__number").values_list("status", flat=True))


def test_who_did_not_come_is_marked_at_the_schedules_end(booked, arrived, evening):
    booked(1)
    arrived(2)
    booked(3, status="pending")

    marked = visit.mark_noshows(now=evening)

    assert marked == 1
    assert statuses() == ["noshow", "arrived", "pending"]
    assert NoShow.objects.get().marked_at == evening
    assert Fact.objects.filter(topic="appointment.noshow").count() == 1


def test_nobody_is_a_noshow_before_the_end(booked, clinic):
    booked(1)

    assert visit.mark_noshows(now=clinic.ends_at - timedelta(seconds=1)) == 0
    assert visit.mark_noshows(now=clinic.ends_at) == 1


def test_a_second_run_does_nothing(booked, evening):
    booked(1)
    visit.mark_noshows(now=evening)

    assert visit.mark_noshows(now=evening) == 0
    assert Fact.objects.filter(topic="appointment.noshow").count() == 1


def test_days_that_a_dead_worker_missed_are_made_up(evening, db):
    old = open_schedule(day=TODAY - timedelta(days=5))
    appointment_row(old, PatientFactory())

    assert visit.mark_noshows(now=evening) == 1


def test_batches_cover_everything(booked, evening):
    for number in range(1, 11):
        booked(number)

    assert visit.mark_noshows(now=evening, batch=3) == 10


def test_a_stopped_clinic_has_no_noshows(booked, clinic, evening):
    booked(1)
    clinic.status = "stopped"
    clinic.save()

    assert visit.mark_noshows(now=evening) == 0


def test_an_add_on_after_the_end_has_its_own_time(booked, clinic):
    row = booked(10)
    row.slot.start = clinic.ends_at + timedelta(minutes=10)
    row.slot.minutes = 10
    row.slot.save()
    Appointment.objects.filter(pk=row.pk).update(start=row.slot.start)

    assert visit.mark_noshows(now=clinic.ends_at + timedelta(minutes=19)) == 0
    assert visit.mark_noshows(now=clinic.ends_at + timedelta(minutes=20)) == 1


def test_the_third_in_ninety_days_suspends_for_ninety_days(booked, evening):
    patient = PatientFactory()
    missed_before(patient, days=89)
    missed_before(patient, days=1)
    booked(1, patient=patient)

    visit.mark_noshows(now=evening)

    suspension = PatientSuspension.objects.get()
    assert (suspension.patient, suspension.starts_at) == (patient, evening)
    assert suspension.ends_at == evening + timedelta(days=90)
    assert Fact.objects.get(topic="patient.suspended").key == f"patient:{patient.pk}"


def test_one_older_than_the_window_does_not_count(booked, evening):
    patient = PatientFactory()
    missed_before(patient, days=90)
    missed_before(patient, days=1)
    booked(1, patient=patient)

    visit.mark_noshows(now=evening)

    assert not PatientSuspension.objects.exists()


def test_an_excused_one_does_not_count(booked, evening):
    patient = PatientFactory()
    missed_before(patient, days=2)
    excused = missed_before(patient, days=1)
    excused.excused_at = NOW
    excused.save()
    booked(1, patient=patient)

    visit.mark_noshows(now=evening)

    assert not PatientSuspension.objects.exists()


def test_a_noshow_leads_to_one_suspension_only(booked, evening):
    patient = PatientFactory()
    for days in (3, 2, 1):
        missed_before(patient, days=days)
    PatientSuspension.objects.create(
        patient=patient, starts_at=NOW, ends_at=NOW + timedelta(days=90), reason="90天内爽约3次"
    )
    booked(1, patient=patient)

    visit.mark_noshows(now=evening)

    assert PatientSuspension.objects.count() == 1


def test_the_office_decides_how_many_and_how_long(booked, evening):
    booked(1)
    BookingRule.objects.update(noshow_count=1, suspension_days=30)

    visit.mark_noshows(now=evening)

    assert PatientSuspension.objects.get().ends_at == evening + timedelta(days=30)
