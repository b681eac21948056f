import pytest
import time_machine

from tests.factories import NOW


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def shelf(settings, tmp_path):
    """Where this test's attachments are kept."""
    kept = settings.STORAGES["referrals"]
    kept = {**kept, "OPTIONS": {**kept["OPTIONS"], "location": tmp_path / "referrals"}}
    settings.STORAGES = {**settings.STORAGES, "referrals": kept}
    return tmp_path / "referrals"
