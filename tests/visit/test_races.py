"""Two people act on one patient at once: real threads, real connections (X2)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from appointments.models import Encounter, NoShow, PatientSuspension
from appointments.services import changes, visit
from hospital.errors import Refused
from hospital.models import Fact
from tests.factories import NOW, TODAY, PatientFactory, StaffFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    """Each act on a connection of its own; a refusal is an answer."""
    gate = Barrier(len(acts))

    def run(act):
        gate.wait()
        try:
            return act()
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as people:
        return list(people.map(run, acts))


@pytest.fixture
def nurse(transactional_db):
    return StaffFactory(roles="triage")


@pytest.fixture
def clinic(transactional_db):
    return open_schedule(day=TODAY)


def test_six_desks_check_the_same_patient_in_once(clinic, nurse):
    row = appointment_row(clinic, PatientFactory())

    answers = at_once(*[lambda: visit.check_in(appointment=row, by=nurse, now=NOW).pk] * 6)

    assert len(set(answers)) == 1
    assert Encounter.objects.count() == 1
    assert Fact.objects.filter(topic="encounter.checked_in").count() == 1


@pytest.mark.parametrize("round_", range(5))
def test_check_in_and_cancel_at_once_leave_one_truth(clinic, nurse, round_):
    row = appointment_row(clinic, PatientFactory())

    at_once(
        lambda: visit.check_in(appointment=row, by=nurse, now=NOW),
        lambda: changes.cancel(appointment=row, by=nurse, channel="counter", now=NOW),
    )

    row.refresh_from_db()
    assert (row.status, Encounter.objects.count()) in {("arrived", 1), ("cancelled", 0)}


def test_two_workers_mark_noshows_at_once_and_count_each_once(clinic, nurse):
    """A beat fired twice: one row, one fact and one suspension a patient."""
    patient = PatientFactory()
    for days in (0, 1, 2):
        past = clinic if days == 0 else open_schedule(day=TODAY - timedelta(days=days))
        appointment_row(past, patient)
    for number in range(2, 9):
        appointment_row(clinic, PatientFactory(), number=number)
    evening = clinic.ends_at + timedelta(hours=1)

    at_once(*[lambda: visit.mark_noshows(now=evening)] * 4)
    visit.mark_noshows(now=evening)  # what one passed by because the other held it

    assert NoShow.objects.count() == 10
    assert Fact.objects.filter(topic="appointment.noshow").count() == 10
    assert PatientSuspension.objects.filter(patient=patient).count() == 1


@pytest.mark.parametrize("round_", range(5))
def test_finish_and_undo_at_once_never_lose_a_visit(clinic, nurse, round_):
    encounter = visit.check_in(appointment=appointment_row(clinic, PatientFactory()), by=nurse, now=NOW)

    at_once(
        lambda: visit.start(encounter=encounter, by=nurse, now=NOW),
        lambda: visit.undo_check_in(appointment=encounter.appointment, by=nurse, now=NOW),
    )

    encounter.appointment.refresh_from_db()
    states = list(Encounter.objects.values_list("status", flat=True))
    assert (encounter.appointment.status, states) in [("arrived", ["in_room"]), ("booked", [])]
