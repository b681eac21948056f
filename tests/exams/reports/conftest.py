import pytest
import time_machine

from tests.factories import NOW


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def shelf(settings, tmp_path):
    """Where this test's files are kept: the storage is made anew from these settings."""
    kept = settings.STORAGES["reports"]
    kept = {**kept, "OPTIONS": {**kept["OPTIONS"], "location": tmp_path / "reports"}}
    settings.STORAGES = {**settings.STORAGES, "reports": kept}
    return tmp_path / "reports"
