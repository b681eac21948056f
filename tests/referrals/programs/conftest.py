"""A community centre's program and its hospital's, and the clock stopped at NOW."""

import pytest

from tests.api.conftest import Program, issue, stopped_clock  # noqa: F401
from tests.factories import CommunityFactory, DepartmentFactory, OrganizationFactory, StaffFactory

WRITTEN = {
    "reason": "血压控制不佳", "diagnosis_code": "I10", "diagnosis": "高血压 3 级", "history": "八年，近两周头痛。",
    "consent": "patient",
}  # fmt: skip
PERSON = {"name": "周志明", "document": {"kind": "id_card", "number": "11010519491231002X"}}


@pytest.fixture
def department(db):
    return DepartmentFactory()


@pytest.fixture
def community(department):
    return CommunityFactory()


def program_of(organization, *scopes, channel="partner", **fields) -> Program:
    account = StaffFactory(roles="partner", roles__at=organization)
    return Program(issue(account, *(scopes or ("refer", "read", "book_anyone")), channel=channel,
                         organization=organization, **fields))  # fmt: skip


@pytest.fixture
def partner(community, stopped_clock):  # noqa: F811
    return program_of(community)


@pytest.fixture
def hospital(department, stopped_clock):  # noqa: F811
    return program_of(OrganizationFactory(), "refer", channel="counter")


def drafted(program, department, **more) -> dict:
    said = {"person": PERSON, "department": department.pk, **WRITTEN, **more}
    answer = program.post("/referrals/", {name: value for name, value in said.items() if value is not None})
    assert answer.status_code == 201, answer.content
    return answer.json()
