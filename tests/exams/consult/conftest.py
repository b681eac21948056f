"""A doctor's room with a patient in it."""

import pytest

from .rooms import room_with_a_patient


@pytest.fixture
def room(client):
    return room_with_a_patient(client)
