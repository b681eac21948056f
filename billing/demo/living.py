"""The money of the demo hospital, in order: rules, a month of paying through the services, what the gateways know."""

import random
from datetime import time, timedelta
from decimal import Decimal

import structlog
from django.conf import settings

from appointments.demo.neighbours import Scene
from appointments.demo.scale import SEED
from billing.gateways import ports
from billing.gateways.fake.control import Control
from billing.models import CreditAgreement, LedgerEntry, PaymentRule
from billing.selectors import rules
from hospital import clock
from hospital.models import Organization

from . import insured
from .month import Month
from .past import Past

log = structlog.get_logger(__name__)

DAYS = 30
PATIENTS_A_VISIT = 160
"""One visit a day pays here for so many patients of the demo, at most month.A_DAY."""

PREPAID = ["web", "app", "kiosk", "consult"]
"""Beside them people pay at the visit: at the window, the kiosk, on the phone."""


def live(scene: Scene) -> str:
    house, now = scene.doctor.organization, scene.now
    dice = random.Random(f"{SEED}money")
    past = {code: Past(code, dice) for code in ("wechat", "alipay")}
    for gateway in past.values():
        ports.register("payment", gateway, organization=house.pk)
    try:
        month = Month(house, users=scene.users, gateways=past, dice=dice, now=now)
        _rules(house, month, now=now)
        days = min(DAYS, scene.scale.days_back)
        month.live(
            first_day=clock.today(now) - timedelta(days=days), a_day=max(1, scene.scale.patients // PATIENTS_A_VISIT)
        )
    finally:
        for code in past:
            ports.forget("payment", code, organization=house.pk)
    _tell_the_running_gateway(past)
    entries = LedgerEntry.objects.filter(organization=house).count()
    return f"{month.paid:,} paid invoices, {entries:,} entries of the journal"


def _rules(house: Organization, month: Month, *, now) -> None:
    """What comes by an app, the kiosk or the consult room is paid first, from today; a few people pay afterwards."""
    today = clock.today(now)
    PaymentRule.objects.create(
        organization=house, effective_from=today, prepaid=PREPAID, credit_limit=Decimal(1000), credit_days=10
    )
    rules.forget()
    begin = today - timedelta(days=DAYS)
    insured.give(house, begin=begin)
    for patient in month.trusted(6):
        CreditAgreement.objects.create(
            organization=house, patient=patient, limit=Decimal(1000), days=10, effective_from=begin,
            by=month.users["shoufei"], signed_at=clock.at(begin, time(9, 5)),
        )  # fmt: skip


def _tell_the_running_gateway(past: dict[str, Past]) -> None:
    """So that its bills and refunds of those days work. Without one the demo's past is what it is."""
    control = Control.beside(getattr(settings, "PAYMENT_MERCHANTS", ""))
    if control is None:
        return
    said = [gateway.told() for gateway in past.values()]
    try:
        control("bring", orders=[row for orders, _r in said for row in orders],
                refunds=[row for _o, refunds in said for row in refunds])  # fmt: skip
    except (OSError, RuntimeError) as error:
        log.warning("demo_gateway_not_told", error=type(error).__name__)
