"""The money's tests: no gateway outlives its test."""

import pytest

from billing.gateways import ports
from tests.factories.billing import ScriptedGateway


@pytest.fixture
def wechat():
    gateway = ScriptedGateway("wechat")
    ports.register("payment", gateway)
    yield gateway
    ports.forget("payment", "wechat")
