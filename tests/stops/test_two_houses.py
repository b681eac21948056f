"""O9, B13: the office of several houses stops in each by an order of that house, also for days not laid out yet."""

from datetime import date, timedelta

import pytest
import time_machine

from appointments.models import Schedule, Suspension
from appointments.services import stops
from hospital.models import Contract, Department, Organization, Role, RoleAssignment
from tests.factories import (
    NOW,
    CampusFactory,
    DepartmentFactory,
    OrganizationFactory,
    RoleFactory,
    RoomFactory,
    ServiceFactory,
    UserFactory,
    open_schedule,
)

from .scenes import IN_A_WEEK, doctor

pytestmark = pytest.mark.django_db
WHY = {"cause": "leave", "reason": "家里有事"}


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def two(client):
    """The doctor's role at home and at a branch, and the office of both houses."""
    home, branch = OrganizationFactory(), OrganizationFactory(code="H2", name="分院")
    own = doctor()
    Contract.objects.create(practitioner=own.practitioner, organization=branch, effective_from=date(2020, 1, 1))
    campus = CampusFactory(organization=branch, code="C2")
    department = DepartmentFactory(organization=branch, campus=campus)
    lent = RoleFactory(
        practitioner=own.practitioner, department=department, service=ServiceFactory(organization=branch)
    )
    user = UserFactory()
    for house in (home, branch):
        RoleAssignment.objects.create(user=user, role=Role.OFFICE, organization=house)
    client.force_login(user)
    return own, lent


def session_of(role, day):
    department: Department = role.department
    place = {"organization": department.organization, "campus": department.campus}
    return open_schedule(role=role, day=day, numbers=2, room=RoomFactory(campus=department.campus), **place)


def confirmed(client, asked: dict):
    """Looked at, then done."""
    seen = client.get("/office/stops/new/", asked).context["preview"].digest
    return client.post("/office/stops/new/", asked | WHY | {"seen": seen})


def houses_of(orders) -> list[Organization]:
    return [row.organization for row in orders.order_by("organization")]


def test_days_of_a_doctor_of_two_houses_are_an_order_in_each_and_reach_what_is_laid_out_later(client, two):
    own, lent = two
    here = session_of(own, IN_A_WEEK)
    later = IN_A_WEEK + timedelta(days=9)
    asked = {"practitioner": own.practitioner_id, "first": str(IN_A_WEEK), "last": str(later)}

    answer = confirmed(client, asked)

    assert answer.url == "/office/stops/"
    assert houses_of(Suspension.objects.all()) == [own.department.organization, lent.department.organization]
    fresh = [session_of(own, later), session_of(lent, later - timedelta(days=1))]
    stops.follow_up(now=NOW + timedelta(minutes=1))
    stopped = Schedule.objects.filter(pk__in=[here.pk, *(row.pk for row in fresh)], status="stopped")
    assert stopped.count() == 3


def test_named_sessions_of_two_houses_become_an_order_for_each(client, two):
    own, lent = two
    here, there = session_of(own, IN_A_WEEK), session_of(lent, IN_A_WEEK + timedelta(days=1))

    confirmed(client, {"schedule": [here.pk, there.pk]})

    orders = Suspension.objects.order_by("organization")
    assert [row.schedules for row in orders] == [[here.pk], [there.pk]]
    assert set(Schedule.objects.values_list("status", flat=True)) == {"stopped"}


def test_a_preview_of_two_houses_that_is_stale_stops_in_neither(client, two):
    own, lent = two
    here, there = session_of(own, IN_A_WEEK), session_of(lent, IN_A_WEEK + timedelta(days=1))
    asked = {"schedule": [here.pk, there.pk]}
    seen = client.get("/office/stops/new/", asked).context["preview"].digest
    Schedule.objects.filter(pk=there.pk).update(room=RoomFactory(campus=there.campus, code="R9"))

    assert client.post("/office/stops/new/", asked | WHY | {"seen": seen}).status_code == 409

    assert not Suspension.objects.exists()
