"""Clocks and a department. NOW is Monday 10:00."""

import pytest
import time_machine

from tests.factories import NOW, DepartmentFactory

from .scenes import doctor, half_day


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def place():
    return DepartmentFactory(name="心血管内科", group="内科系统", location="门诊楼 3 层")


@pytest.fixture
def schedule(place):
    """A chief's morning tomorrow: 08:00, 08:10 … 09:50."""
    return half_day(role=doctor(place), numbers=12, minutes=10)
