"""P12: the demo lends experts to the branches, so that the pages are not empty."""

from datetime import date

import pytest

from appointments.demo import branches
from appointments.models import Schedule, ScheduleTemplate
from hospital.models import Contract
from tests.factories import (
    NOW,
    CampusFactory,
    DepartmentFactory,
    OrganizationFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ServiceFactory,
    TemplateFactory,
)
from tests.supply.scenes import MONDAY, lay_out


@pytest.mark.django_db
def test_an_expert_sits_at_a_branch_where_he_and_a_room_are_free(hospital):
    branch = OrganizationFactory(code="B1", name="柳堤社区", kind="community", parent=hospital)
    campus = CampusFactory(organization=branch, code="LD")
    there = DepartmentFactory(organization=branch, campus=campus)
    service = ServiceFactory(organization=branch, code="SQ")
    room = RoomFactory(campus=campus)
    expert = RoleFactory(service=ServiceFactory(code="chief", level="chief"))
    TemplateFactory(role=expert, weekday=1, half="am")
    local = RoleFactory(practitioner=PractitionerFactory(organization=branch), department=there, service=service)
    TemplateFactory(organization=branch, role=local, room=room, weekday=1, half="pm")

    assert branches.lend(first_day=date(2026, 11, 1), now=NOW) == 1

    lent = ScheduleTemplate.objects.get(role__practitioner=expert.practitioner, organization=branch)
    assert (lent.weekday, lent.half, lent.room) == (2, "am", room)
    assert Contract.objects.get().organization == branch
    lent.starts, lent.ends = "08:00", "11:00"
    lent.save()
    lay_out(branch, last=date(2026, 12, 1))
    assert Schedule.objects.get(template=lent).day > MONDAY
