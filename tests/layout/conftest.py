import pytest

from tests.factories import StaffFactory
from tests.supply.scenes import hospital  # noqa: F401


@pytest.fixture
def office(db):
    return StaffFactory(roles="office")
