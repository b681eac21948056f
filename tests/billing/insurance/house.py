"""A house with insurance rules and a basket of an insured person."""

from datetime import date, timedelta
from decimal import Decimal as Yuan
from uuid import uuid4

from appointments.services import booking
from billing.models import InsuranceItem, InsuranceRule
from billing.services import invoicing
from hospital import outbox
from hospital.models import PatientIdentifier, PriceItem
from tests.factories import NOW, TODAY, OrganizationFactory, PatientFactory, ServiceFactory, open_schedule
from tests.factories.billing import pays_first

CARD = "110101199003070012"
SINCE = date(2020, 1, 1)
SOON = NOW + timedelta(minutes=1)


def insured(*, insurance="employee", kind="id_card", number=CARD):
    patient = PatientFactory(insurance=insurance)
    _carries(patient, kind, number)
    return patient


def document_of(patient) -> str:
    """The number by which the insurance knows them; a card's, where they have none yet."""
    there = patient.identifiers.filter(kind="id_card").first()
    return there.number if there else _carries(patient, "id_card", CARD)


def _carries(patient, kind, number) -> str:
    PatientIdentifier.objects.create(
        patient=patient, kind=kind, number=number, number_hash=f"{kind}{number}", last4=number[-4:], checked=True
    )
    return number


def rules(*, code="", klass="A", own="0"):
    pays_first()
    house = OrganizationFactory()
    for kind, percent, account in (("employee", 70, True), ("resident", 50, False)):
        InsuranceRule.objects.create(
            organization=house, insurance=kind, fund_percent=percent, account=account, effective_from=SINCE
        )
    if code:
        item(code, klass=klass, own=own)


def item(code, *, klass="A", own="0"):
    InsuranceItem.objects.create(
        organization=OrganizationFactory(), code=code, national_code=f"11{code}", klass=klass,
        own_percent=Yuan(own), effective_from=SINCE,
    )  # fmt: skip


def hold(patient, *, day, basket=None, price=None, code="G"):
    """A number of a day from today, at the price of its code."""
    schedule = open_schedule(day=TODAY + timedelta(days=day)) if price is None else _priced(day, price, code)
    return booking.book(
        schedule=schedule, patient=patient, channel="web", by=None, request_key=None, number=1,
        basket=basket or uuid4(), now=NOW,
    )  # fmt: skip


def _priced(day, price, code):
    house = OrganizationFactory()
    if not PriceItem.objects.filter(organization=house, code=code).update(amount=Yuan(price)):
        PriceItem.objects.create(organization=house, code=code, name=code, amount=Yuan(price), effective_from=SINCE)
    service = ServiceFactory(code=f"s{code}", price_code=code)
    return open_schedule(role__service=service, day=TODAY + timedelta(days=day))


def basket_of(patient, lines=2, price=None):
    """Numbers on different days, 20 yuan each, and their invoice."""
    basket = uuid4()
    rows = [hold(patient, day=20 + 8 * n, basket=basket, price=price) for n in range(lines)]
    [invoice] = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    return rows, invoice


def facts(now=SOON):
    outbox.fan_out(now=now)
    while outbox.deliver(now=now):
        pass
