import pytest
import time_machine

from tests.factories import NOW


@pytest.fixture
def stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield
