"""收费班次: what the drawer should hold. Pure."""

from decimal import Decimal

from billing.errors import ShiftNotOpen
from billing.models import CashierShift


def expected(change: Decimal, *, taken: Decimal, given_back: Decimal) -> Decimal:
    return change + taken - given_back


def refusal_to_take(status: str) -> ShiftNotOpen | None:
    return None if status == CashierShift.Status.OPEN else ShiftNotOpen()
