"""收费班次 (M8): a drawer is opened, counted against the journal, and closed with its difference.

Lock: the shift, after invoices and payments; who takes money into it holds it too, so nothing comes in while it is
counted.
"""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.errors import (
    CountedAlready,
    CountedByYou,
    DifferenceUnexplained,
    DrawerInUse,
    PaymentSettled,
    ShiftNotCounted,
    ShiftNotOpen,
    ShiftOpenAlready,
    ShiftUncertain,
)
from billing.models import CashierShift, Payment
from billing.policies import accounts, shifts
from billing.policies.paying import Said
from billing.selectors import drawers
from hospital import audit
from hospital.models import Organization, User

from . import ledger, paying

Status = CashierShift.Status


@transaction.atomic
def open_(*, organization: Organization, cashier: User, window: str, change: Decimal, now: datetime) -> CashierShift:
    """开班. `change`: what lies in the drawer already (yuan). Raises ShiftOpenAlready."""
    User.objects.select_for_update(no_key=True).get(pk=cashier.pk)  # two clicks are one shift
    if there := drawers.current(cashier):
        raise ShiftOpenAlready(window=there.window)
    shift = CashierShift.objects.create(
        organization=organization, cashier=cashier, window=window.strip(), change=change, opened_at=now
    )
    _record("shift.opened", shift, by=cashier, now=now, change=change)
    return shift


@transaction.atomic
def count(*, shift: CashierShift, counted: Decimal, cheques: int, by: User, now: datetime) -> CashierShift:
    """点款: what is in the drawer, beside what the journal says; nothing is taken any more. Somebody else counts only
    what its cashier left behind. Raises CountedAlready, DrawerInUse, ShiftUncertain."""
    row = _locked(shift)
    if row.status != Status.OPEN:
        raise CountedAlready()
    _may_handle(row, by=by, now=now)
    if open_ := drawers.uncertain(row):
        raise ShiftUncertain(count=len(open_))
    row.expected = drawers.expected_cash(row)
    row.counted, row.cheques, row.difference = counted, cheques, counted - row.expected
    row.status, row.counted_at, row.counted_by = Status.COUNTED, now, _other_than_cashier(row, by)
    row.save()
    _record("shift.counted", row, by=by, now=now, expected=row.expected, counted=counted)
    return row


@transaction.atomic
def reopen(*, shift: CashierShift, by: User, now: datetime) -> CashierShift:
    """Counted wrongly, or somebody still wants to pay: open again, and counted anew later. Raises ShiftNotCounted."""
    row = _locked(shift)
    if row.status == Status.OPEN:
        return row
    if row.status != Status.COUNTED:
        raise ShiftNotCounted()
    _record("shift.reopened", row, by=by, now=now, counted=row.counted)
    row.status, row.expected, row.counted, row.difference = Status.OPEN, None, None, None
    row.cheques, row.counted_at, row.counted_by = None, None, None
    row.save()
    return row


@transaction.atomic
def close(*, shift: CashierShift, note: str, by: User, now: datetime) -> CashierShift:
    """交班. A difference is explained and goes to 长短款 in the journal. Somebody else than the cashier who closes it
    has checked it; who counted it for them is not who checks. Twice is once. Raises ShiftNotCounted, CountedByYou,
    DifferenceUnexplained."""
    row = _locked(shift)
    if row.status == Status.CLOSED:
        return row
    if row.status != Status.COUNTED:
        raise ShiftNotCounted()
    if row.counted_by_id == by.pk:
        raise CountedByYou()
    note = note.strip()[:200]
    if (row.difference or row.cheques != drawers.cheques(row)) and not note:
        raise DifferenceUnexplained()
    row.status, row.closed_at, row.note = Status.CLOSED, now, note
    row.checked_by = _other_than_cashier(row, by)
    row.save()
    ledger.write(
        key=f"shift:{row.pk}:counted",
        kind="drawer_counted",
        organization_id=row.organization_id,
        postings=accounts.drawer_counted(row.difference),
        shift=row,
        now=now,
        by=by,
    )
    _record("shift.closed", row, by=by, now=now, over_short=row.difference)
    return row


def was_received(*, payment: Payment, by: User, now: datetime) -> paying.Outcome:
    """Who counts says of a payment that was begun by hand and cut off: the money is in the drawer. Outside of a
    transaction. Of a code only its gateway knows. Raises PaymentSettled, DrawerInUse."""
    if payment.status != Payment.Status.PENDING or payment.gateway:
        raise PaymentSettled()
    _may_handle(payment.shift, by=by, now=now)
    return paying.succeed(order=payment.order, said=Said(payment.amount, payment.reference), by=by, now=now)


def was_not_received(*, payment: Payment, by: User, now: datetime) -> Payment:
    """Raises PaymentSettled, DrawerInUse."""
    if payment.gateway:
        raise PaymentSettled()
    _may_handle(payment.shift, by=by, now=now)
    row = paying.close(payment=payment, now=now)
    if row.status == Payment.Status.CLOSED:
        _record("shift.not_received", payment.shift, by=by, now=now, payment=payment.pk, amount=payment.amount)
    return row


def _may_handle(shift: CashierShift, *, by: User, now: datetime) -> None:
    if by.pk != shift.cashier_id and not drawers.left_behind(shift, now=now):
        raise DrawerInUse()


def _other_than_cashier(shift: CashierShift, by: User) -> User | None:
    return by if by.pk != shift.cashier_id else None


def _locked(shift: CashierShift) -> CashierShift:
    rows = CashierShift.objects.select_for_update(no_key=True, of=("self",)).select_related("organization", "cashier")
    return rows.get(pk=shift.pk)


def _record(action: str, shift: CashierShift, *, by: User, now: datetime, **detail) -> None:
    detail = {name: str(value) for name, value in detail.items()}
    audit.record(action=action, actor=by, subject=f"shift:{shift.pk}", detail=detail, now=now)


def must_be_open(cashier: User) -> CashierShift:
    """The drawer that money goes into now. Raises ShiftNotOpen."""
    shift = drawers.current(cashier)
    if shift is None or shifts.refusal_to_take(shift.status):
        raise ShiftNotOpen()
    return shift
