"""Somebody paid; the gateway has a bill of the day."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.gateways import ports
from billing.services import invoicing, paying
from hospital import clock
from tests.booking.acts import take
from tests.factories import NOW, PatientFactory, StaffFactory, open_schedule
from tests.factories.billing import ScriptedGateway, pays_first

NEXT_DAY = NOW + timedelta(days=1)


class Billing(ScriptedGateway):
    """A gateway that has a bill of what was paid and given back; `lines`: by the day, as a test wants it."""

    def __init__(self):
        super().__init__("wechat")
        self.lines: dict = {}
        self.no_bill = False

    def bill(self, day):
        if self.no_bill:
            raise ports.Away
        yield from self.lines.get(day, [])

    def write(self, *lines, day=None):
        self.lines.setdefault(day or clock.today(NOW), []).extend(lines)


def bill_line(order, amount="20.00", *, kind="payment", reference="", fee="0.12", at=NOW):
    return ports.BillLine(kind, order, reference or f"T{order[-12:]}", Decimal(amount), Decimal(fee), at)


@pytest.fixture
def wechat():
    gateway = Billing()
    ports.register("payment", gateway)
    yield gateway
    ports.forget("payment", "wechat")


@pytest.fixture
def finance(db):
    return StaffFactory(roles="finance", username="caiwu")


@pytest.fixture
def schedule(db):
    pays_first()
    return open_schedule(numbers=9)


@pytest.fixture
def begun(schedule, wechat):
    """A payment on its way for a held number of the price of 20."""

    def begin(now=NOW):
        held = take(schedule, PatientFactory(), channel="web", confirmed=False, now=now)
        invoice = invoicing.open_for_booking(booking=held, by=None, now=now)
        return paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=now)

    return begin


@pytest.fixture
def paid(begun, wechat):
    """Received and on the gateway's books."""

    def pay(now=NOW):
        payment = begun(now)
        return paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=now).payment

    return pay
