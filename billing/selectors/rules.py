"""Which numbers of the money hold today: dated rows, kept a few seconds as the booking's are."""

from datetime import date, datetime, time
from time import monotonic

from django.db.models import Q

from billing.models import CreditAgreement, InsuranceItem, InsuranceRule, PaymentRule
from billing.policies.credit import Credit
from hospital import clock

KEEP_SECONDS = 10
_kept: list = [float("-inf"), []]


def forget() -> None:
    """After a rule was edited in this process, and between tests."""
    _kept[:] = [float("-inf"), []]


def _payment_rules() -> list[PaymentRule]:
    if monotonic() - _kept[0] > KEEP_SECONDS:
        _kept[:] = [monotonic(), list(PaymentRule.objects.order_by("effective_from", "pk"))]
    return _kept[1]


def is_prepaid_anywhere(channel: str) -> bool:
    """Of any house on any day: where nobody wants money first, nothing more is asked."""
    return any(channel in rule.prepaid for rule in _payment_rules())


def money_since(organization_id: int) -> datetime | None:
    """The first day of the house's first rule: from then on money is taken here. None: a house without one."""
    days = [rule.effective_from for rule in _payment_rules() if rule.organization_id == organization_id]
    return clock.at(min(days), time.min) if days else None


def anywhere() -> bool:
    """Some house has written a rule: money is taken at all."""
    return bool(_payment_rules())


def houses_with_rules() -> set[int]:
    """Houses that take money."""
    return {rule.organization_id for rule in _payment_rules()}


def payment_rule(organization_id: int, *, day: date) -> PaymentRule:
    """In force on `day`; the model's defaults (nothing is paid ahead) where the house wrote none."""
    fitting = [
        rule
        for rule in _payment_rules()
        if rule.organization_id == organization_id
        and rule.effective_from <= day
        and (rule.effective_to is None or day <= rule.effective_to)
    ]
    return fitting[-1] if fitting else PaymentRule(organization_id=organization_id, effective_from=day)


def credit_of(patient_id: int, *, organization_id: int, now: datetime) -> Credit | None:
    """What the person agreed to with this house, in force today; none where the house has stopped giving credit."""
    row = agreement_of(patient_id, organization_id=organization_id, now=now)
    if row is None or not payment_rule(organization_id, day=clock.today(now)).credit_limit:
        return None
    return Credit(limit=row.limit, days=row.days)


def agreement_of(patient_id: int, *, organization_id: int, now: datetime) -> CreditAgreement | None:
    return _in_force(CreditAgreement.objects.filter(patient=patient_id, organization=organization_id), now).last()


def credit_offer(organization_id: int, *, now: datetime) -> Credit | None:
    """What the house offers whoever signs today; none without a written rule, or where its limit is zero."""
    rule = payment_rule(organization_id, day=clock.today(now))
    return Credit(limit=rule.credit_limit, days=rule.credit_days) if rule.pk and rule.credit_limit else None


def insurance_rule(organization_id: int, insurance: str, *, now: datetime) -> InsuranceRule:
    rows = InsuranceRule.objects.filter(organization=organization_id, insurance=insurance)
    found = _in_force(rows, now).last()
    return found or InsuranceRule(organization_id=organization_id, insurance=insurance)


def insurance_items(organization_id: int, codes: list[str], *, now: datetime) -> dict[str, InsuranceItem]:
    """By price code; what has no row is not on the list (class C)."""
    rows = _in_force(InsuranceItem.objects.filter(organization=organization_id, code__in=codes), now)
    return {row.code: row for row in rows}


def _in_force(rows, now: datetime):
    day = clock.today(now)
    rows = rows.filter(Q(effective_to=None) | Q(effective_to__gte=day), effective_from__lte=day)
    return rows.order_by("effective_from", "pk")
