"""Opening invoices: what a basket, a booking or a person has to pay, collected from the apps that hold it.

Asking again is the same invoice, brought up to date: new lines come, what is not held any more goes. A booking is
charged on one live line, wherever it is asked for. Opening confirms nothing, not even what costs nothing
(paying.settle_free). Locks: patient, invoice.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from appointments.models import Appointment
from billing.errors import NothingToCharge
from billing.models import ChargeItem, Invoice, Payment
from billing.policies import charging
from billing.selectors import rules
from exams.models import ExamBooking
from hospital.models import Organization, Patient, User

from . import locks, refunding, reversing, standing, trail

Booking = Appointment | ExamBooking


def open_for_basket(*, basket: UUID, by: User | None, now: datetime) -> list[Invoice]:
    """One invoice per person and house of the basket; several only where it holds numbers of several houses. Those that
    are paid already are among them. Raises NothingToCharge."""
    rows = [*_appointments(Q(basket=basket)), *_exams(Q(basket=basket))]
    found = _open(rows, basket=basket, by=by, now=now)
    found |= {row.pk: row for row in Invoice.objects.filter(basket=basket).exclude(status=Invoice.Status.VOID)}
    if not found:
        raise NothingToCharge()
    return [found[pk] for pk in sorted(found)]


def open_for_booking(*, booking: Booking, by: User | None, now: datetime) -> Invoice:
    """Of the basket it is in, or its own. Raises NothingToCharge."""
    if booking.basket:
        found = {row.pk: row for row in open_for_basket(basket=booking.basket, by=by, now=now)}
    else:
        of = _appointments if isinstance(booking, Appointment) else _exams
        found = _open(of(Q(pk=booking.pk)), basket=None, by=by, now=now)
    number = _charged([booking]).get(_key(booking))
    if number is None:
        raise NothingToCharge()
    return found.get(number) or Invoice.objects.get(pk=number)


def open_apart(*, booking: Booking, by: User | None, now: datetime) -> Invoice | None:
    """On an invoice of its own, whatever basket it came in. None: it is charged already, or gone."""
    of = _appointments if isinstance(booking, Appointment) else _exams
    found = _open(of(Q(pk=booking.pk)), basket=None, by=by, now=now)
    return next(iter(found.values()), None)


def open_for_patient(*, patient: Patient, organization: Organization, by: User | None, now: datetime) -> list[Invoice]:
    """What a person has to pay at this house, for the window and the kiosk: each basket its invoice. What was booked
    before the house took money here was paid elsewhere, or free."""
    since = rules.money_since(organization.pk)
    mine = Q(patient=patient, created_at__gte=since) if since else Q(pk=None)
    rows = [
        *_appointments(mine & Q(schedule__organization=organization)),
        *_exams(mine & Q(request__organization=organization)),
    ]
    baskets: dict[UUID | int, list[Booking]] = defaultdict(list)
    for row in rows:
        baskets[row.basket or -row.pk].append(row)
    for basket, held in baskets.items():
        _open(held, basket=basket if isinstance(basket, UUID) else None, by=by, now=now)
    due = Invoice.objects.filter(patient=patient, organization=organization, status__in=Invoice.DUE)
    return list(due.order_by("opened_at", "pk"))


def _appointments(which: Q) -> list[Appointment]:
    rows = Appointment.objects.filter(which).exclude(status__in=["cancelled", "noshow"])
    return list(rows.select_related("slot", "schedule__service").order_by("pk"))


def _exams(which: Q) -> list[ExamBooking]:
    rows = ExamBooking.objects.filter(which).exclude(status__in=ExamBooking.OVER)
    return list(rows.select_related("request", "variant__item").order_by("pk"))


def _house_of(booking: Booking) -> int:
    return (booking.schedule if isinstance(booking, Appointment) else booking.request).organization_id


def _open(rows: Iterable[Booking], *, basket: UUID | None, by: User | None, now: datetime) -> dict[int, Invoice]:
    groups: dict[tuple[int, int], list[Booking]] = defaultdict(list)
    for row in rows:
        groups[row.patient_id, _house_of(row)].append(row)
    found = {}
    for _who, held in sorted(groups.items()):
        if invoice := _one(held, basket=basket, by=by, now=now):
            found[invoice.pk] = invoice
    return found


@transaction.atomic
def _one(rows: list[Booking], *, basket: UUID | None, by: User | None, now: datetime) -> Invoice | None:
    """The open invoice of one person and house, with these lines. None where all of it is charged elsewhere."""
    patient = Patient.objects.select_for_update(no_key=True).get(pk=rows[0].patient_id)
    charged = _charged(rows)
    fresh = [row for row in rows if _key(row) not in charged and charging.may_charge(row, now=now)]
    there = _there(basket, charged, patient, _house_of(rows[0]))
    if there is None:
        return _new(fresh, patient, basket=basket, by=by, now=now) if fresh else None
    invoice = locks.invoice(there)
    if invoice.status != Invoice.Status.OPEN:
        return invoice
    if fresh and standing.settlement(invoice):
        reversing.ask_to_reverse(invoice=invoice, now=now)  # what the insurance settled is not all any more: anew
    ChargeItem.objects.bulk_create(line_of(invoice, row, now=now) for row in fresh)
    tidy(invoice, by=by, now=now)
    return invoice


def _new(rows: list[Booking], patient: Patient, *, basket: UUID | None, by: User | None, now: datetime) -> Invoice:
    """Nobody else sees it before it is committed with its lines."""
    invoice = Invoice(
        organization_id=_house_of(rows[0]),
        patient=patient,
        basket=basket,
        insurance=patient.insurance,
        by=by,
        opened_at=now,
    )
    lines = [line_of(invoice, row, now=now) for row in rows]
    standing.add_up(invoice, lines, None)
    invoice.save(force_insert=True)
    ChargeItem.objects.bulk_create(lines)
    trail.publish("invoice.opened", invoice, by=by, now=now)
    return invoice


def _there(basket: UUID | None, charged: dict, patient: Patient, organization: int) -> int | None:
    if basket:
        rows = Invoice.objects.filter(basket=basket, organization=organization, patient=patient)
        return rows.filter(status=Invoice.Status.OPEN).values_list("pk", flat=True).first()
    return min(charged.values(), default=None)


def _key(row: Booking) -> tuple[str, int]:
    return ("appointment" if isinstance(row, Appointment) else "exam"), row.pk


def _charged(rows: list[Booking]) -> dict[tuple[str, int], int]:
    """(kind, booking) → invoice, of those on a live line."""
    keys = [_key(row) for row in rows]
    of = {kind: [pk for each, pk in keys if each == kind] for kind in ("appointment", "exam")}
    lines = ChargeItem.objects.exclude(status__in=ChargeItem.GONE)
    lines = lines.filter(Q(appointment__in=of["appointment"]) | Q(exam__in=of["exam"]))
    lines = lines.values_list("kind", "appointment", "exam", "invoice")
    return {(kind, appointment or exam): invoice for kind, appointment, exam, invoice in lines}


def line_of(invoice: Invoice, row: Booking, *, now: datetime) -> ChargeItem:
    """The price is the booking's own; it never changes with the list."""
    kind, _pk = _key(row)
    service = row.schedule.service if kind == "appointment" else None
    return ChargeItem(
        invoice=invoice,
        kind=kind,
        **{kind: row},
        code=service.price_code if service else row.variant.price_code,
        name=service.name if service else str(row.variant),
        price=row.fee,
        amount=row.fee,
        added_at=now,
    )


def tidy(invoice: Invoice, *, by: User | None, now: datetime) -> None:
    """Nobody pays for it any more: what ran out meanwhile leaves. The caller holds the invoice."""
    if invoice.status == Invoice.Status.OPEN:
        standing.refresh(invoice, _without_what_is_gone(invoice, by=by, now=now), now=now)


def _without_what_is_gone(invoice: Invoice, *, by: User | None, now: datetime) -> list[ChargeItem]:
    """An open line whose booking ended goes; those that stay. While somebody pays, what merely ran out stays: it is
    booked anew if nobody has it (delivering)."""
    paying = [Payment.Status.PENDING, Payment.Status.SUCCEEDED]
    underway = invoice.payments.filter(status__in=paying).exists()
    lines = standing.live_with_bookings(invoice)
    for line in lines:
        if line.status == ChargeItem.Status.OPEN and charging.is_gone(line.booking, underway=underway, now=now):
            if standing.settlement(invoice):
                refunding.return_line(line=line.pk, reason="lapsed", by=by, now=now)
            else:
                refunding.take_off(invoice, line, reason="lapsed", by=by, now=now)
    return [line for line in lines if line.status not in ChargeItem.GONE]


@transaction.atomic
def add_service(*, invoice: Invoice, code: str, quantity: int = 1, by: User | None, now: datetime) -> ChargeItem:
    """A service from the price list onto an open invoice, at the window. Raises NothingToCharge (no such price today),
    InvoiceOver, BillTooLarge."""
    invoice = locks.invoice(invoice.pk)
    if refusal := charging.refusal_to_add(invoice.status, settled=standing.settlement(invoice) is not None):
        raise refusal
    price = charging.price_of(invoice.organization.prices.filter(code=code), now=now)
    if price is None:
        raise NothingToCharge()
    if refusal := charging.refusal_of_amount(price.amount * quantity, total=invoice.total):
        raise refusal
    line = ChargeItem.objects.create(
        invoice=invoice,
        kind=ChargeItem.Kind.SERVICE,
        code=code,
        name=price.name,
        price=price.amount,
        quantity=quantity,
        amount=price.amount * quantity,
        added_at=now,
    )
    standing.refresh(invoice, standing.live(invoice), now=now)
    trail.record("invoice.line_added", invoice, by=by, now=now, line=line.pk, amount=line.amount)
    return line
