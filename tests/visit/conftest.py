import pytest

from appointments.services import visit
from tests.factories import NOW, TODAY, PatientFactory, StaffFactory, appointment_row, open_schedule


@pytest.fixture
def nurse(db):
    return StaffFactory(roles="triage")


@pytest.fixture
def clinic(db):
    """This morning 08:00–12:00, ten numbers of 24 minutes; NOW is 10:00."""
    return open_schedule(day=TODAY)


@pytest.fixture
def booked(clinic):
    """Book a number of this morning for a patient of its own: booked(3)."""

    def book(number=1, **fields):
        return appointment_row(clinic, fields.pop("patient", None) or PatientFactory(), number=number, **fields)

    return book


@pytest.fixture
def arrived(booked, nurse):
    """Check in the holder of a number: arrived(3, at=NOW)."""

    def arrive(number=1, *, at=NOW, priority=0, **fields):
        row = booked(number, **fields)
        return visit.check_in(appointment=row, by=nurse, priority=priority, now=at)

    return arrive
