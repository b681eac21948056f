"""收费窗口: what of a person is open at this house, and what the cashier may do with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from billing.models import BY_HAND, ChargeItem, Invoice, Payment, Refund
from billing.policies.charging import GONE
from billing.selectors import bills, sums
from hospital import clock, pinyin
from hospital.models import Patient, PriceItem

LATELY = timedelta(days=30)
MOST_PRICES = 9


@dataclass(frozen=True)
class Due:
    """One bill of a person in the list beside the work."""

    row: Invoice
    names: str
    owed: Decimal


def dues(patient: Patient, *, organization_id: int) -> list[Due]:
    rows = Invoice.objects.filter(patient=patient, organization=organization_id, status__in=Invoice.DUE)
    found = []
    for row in rows.prefetch_related("lines").order_by("opened_at", "pk"):
        live = [line.name for line in row.lines.all() if line.status not in ChargeItem.GONE]
        if live:
            found.append(Due(row, "、".join(live[:3]), max(sums.of(row).owed, Decimal(0))))
    return found


def lately(patient: Patient, *, organization_id: int, now: datetime) -> list[Invoice]:
    """Bills that were paid or given back: to print again, or to give back at the window."""
    rows = Invoice.objects.filter(patient=patient, organization=organization_id)
    rows = rows.filter(Q(paid_at__gte=now - LATELY) | Q(ended_at__gte=now - LATELY, paid_at__isnull=False))
    return list(rows.exclude(status__in=Invoice.DUE).order_by("-paid_at", "-pk")[:12])


@dataclass(frozen=True)
class Acts:
    """What may be done with a line: take it off (a service that nobody paid), give it back (paid, and nothing stands
    any more); else why not."""

    line: bills.Line

    @property
    def off(self) -> bool:
        return self.line.row.kind == ChargeItem.Kind.SERVICE and self.line.row.status == ChargeItem.Status.OPEN

    @property
    def stands(self) -> bool:
        booking = self.line.row.booking
        return booking is not None and booking.status not in GONE

    @property
    def back(self) -> bool:
        paid = self.line.row.status in (ChargeItem.Status.PAID, ChargeItem.Status.CONFIRMED)
        return paid and not self.stands and self.line.row.amount > 0


def to_hand_out(bill: bills.Bill) -> list[Refund]:
    """What waits here to be given by hand: paid by hand, or refused by a gateway."""
    return [row for row in bill.refunds if row.status != Refund.Status.DONE and _by_hand(row)]


def _by_hand(row: Refund) -> bool:
    return row.means in BY_HAND or row.status == Refund.Status.REFUSED


def scanning(invoice: Invoice, *, now: datetime) -> Payment | None:
    """The code that waits for a phone at a window, whatever part of the bill it is for."""
    rows = invoice.payments.filter(status=Payment.Status.PENDING, shift__isnull=False, expires_at__gt=now)
    return rows.exclude(gateway="").order_by("-pk").first()


def received(invoice: Invoice) -> list[Payment]:
    return list(invoice.payments.filter(status=Payment.Status.SUCCEEDED).order_by("succeeded_at", "pk"))


def prices(text: str, *, organization_id: int, now: datetime) -> list[PriceItem]:
    """Services of the price list by code, name, pinyin or its initials. Registration fees and exams come with their
    bookings; who sells one here by hand does so knowingly."""
    text = text.strip().lower()
    if not text:
        return []
    day = clock.today(now)
    rows = PriceItem.objects.filter(organization=organization_id, effective_from__lte=day)
    rows = rows.filter(Q(effective_to=None) | Q(effective_to__gte=day)).order_by("code")
    fitting = [(rank, row) for row in rows if (rank := _fits(row, text)) is not None]
    return [row for _rank, row in sorted(fitting, key=lambda each: (each[0], each[1].code))][:MOST_PRICES]


def _fits(row: PriceItem, text: str) -> int | None:
    """0: whole, 1: begins so, 2: somewhere in it."""
    said = [each.lower() for each in (row.code, row.name, *pinyin.of_thing(row.name))]
    if text in said:
        return 0
    if any(each.startswith(text) for each in said):
        return 1
    return 2 if any(text in each for each in said) else None
