"""A hospital with a cardiologist on Wednesday, one patient who knows him, and the operators of its channels."""

from datetime import date, timedelta

import pytest
import time_machine

from appointments.selectors import rules
from hospital.models import Organization, RoleAssignment
from tests.factories import (
    NOW,
    TODAY,
    DepartmentFactory,
    IdentifierFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    StaffFactory,
    UserFactory,
    open_schedule,
)

WEDNESDAY = TODAY + timedelta(days=2)
DOCUMENT = "11010519491231002X"


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        rules.forget()
        yield


@pytest.fixture
def heart(db):
    return DepartmentFactory(name="心血管内科", pinyin="xinxueguanneike", initials="xxgnk")


@pytest.fixture
def wang(heart):
    doctor = PractitionerFactory(name="王建国", pinyin="wangjianguo", initials="wjg")
    return RoleFactory(department=heart, practitioner=doctor)


@pytest.fixture
def clinic(wang):
    """Wednesday 08:00–12:00, ten public numbers of 24 minutes."""
    return open_schedule(role=wang, day=WEDNESDAY, numbers=10, minutes=24)


@pytest.fixture
def patient(db):
    """Born 1959: 67, of the special group by age."""
    person = PatientFactory(name="周志明", pinyin="zhouzhiming", initials="zzm", phone="13800136210")
    IdentifierFactory(patient=person, number=DOCUMENT)
    return person


@pytest.fixture
def young(db):
    return PatientFactory(name="林子涵", pinyin="linzihan", initials="lzh", birth_date=date(1990, 5, 1))


def branch(code: str, name: str) -> Organization:
    """A lower institution of the hospital, without a ground of its own."""
    return Organization.objects.create(code=code, name=name, kind="community", parent=OrganizationFactory())


def partner_of(institution: Organization):
    user = UserFactory()
    RoleAssignment.objects.create(user=user, role="partner", organization=institution)
    return user


@pytest.fixture
def operator(client, db):
    """The client of a signed-in operator of the phone desk."""
    client.user = StaffFactory(roles="phone")
    client.force_login(client.user)
    return client


@pytest.fixture
def kiosk(client, db):
    client.user = StaffFactory(roles="kiosk", full_name="一楼自助机")
    client.force_login(client.user)
    return client
