"""Of paying ahead."""

import pytest

from tests.factories import PatientFactory, open_schedule
from tests.factories.billing import pays_first


@pytest.fixture
def patient():
    return PatientFactory()


@pytest.fixture
def schedule():
    pays_first()
    return open_schedule()
