"""Prepaid: whether a booking may be confirmed now. Joined to hospital.prepaid, which the apps below ask."""

from collections.abc import Callable, Collection
from datetime import datetime
from decimal import Decimal

from appointments.models.rules import SELF_SERVICE
from billing.errors import MustPay
from billing.models import ChargeItem
from billing.selectors import credit, rules
from hospital import clock

_PAID = (ChargeItem.Status.PAID, ChargeItem.Status.CONFIRMED)


def must_pay(
    *,
    kind: str,
    organization: Callable[[], int],
    channel: str,
    patient: int,
    booking: int | None,
    fee: Decimal | None,
    now: datetime,
) -> MustPay | None:
    """None where the channel is not prepaid, nothing is to be paid, it is paid, or it is on credit. Who has not paid in
    time what was on credit pays first wherever people book by themselves (M4)."""
    if fee == 0 or not (rules.is_prepaid_anywhere(channel) or channel in SELF_SERVICE and rules.anywhere()):
        return None
    if not _pays_first(organization(), channel=channel, patient=patient, now=now):
        return None
    if booking is None:
        return MustPay()
    lines = ChargeItem.objects.filter(**{kind: booking}).exclude(status__in=ChargeItem.GONE)
    line = lines.only("status", "earned_at").first()
    if line and (line.status in _PAID or line.earned_at):
        return None
    return MustPay()


def _pays_first(organization: int, *, channel: str, patient: int, now: datetime) -> bool:
    if channel in rules.payment_rule(organization, day=clock.today(now)).prepaid:
        return True
    return channel in SELF_SERVICE and bool(late_of([patient], organization=organization, now=now))


def late_of(patients: Collection[int], *, organization: int, now: datetime) -> set[int]:
    """Who of them has not paid in time what was on credit there, and pays first wherever they book by themselves. One
    query where that house takes money, else none."""
    rule = rules.payment_rule(organization, day=clock.today(now))
    return credit.overdue_of(patients, organization=organization, now=now) if rule.pk else set()
