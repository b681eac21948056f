"""报到 (B20)."""

from datetime import UTC, datetime, timedelta

import pytest

from appointments.errors import NotCheckedIn, NotWaiting, Stopped, VisitOnAnotherDay, WrongState
from appointments.models import Encounter, NoShow, PatientSuspension
from appointments.services import visit
from hospital.models import Fact
from tests.factories import NOW, TODAY, PatientFactory, appointment_row, open_schedule


def topics(appointment):
    return list(Fact.objects.filter(key=f"appointment:{appointment.pk}").order_by("id").values_list("topic", flat=True))


def test_a_booked_patient_is_checked_in_and_waits(booked, nurse):
    row = booked(3)

    encounter = visit.check_in(appointment=row, by=nurse, document_seen=True, now=NOW)

    row.refresh_from_db()
    assert row.status == "arrived"
    assert (encounter.status, encounter.checked_in_at, encounter.checked_in_by) == ("waiting", NOW, nurse)
    assert encounter.document_seen
    assert topics(row) == ["encounter.checked_in"]


def test_checking_in_twice_gives_the_same_encounter_and_one_fact(booked, nurse):
    row = booked()
    first = visit.check_in(appointment=row, by=nurse, now=NOW)

    again = visit.check_in(appointment=row, by=nurse, document_seen=True, now=NOW + timedelta(minutes=5))

    assert (again.pk, again.checked_in_at, again.document_seen) == (first.pk, NOW, True)
    assert topics(row) == ["encounter.checked_in"]


def test_nobody_is_checked_in_on_another_day(nurse, db):
    tomorrow = open_schedule(day=TODAY + timedelta(days=1))
    row = appointment_row(tomorrow, PatientFactory())

    with pytest.raises(VisitOnAnotherDay) as refusal:
        visit.check_in(appointment=row, by=nurse, now=NOW)

    assert refusal.value.sentence == "这个预约是11-24的，今天不能报到。"
    assert not Encounter.objects.exists()


def test_the_day_is_the_hospitals_and_not_utc(nurse, db):
    """At 16:30 UTC on Monday it is already Tuesday here."""
    tuesday = open_schedule(day=TODAY + timedelta(days=1))
    row = appointment_row(tuesday, PatientFactory())

    visit.check_in(appointment=row, by=nurse, now=datetime(2026, 11, 23, 16, 30, tzinfo=UTC))

    assert Encounter.objects.get().appointment == row


@pytest.mark.parametrize("status", ["pending", "cancelled", "fulfilled"])
def test_only_a_standing_booking_is_checked_in(booked, nurse, status):
    fields = {"cancelled_at": NOW} if status == "cancelled" else {}
    row = booked(1, status=status, **fields)

    with pytest.raises(WrongState) as refusal:
        visit.check_in(appointment=row, by=nurse, now=NOW)

    assert row.get_status_display() in refusal.value.sentence


def test_a_stopped_clinic_checks_nobody_in(booked, clinic, nurse):
    row = booked()
    clinic.status = "stopped"
    clinic.save()

    with pytest.raises(Stopped):
        visit.check_in(appointment=row, by=nurse, now=NOW)


def test_an_undone_check_in_leaves_the_booking_and_the_trail(arrived, nurse):
    encounter = arrived()
    row = encounter.appointment

    visit.undo_check_in(appointment=row, by=nurse, now=NOW)

    row.refresh_from_db()
    assert (row.status, Encounter.objects.count()) == ("booked", 0)
    assert topics(row) == ["encounter.checked_in", "encounter.check_in_undone"]
    undone = Fact.objects.get(topic="encounter.check_in_undone")
    assert undone.payload["checked_in_at"] == NOW.isoformat()


def test_who_was_in_the_room_stays_checked_in(arrived, nurse):
    encounter = arrived()
    visit.start(encounter=encounter, by=nurse, now=NOW)

    with pytest.raises(NotWaiting):
        visit.undo_check_in(appointment=encounter.appointment, by=nurse, now=NOW)


def test_undoing_what_was_not_done_is_refused(booked, nurse):
    with pytest.raises(NotCheckedIn):
        visit.undo_check_in(appointment=booked(), by=nurse, now=NOW)


def test_one_who_left_and_comes_back_waits_anew(arrived, nurse):
    encounter = arrived(1, at=NOW)
    visit.left(encounter=encounter, by=nurse, now=NOW + timedelta(minutes=10))

    back = visit.check_in(appointment=encounter.appointment, by=nurse, now=NOW + timedelta(minutes=40))

    assert (back.pk, back.status, back.checked_in_at) == (encounter.pk, "waiting", NOW + timedelta(minutes=40))
    assert topics(encounter.appointment) == ["encounter.checked_in", "encounter.left", "encounter.checked_in"]


def test_a_noshow_who_comes_late_the_same_day_is_let_in_and_excused(booked, clinic, nurse):
    """B15."""
    row = booked()
    after = clinic.ends_at + timedelta(minutes=5)
    visit.mark_noshows(now=after)

    visit.check_in(appointment=row, by=nurse, now=after + timedelta(minutes=10))

    row.refresh_from_db()
    assert row.status == "arrived"
    assert NoShow.objects.get().excused_at == after + timedelta(minutes=10)


def test_a_suspension_that_the_excused_noshow_set_off_is_lifted(booked, clinic, nurse):
    patient = PatientFactory()
    for days in (10, 20):
        past = open_schedule(day=TODAY - timedelta(days=days))
        missed = appointment_row(past, patient, status="noshow")
        NoShow.objects.create(appointment=missed, patient=patient, day=past.day, marked_at=past.ends_at)
    row = booked(1, patient=patient)
    after = clinic.ends_at + timedelta(minutes=5)
    visit.mark_noshows(now=after)
    assert PatientSuspension.objects.get().lifted_at is None

    visit.check_in(appointment=row, by=nurse, now=after + timedelta(minutes=10))

    assert PatientSuspension.objects.get().lifted_at == after + timedelta(minutes=10)
