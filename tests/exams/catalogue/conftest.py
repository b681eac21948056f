import pytest
import time_machine

from exams.services import starter
from tests.factories import NOW, OrganizationFactory, StaffFactory, UserFactory


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def house(db):
    """A hospital with the starter catalogue."""
    organization = OrganizationFactory()
    starter.give(organization=organization, by=UserFactory(), now=NOW)
    return organization


@pytest.fixture
def office(client, house):
    """The client of a signed-in person of the office."""
    client.user = StaffFactory(roles="office")
    client.force_login(client.user)
    return client


@pytest.fixture
def colleague(house):
    """Another person of the office: whoever writes does not approve."""
    return StaffFactory(roles="office")
