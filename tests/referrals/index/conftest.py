import pytest

from tests.api.conftest import stopped_clock  # noqa: F401
from tests.factories import StaffFactory


@pytest.fixture
def clerk(db):
    return StaffFactory(roles="counter")
