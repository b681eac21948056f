"""收费窗口: what a patient puts on the counter is taken, part by part, each once by the key of the page.

Cheques and slips of the terminal come before cash; what a phone pays comes first of all, so that no money lies in the
drawer for a bill that is not paid. Call these outside of a transaction.
"""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.errors import NeedsReference, OwedChanged, PaymentSettled
from billing.models import CashierShift, ChargeItem, Invoice, Means, Payment, Refund, Way
from billing.policies.window import Slip, Tender, tender
from billing.selectors import sums
from hospital.errors import Refused
from hospital.models import Organization, Patient, User

from . import invoicing, locks, paying, refunding, shifts, standing, trail


def take(
    *,
    invoice: Invoice,
    shown: Decimal,
    cash: Decimal | None,
    slips: list[Slip],
    request_key: str,
    shift: CashierShift,
    by: User,
    now: datetime,
) -> Tender:
    """收款: cash and slips that cover what is owed. `shown`: what the page said; `request_key`: of the page, so that a
    second click takes nothing. Raises OwedChanged, NotEnough, TooMuch, NothingLeftForSlip, WhichAmount and as
    paying.take."""
    kept = _taken(invoice, request_key)
    done = sum((row.amount for row in kept if row.status == Payment.Status.SUCCEEDED), Decimal(0))
    owed = sums.of(Invoice.objects.get(pk=invoice.pk)).owed + done
    if owed != shown:
        raise OwedChanged(owed=owed - done)
    found = tender(owed, cash=cash, slips=slips)
    if isinstance(found, Refused):
        raise found
    for part in found.parts:
        paying.take(
            invoice=invoice,
            means=part.means,
            way=Way.WINDOW,
            amount=part.amount,
            reference=part.reference,
            request_key=f"{request_key}:{part.means}",
            shift=shift,
            by=by,
            now=now,
        )
    return found


def _taken(invoice: Invoice, request_key: str) -> list[Payment]:
    return list(invoice.payments.filter(request_key__startswith=f"{request_key}:"))


def scan(
    *,
    invoice: Invoice,
    shown: Decimal,
    means: str,
    cash: Decimal | None,
    slips: list[Slip],
    request_key: str,
    shift: CashierShift,
    by: User,
    now: datetime,
) -> Payment:
    """A code for what cash and slips leave; they are taken when the phone has paid. Raises as `take`, and as
    paying.begin."""
    owed = sums.of(Invoice.objects.get(pk=invoice.pk)).owed
    if owed != shown:
        raise OwedChanged(owed=owed)
    found = tender(owed, cash=cash, slips=slips, scan=True)
    if isinstance(found, Refused):
        raise found
    return paying.begin(
        invoice=invoice,
        means=means,
        way=Way.WINDOW,
        amount=found.by_code,
        request_key=f"{request_key}:{means}",
        shift=shift,
        by=by,
        now=now,
    )


@transaction.atomic
def sell(
    *,
    patient: Patient,
    organization: Organization,
    code: str,
    quantity: int,
    by: User,
    now: datetime,
    invoice: Invoice | None = None,
) -> Invoice:
    """A service of the price list onto this invoice, or where it takes no more (paid, or settled with the insurance)
    onto one of its own. Raises NothingToCharge."""
    if invoice is None or not _takes_more(invoice):
        Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        invoice = Invoice.objects.create(
            organization=organization, patient=patient, insurance=patient.insurance, by=by, opened_at=now
        )
        trail.publish("invoice.opened", locks.invoice(invoice.pk), by=by, now=now)
    invoicing.add_service(invoice=invoice, code=code, quantity=quantity, by=by, now=now)
    return invoice


def _takes_more(invoice: Invoice) -> bool:
    row = locks.invoice(invoice.pk)
    return row.status == Invoice.Status.OPEN and standing.settlement(row) is None


def take_off(*, line: ChargeItem, by: User, now: datetime) -> ChargeItem:
    """A service that was written by mistake and is not paid yet. Raises PaymentSettled."""
    if line.kind != ChargeItem.Kind.SERVICE or line.status != ChargeItem.Status.OPEN:
        raise PaymentSettled()
    return refunding.return_line(line=line.pk, reason="staff", by=by, now=now)


def hand_out(*, refund: Refund, means: str, reference: str, by: User, now: datetime) -> Refund:
    """退款 out of this cashier's drawer, or at their terminal. Raises ShiftNotOpen, NeedsReference, RefundSettled."""
    if means != Means.CASH and not reference:
        raise NeedsReference()
    from_drawer = shifts.must_be_open(by)
    return refunding.pay_out(refund=refund, means=means, shift=from_drawer, reference=reference, by=by, now=now)
