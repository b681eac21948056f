"""The demo hospital's insurance: rules as its simulator has them, and what each price code is on the list."""

from datetime import date
from decimal import Decimal

from billing.models import InsuranceItem, InsuranceRule
from hospital.models import Organization, PriceItem

RULES = (("employee", 70, True), ("resident", 50, False))
"""Kind, the fund's percent, personal account: simulators.insurance.rules has the same."""
PARTLY = ("EX-CT", "EX-MR", "EX-NM")
"""Dear devices are of class B: a tenth is the patient's own first."""
NOT_AT_ALL = "-S"
"""Sedation for comfort is on no list."""


def give(house: Organization, *, begin: date) -> None:
    """Idempotent."""
    for kind, percent, account in RULES:
        if not InsuranceRule.objects.filter(organization=house, insurance=kind).exists():
            InsuranceRule.objects.create(
                organization=house, insurance=kind, effective_from=begin, fund_percent=percent, account=account
            )
    held = set(InsuranceItem.objects.filter(organization=house).values_list("code", flat=True))
    codes = sorted(set(PriceItem.objects.filter(organization=house).values_list("code", flat=True)) - held)
    InsuranceItem.objects.bulk_create(
        _item(house, code, number, begin) for number, code in enumerate(codes, 1) if not code.endswith(NOT_AT_ALL)
    )


def _item(house: Organization, code: str, number: int, begin: date) -> InsuranceItem:
    partly = code.startswith(PARTLY)
    return InsuranceItem(
        organization=house,
        code=code,
        national_code=f"{'0021' if code.startswith('EX') else '0011'}{number:08}0000",
        klass="B" if partly else "A",
        own_percent=Decimal(10) if partly else Decimal(0),
        effective_from=begin,
    )
