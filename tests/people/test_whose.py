"""Whose bookings an account sees, asked in a way that stays quick among hundreds of thousands of patients (B22)."""

import pytest

from appointments.models import Appointment
from hospital import family
from tests.factories import NOW, AccountFactory, PatientFactory, RelatedPersonFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return AccountFactory()


def booked(account, **fields):
    patient = PatientFactory(active=fields.pop("active", True))
    RelatedPersonFactory(account=account, patient=patient, **fields)
    return appointment_row(open_schedule(numbers=1), patient)


def test_of_the_people_of_now_and_nobody_elses(account):
    """B22."""
    mine = booked(account)
    booked(AccountFactory())
    booked(account, place=2, relation="other", since=NOW, ended_at=NOW)
    inactive = booked(account, place=3, relation="other", active=False)

    assert list(Appointment.objects.filter(family.theirs(account))) == [mine]
    assert set(Appointment.objects.filter(family.theirs(account, inactive_too=True))) == {mine, inactive}
    assert not Appointment.objects.filter(family.theirs(AccountFactory())).exists()


def test_the_people_are_found_first_once(account):
    """As a subquery the planner read all patients and all bookings of a large hospital before it asked whose."""
    booked(account)

    plan = Appointment.objects.filter(family.theirs(account)).select_related("patient").explain()

    assert "InitPlan" in plan
    assert "Semi Join" not in plan
