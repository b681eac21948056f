import pytest
import time_machine

from tests.factories import NOW

from .systems import System


@pytest.fixture
def stopped():
    """It is Monday, 10:00 at the hospital, for the views as well."""
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def his(db, client, stopped):
    return System(client)
