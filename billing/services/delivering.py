"""What is paid for is confirmed: all of it, or the lines that can be, and the others are given back.

Each line by itself and twice is once: one at a time for a line, its booking first (the app's own locks), then invoice
and line. What a crash left is found by `to_deliver`.
"""

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import transaction

from appointments.errors import Busy, HoldLapsed
from appointments.models import Appointment
from appointments.services import booking as numbers
from appointments.services import changes
from billing.models import ChargeItem
from billing.policies.delivering import Deed, deed
from exams.errors import HoldEnded
from exams.models import ExamBooking
from exams.services import booking as exams
from hospital.errors import Refused
from hospital.models import User

from . import locks, refunding, standing, trail

log = structlog.get_logger(__name__)

Status = ChargeItem.Status


@dataclass
class Delivered:
    """Line ids. `waiting`: somebody was just being served; the job tries again within a minute."""

    confirmed: list[int] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)


class _Gone(Exception):
    """The booking can't be had any more."""


def deliver(*, invoice: int, by: User | None, now: datetime) -> Delivered:
    """Every paid line of the invoice that is not confirmed yet. Call it outside a transaction."""
    done = Delivered()
    lines = ChargeItem.objects.filter(invoice=invoice, status=Status.PAID).order_by("pk")
    for line in lines.values_list("pk", flat=True):
        try:
            _deliver(line, by=by, now=now)
            done.confirmed.append(line)
        except Busy:
            done.waiting.append(line)
        except _Gone as gone:
            log.info("paid_line_not_to_be_had", line=line, refusal=getattr(gone.__cause__, "code", None))
            (done.returned if _give_back(line, by=by, now=now) else done.confirmed).append(line)
        except Refused as refusal:  # it changed under our feet: the next round sees it as it is then
            log.warning("paid_line_waits", line=line, refusal=refusal.code)
            done.waiting.append(line)
    return done


@transaction.atomic
def _give_back(line_id: int, *, by: User | None, now: datetime) -> bool:
    """False: somebody else who heard of the money had it confirmed a moment ago."""
    locks.invoice(ChargeItem.objects.values_list("invoice", flat=True).get(pk=line_id))
    if ChargeItem.objects.get(pk=line_id).status == Status.CONFIRMED:
        return False
    refunding.return_line(line=line_id, reason="lapsed", by=by, now=now)
    return True


@transaction.atomic
def _deliver(line_id: int, *, by: User | None, now: datetime) -> None:
    """Raises _Gone, Busy."""
    locks.delivery(line_id)
    line = ChargeItem.objects.select_related("appointment", "exam").get(pk=line_id)
    booking = line.booking
    what = deed(booking) if booking else Deed.NOTHING
    if what == Deed.RETURN:
        raise _Gone
    if what == Deed.BOOK_ANEW:
        _book_anew(line, booking, by=by, now=now)
        return
    try:
        with transaction.atomic():
            if what == Deed.CONFIRM:
                _confirm(booking, by=by, now=now)
            _confirmed(line, by=by, now=now)
    except (HoldLapsed, HoldEnded):  # and with the savepoint went the locks
        booking.refresh_from_db()
        if deed(booking) == Deed.RETURN:  # let go on purpose while we were at it
            raise _Gone from None
        _book_anew(line, booking, by=by, now=now)


def _confirm(booking: Appointment | ExamBooking, *, by: User | None, now: datetime) -> None:
    if isinstance(booking, Appointment):
        changes.confirm(appointment=booking, by=by, paid_late=True, now=now)
    else:
        exams.confirm(booking=booking, by=by, now=now)


def _confirmed(line: ChargeItem, *, by: User | None, now: datetime) -> None:
    """After the booking's locks: invoice, line. A line stays on its invoice."""
    invoice = locks.invoice(line.invoice_id)
    line = ChargeItem.objects.get(pk=line.pk)
    if line.status == Status.CONFIRMED:
        return
    if line.status != Status.PAID:  # given back meanwhile: the confirmation goes with this transaction
        raise _Gone
    line.status, line.confirmed_at = Status.CONFIRMED, now
    standing.earn(invoice, line, also=("status", "confirmed_at"), by=by, now=now)
    trail.publish("line.confirmed", invoice, by=by, now=now, line=line.pk)


class _gone_if_refused:  # noqa: N801  reads as what it does
    """A refusal (sold out meanwhile, stopped, another visit at that time) means: it can't be had."""

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _trace):
        if isinstance(error, Refused) and not isinstance(error, Busy):
            raise _Gone from error
        return False


def _book_anew(line: ChargeItem, booking: Appointment | ExamBooking, *, by: User | None, now: datetime) -> None:
    """The same number or time again, and confirmed, for the payer; in one act, so that nobody who hears of the same
    money meanwhile sees it half done."""
    with _gone_if_refused(), transaction.atomic():
        if isinstance(booking, Appointment):
            fresh = _number_again(line, booking, now=now)
        else:
            fresh = _exam_again(booking, now=now)
        locks.invoice(line.invoice_id)
        ChargeItem.objects.filter(pk=line.pk, status=Status.PAID).update(**{line.kind: fresh})
        _confirm(fresh, by=by, now=now)
        _confirmed(line, by=by, now=now)


def _number_again(line: ChargeItem, row: Appointment, *, now: datetime) -> Appointment:
    return numbers.book(
        schedule=row.schedule,
        patient=row.patient,
        channel=row.channel,
        by=row.by,
        request_key=f"payment:line:{line.pk}",
        number=row.slot.number,
        basket=row.basket,
        encounter=row.booked_from,
        referral=row.referral,
        opened_at=row.opened_at,
        visit_type=row.visit_type,
        partner=row.partner_id,
        now=now,
    )


def _exam_again(row: ExamBooking, *, now: datetime) -> ExamBooking:
    """Not where another time was chosen for it meanwhile: that one stands, and is paid by itself."""
    if ExamBooking.objects.filter(request=row.request_id, holds=True).exclude(pk=row.pk).exists():
        raise _Gone
    return exams.hold_one(
        request=row.request,
        device=row.device,
        start=row.during.lower,
        channel=row.channel,
        by=row.by,
        basket=row.basket,
        partner=row.partner_id,
        now=now,
    )


def confirm_on_credit(*, invoice: int, by: User | None, now: datetime) -> Delivered:
    """Lines that are owed (services.crediting), their bookings held: confirmed unpaid. What has run out leaves."""
    done = Delivered()
    lines = ChargeItem.objects.filter(invoice=invoice, status=Status.OPEN, earned_at__isnull=False)
    for line in lines.select_related("appointment", "exam").order_by("pk"):
        booking = line.booking
        try:
            if booking is not None and booking.status in ("pending", "cancelled"):
                _confirm(booking, by=by, now=now)
            done.confirmed.append(line.pk)
        except Busy:
            done.waiting.append(line.pk)
        except Refused:
            refunding.return_line(line=line.pk, reason="lapsed", by=by, now=now)
            done.returned.append(line.pk)
    return done


def to_deliver(*, limit: int = 200) -> list[int]:
    """Invoices with paid lines that nobody confirmed: what a crash left, or somebody was busy."""
    lines = ChargeItem.objects.filter(status=Status.PAID).order_by("paid_at")
    return list(dict.fromkeys(lines.values_list("invoice", flat=True)[:limit]))
