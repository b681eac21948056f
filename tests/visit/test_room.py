"""叫号, 就诊, 结束 (B20, B21): one patient in the room, all times kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from appointments.errors import CalledElsewhere, NobodyInRoom, NotWaiting, RoomTaken
from appointments.models import Encounter, Schedule, ScheduleParticipant
from appointments.services import visit
from hospital.models import Fact, PatientTime
from tests.factories import (
    NOW,
    TODAY,
    EncounterFactory,
    PatientFactory,
    PractitionerFactory,
    RoomFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)


def minutes(count):
    return timedelta(minutes=count)


def doctor_of(schedule):
    return schedule.role.practitioner


def test_a_visit_keeps_every_moment(arrived, nurse, clinic):
    encounter = arrived(1, at=NOW)

    visit.call(encounter=encounter, by=nurse, now=NOW + minutes(1))
    visit.call(encounter=encounter, by=nurse, now=NOW + minutes(2))
    visit.start(encounter=encounter, by=nurse, now=NOW + minutes(3))
    visit.finish(encounter=encounter, by=nurse, now=NOW + minutes(12))

    encounter.refresh_from_db()
    assert (encounter.called_at, encounter.calls) == (NOW + minutes(1), 2)
    assert (encounter.started_at, encounter.finished_at) == (NOW + minutes(3), NOW + minutes(12))
    assert (encounter.practitioner, encounter.room) == (doctor_of(clinic), clinic.room)
    encounter.appointment.refresh_from_db()
    assert encounter.appointment.status == "fulfilled"
    key = f"appointment:{encounter.appointment_id}"
    assert list(Fact.objects.filter(key=key).order_by("id").values_list("topic", flat=True)) == [
        "encounter.checked_in",
        "encounter.called",
        "encounter.called",
        "encounter.started",
        "encounter.finished",
    ]


def test_the_patients_time_stays_taken_after_the_visit(arrived, nurse):
    encounter = arrived()
    row = encounter.appointment
    PatientTime.objects.create(
        patient=row.patient, during=(row.start, row.start + minutes(24)), source="appointment", source_id=row.pk
    )

    visit.start(encounter=encounter, by=nurse, now=NOW)
    visit.finish(encounter=encounter, by=nurse, now=NOW + minutes(5))

    assert PatientTime.objects.filter(source_id=row.pk).count() == 1


def test_the_database_refuses_a_second_patient_in_a_room(booked, clinic):
    room = clinic.room
    inside = {"status": "in_room", "room": room, "started_at": NOW}
    EncounterFactory(appointment=booked(1, status="arrived"), **inside)

    with pytest.raises(IntegrityError, match="one_patient_in_a_room"), transaction.atomic():
        EncounterFactory(appointment=booked(2, status="arrived"), **inside)


def test_a_second_patient_is_refused_until_the_first_is_finished(arrived, nurse):
    first, second = arrived(1), arrived(2)
    visit.start(encounter=first, by=nurse, now=NOW)

    with pytest.raises(RoomTaken):
        visit.start(encounter=second, by=nurse, now=NOW)

    visit.finish(encounter=first, by=nurse, now=NOW)
    assert visit.start(encounter=second, by=nurse, now=NOW).status == "in_room"


def test_starting_twice_is_one_start(arrived, nurse):
    encounter = arrived()
    visit.start(encounter=encounter, by=nurse, now=NOW)

    again = visit.start(encounter=encounter, by=nurse, now=NOW + minutes(1))

    assert again.started_at == NOW


def test_a_patient_called_to_one_room_is_not_called_to_another(arrived, nurse):
    encounter = arrived()
    visit.call(encounter=encounter, by=nurse, now=NOW)

    with pytest.raises(CalledElsewhere):
        visit.call(encounter=encounter, by=nurse, room=RoomFactory(), now=NOW)


def test_one_who_is_not_in_the_room_is_not_finished(arrived, nurse):
    with pytest.raises(NobodyInRoom):
        visit.finish(encounter=arrived(), by=nurse, now=NOW)


def test_finishing_twice_changes_nothing(arrived, nurse):
    encounter = arrived()
    visit.start(encounter=encounter, by=nurse, now=NOW)
    visit.finish(encounter=encounter, by=nurse, now=NOW + minutes(5))

    again = visit.finish(encounter=encounter, by=nurse, now=NOW + minutes(9))

    assert again.finished_at == NOW + minutes(5)
    assert Fact.objects.filter(topic="encounter.finished").count() == 1


def test_only_who_waits_can_leave(arrived, nurse):
    encounter = arrived()
    visit.start(encounter=encounter, by=nurse, now=NOW)

    with pytest.raises(NotWaiting):
        visit.left(encounter=encounter, by=nurse, now=NOW)


def test_next_refuses_while_somebody_is_in_the_room(arrived, nurse, clinic):
    visit.start(encounter=arrived(1), by=nurse, now=NOW)
    arrived(2)

    with pytest.raises(RoomTaken):
        visit.call_next(practitioner=doctor_of(clinic), by=nurse, now=NOW)


def test_next_finishes_the_current_and_starts_the_next_in_one_act(arrived, nurse, clinic):
    first, second = arrived(1), arrived(2)
    visit.start(encounter=first, by=nurse, now=NOW)

    now_in = visit.call_next(practitioner=doctor_of(clinic), by=nurse, finish_current=True, now=NOW + minutes(7))

    first.refresh_from_db()
    assert (now_in.pk, now_in.status, now_in.called_at) == (second.pk, "in_room", NOW + minutes(7))
    assert (first.status, first.finished_at) == ("finished", NOW + minutes(7))


def test_a_double_click_on_next_skips_nobody(arrived, nurse, clinic):
    first, second, third = arrived(1), arrived(2), arrived(3)
    doctor = doctor_of(clinic)
    visit.start(encounter=first, by=nurse, now=NOW)

    for _click in range(2):
        inside = visit.call_next(practitioner=doctor, by=nurse, finish_current=True, current=first.pk, now=NOW)

    third.refresh_from_db()
    assert (inside.pk, third.status) == (second.pk, "waiting")


def test_next_with_nobody_waiting_finishes_and_answers_none(arrived, nurse, clinic):
    first = arrived(1)
    visit.start(encounter=first, by=nurse, now=NOW)

    assert visit.call_next(practitioner=doctor_of(clinic), by=nurse, finish_current=True, now=NOW) is None

    first.refresh_from_db()
    assert first.status == "finished"


def test_next_of_a_room_by_the_nurse(arrived, nurse, clinic):
    first = arrived(1)

    assert visit.call_next(room=clinic.room, by=nurse, now=NOW).pk == first.pk


def test_a_plain_clinic_is_served_from_all_its_rooms(nurse, db):
    """Whoever is on duty sits down: rooms without a named doctor, one queue."""
    clinic = open_schedule(day=TODAY)
    ScheduleParticipant.objects.filter(schedule=clinic).update(practitioner=None)
    Schedule.objects.filter(pk=clinic.pk).update(role=None)
    second_room = RoomFactory()
    during = (clinic.starts_at, clinic.ends_at)
    ScheduleParticipant.objects.create(schedule=clinic, room=second_room, during=during)
    for number in (1, 2):
        row = appointment_row(clinic, PatientFactory(), number=number)
        visit.check_in(appointment=row, by=nurse, now=NOW)
    doctors = [PractitionerFactory(), PractitionerFactory()]

    one = visit.call_next(practitioner=doctors[0], room=clinic.room, by=nurse, now=NOW)
    other = visit.call_next(practitioner=doctors[1], room=second_room, by=nurse, now=NOW)

    assert [one.appointment.slot.number, other.appointment.slot.number] == [1, 2]
    assert [other.practitioner, other.room] == [doctors[1], second_room]


@pytest.fixture
def crowd(transactional_db):
    """A clinic of this morning with ten patients who wait, committed: for real races."""
    clinic = open_schedule(day=TODAY)
    nurse = StaffFactory(roles="triage")
    for number in range(1, 11):
        row = appointment_row(clinic, PatientFactory(), number=number)
        visit.check_in(appointment=row, by=nurse, now=NOW)
    return clinic, nurse


def race(acts):
    """Run all at once on connections of their own; the refusal is the answer of who lost."""
    gate = Barrier(len(acts))

    def run(act):
        gate.wait()
        try:
            return act()
        except (RoomTaken, CalledElsewhere, NotWaiting) as refusal:
            return type(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as people:
        return list(people.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_eight_people_press_next_at_once_and_one_patient_is_in_the_room(crowd):
    clinic, nurse = crowd
    doctor = doctor_of(clinic)

    won = race([lambda: visit.call_next(practitioner=doctor, by=nurse, now=NOW)] * 8)

    inside = Encounter.objects.filter(status="in_room")
    assert inside.count() == 1
    assert won.count(RoomTaken) == 7


@pytest.mark.django_db(transaction=True)
def test_a_real_double_click_on_next_skips_nobody(crowd):
    clinic, nurse = crowd
    doctor = doctor_of(clinic)
    first = visit.call_next(practitioner=doctor, by=nurse, now=NOW)
    act = {"practitioner": doctor, "by": nurse, "finish_current": True, "current": first.pk, "now": NOW}

    race([lambda: visit.call_next(**act)] * 4)

    states = Encounter.objects.order_by("appointment__slot__number").values_list("status", flat=True)
    assert list(states) == ["finished", "in_room", *["waiting"] * 8]


@pytest.mark.django_db(transaction=True)
def test_two_rooms_start_the_same_patient_at_once_and_one_gets_them(crowd):
    clinic, nurse = crowd
    encounter = Encounter.objects.order_by("pk").first()
    rooms = [clinic.room, RoomFactory()]

    won = race(
        [
            lambda room=room: visit.start(
                encounter=encounter, by=nurse, practitioner=PractitionerFactory(), room=room, now=NOW
            )
            for room in rooms
        ]
    )

    assert sum(isinstance(answer, Encounter) for answer in won) == 1
    assert Fact.objects.filter(topic="encounter.started").count() == 1


@pytest.mark.django_db(transaction=True)
def test_four_doctors_of_one_team_call_next_at_once_and_get_four_patients(crowd):
    """B11: one queue, several members; no patient is called twice, nobody is passed over."""
    clinic, nurse = crowd
    during = (clinic.starts_at, clinic.ends_at)
    members = [PractitionerFactory() for _ in range(4)]
    for member in members:
        ScheduleParticipant.objects.create(schedule=clinic, practitioner=member, room=RoomFactory(), during=during)

    won = race([lambda member=member: visit.call_next(practitioner=member, by=nurse, now=NOW) for member in members])

    assert len({encounter.pk for encounter in won}) == 4
    numbers = Encounter.objects.filter(status="in_room").values_list("appointment__slot__number", flat=True)
    assert sorted(numbers) == [1, 2, 3, 4]
