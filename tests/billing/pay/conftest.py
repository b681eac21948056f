import pytest
import time_machine

from tests.bookings.scenes import account_with, people
from tests.factories import NOW


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def mine(client, db):
    """The client of an account with one person, 周志明, who agreed to everything."""
    client.user = account_with()
    client.person = people(client.user)[0]
    client.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
    return client
