import pytest
import time_machine

from appointments.selectors import rules
from tests.factories import (
    NOW,
    TODAY,
    DepartmentFactory,
    IdentifierFactory,
    PatientFactory,
    RoleFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        rules.forget()
        yield


@pytest.fixture
def counter(client, db):
    """The client of a signed-in person at the counter."""
    client.user = StaffFactory(roles="counter")
    client.force_login(client.user)
    return client


@pytest.fixture
def heart(db):
    return DepartmentFactory(name="心血管内科", pinyin="xinxueguanneike", initials="xxgnk")


@pytest.fixture
def clinic(heart):
    """This morning 08:00–12:00 with five numbers of the counter and five of everybody; NOW is 10:00."""
    from tests.factories import add_numbers

    schedule = open_schedule(day=TODAY, numbers=5, minutes=24, role=RoleFactory(department=heart))
    add_numbers(schedule, count=5, pool="counter", minutes=24)
    return schedule


@pytest.fixture
def patient(db):
    person = PatientFactory(name="周志明", pinyin="zhouzhiming", initials="zzm")
    IdentifierFactory(patient=person)
    return person


@pytest.fixture
def booked(clinic, patient):
    return appointment_row(clinic, patient, number=3)
