import pytest
import time_machine

from tests.bulk.acts import Session
from tests.factories import NOW


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def session(db):
    return Session()
