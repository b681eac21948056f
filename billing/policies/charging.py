"""What may be charged, and what is not any more. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from appointments.models import Appointment
from billing.errors import BillTooLarge, InvoiceOver
from billing.models import Invoice
from exams.models import ExamBooking
from hospital import clock
from hospital.models import PriceItem

from .delivering import LAPSED

LARGEST = Decimal("99999999.99")
"""Yuan of one bill, as its columns hold them."""

GONE = frozenset({"cancelled", "noshow", "not_done"})


def may_charge(booking: Appointment | ExamBooking, *, now: datetime) -> bool:
    """Held with time left, or confirmed and not yet paid. What has run out is somebody else's soon."""
    return booking.status not in GONE and not ran_out(booking, now=now)


def ran_out(booking: Appointment | ExamBooking, *, now: datetime) -> bool:
    if booking.status != "pending":
        return False
    until = booking.slot.hold_until if isinstance(booking, Appointment) else booking.hold_until
    return until is None or until <= now


def is_gone(booking: Appointment | ExamBooking | None, *, underway: bool, now: datetime) -> bool:
    """Of an open line: does it leave the invoice? `underway`: somebody may be paying for it this minute."""
    if booking is None:
        return False
    if booking.status in GONE:
        return not (underway and booking.confirmed_at is None and booking.note == LAPSED)
    return ran_out(booking, now=now) and not underway


def refusal_to_add(status: str, *, settled: bool) -> InvoiceOver | None:
    return None if status in Invoice.DUE and not settled else InvoiceOver()


def refusal_of_amount(amount: Decimal, *, total: Decimal) -> BillTooLarge | None:
    return BillTooLarge() if total + amount > LARGEST else None


def price_of(prices: Iterable[PriceItem], *, now: datetime) -> PriceItem | None:
    """The one in force today; the database lets no two of one code overlap."""
    day = clock.today(now)
    for price in prices:
        if price.effective_from <= day and (price.effective_to is None or day <= price.effective_to):
            return price
    return None
