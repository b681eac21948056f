import pytest
import time_machine

from hospital import outbox
from tests.factories import NOW, ReferralFactory, StaffFactory


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def office(db):
    return StaffFactory(roles="referral")


@pytest.fixture
def referral(db):
    return ReferralFactory()


@pytest.fixture
def facts():
    """What was published until now reaches its handlers."""

    def run():
        outbox.fan_out(now=NOW)
        while outbox.deliver(now=NOW) or outbox.fan_out(now=NOW):
            pass

    return run
