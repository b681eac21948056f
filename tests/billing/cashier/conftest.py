"""At the window: a house that wants money first, its cashier, and somebody with a held number."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from appointments.services import booking
from billing.models import CashierShift, Invoice
from billing.services import invoicing
from hospital.models import Patient, PriceItem, User
from tests.factories import (
    NOW,
    TODAY,
    IdentifierFactory,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    open_schedule,
)
from tests.factories.billing import ShiftFactory, pays_first


@dataclass
class Window:
    cashier: User
    shift: CashierShift
    patient: Patient

    def hold(self, patient=None, **more):
        return booking.book(
            schedule=open_schedule(**more), patient=patient or self.patient, channel="counter", by=None,
            request_key=None, now=NOW,
        )  # fmt: skip

    def invoice(self, patient=None, **more) -> Invoice:
        return invoicing.open_for_booking(booking=self.hold(patient, **more), by=None, now=NOW)


@pytest.fixture
def window(db) -> Window:
    """Registration costs 20 yuan, a booklet 2.50."""
    pays_first()
    cashier = StaffFactory(roles="cashier")
    patient = PatientFactory(phone="13911112222")
    IdentifierFactory(patient=patient)
    PriceItem.objects.create(
        organization=OrganizationFactory(), code="BL01", name="病历本", amount=Decimal("2.50"), effective_from=TODAY
    )
    return Window(cashier, ShiftFactory(cashier=cashier), patient)


@pytest.fixture
def till(client, window):
    """A browser at the window, signed in, the drawer open."""
    client.force_login(window.cashier)
    return client
