import pytest
import time_machine

from tests.factories import NOW, StaffFactory


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def office(client, db):
    """The client of a signed-in person of the office."""
    client.user = StaffFactory(roles="office")
    client.force_login(client.user)
    return client
