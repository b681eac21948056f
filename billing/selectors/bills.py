"""账单 as its payer, the consult room and the kiosk see it: each line with its clock and what became of it, what is to
be paid, by which means, and what was given back and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from appointments.models import Appointment
from billing.gateways import ports
from billing.models import ChargeItem, Invoice, Means, Payment, Refund
from billing.policies.delivering import LAPSED
from billing.policies.paying import asks_a_gateway
from billing.selectors import rules, sums
from exams.models import ExamBooking
from hospital import family, masking
from hospital.models import Patient, User

Status = ChargeItem.Status


@dataclass(frozen=True)
class Line:
    """收费项目 in words. Its clock is the booking's own."""

    row: ChargeItem
    refunds: list[Refund]
    now: datetime
    on_credit: bool
    moved: bool  # to a number of another price, which stands on a line of its own
    apart: bool = False  # moved, and the new number is charged on another bill or at the visit

    @property
    def gone(self) -> bool:
        return self.row.status in ChargeItem.GONE

    @property
    def until(self) -> datetime | None:
        return self.row.hold_until if self.row.status == Status.OPEN else None

    @property
    def lapsed(self) -> bool:
        """Its clock ran out, or its booking was let go already: a payment that comes now may still find it free."""
        return self._let_go or (self.until is not None and self.until <= self.now)

    @property
    def _let_go(self) -> bool:
        booking = self.row.booking
        return self.row.status == Status.OPEN and booking is not None and booking.status == "cancelled"

    @property
    def starts(self) -> datetime | None:
        booking = self.row.booking
        if booking is None:
            return None
        return booking.slot.start if isinstance(booking, Appointment) else booking.during.lower

    @property
    def whose(self) -> str:
        """The doctor, or the device's room; of a service nothing."""
        booking = self.row.booking
        if isinstance(booking, Appointment):
            return f"{booking.department.name} {booking.schedule.actor_name}"
        return booking.device.room.name if isinstance(booking, ExamBooking) and booking.device.room else ""

    @property
    def state(self) -> str:
        if self.moved or self.apart:
            return _("已改约")
        if self.row.status == Status.WITHDRAWN:
            return _("没有付款，已移除")
        if self.row.status == Status.PAID:
            return _("已支付，正在确认")
        if self.row.status == Status.OPEN:
            return self._open()
        return self.row.get_status_display()

    def _open(self) -> str:
        if self.lapsed:
            return _("保留时间已过")
        if self.row.booking is None:
            return _("待支付")
        if not self.row.amount:
            return _("不用付费")
        return _("已确认，待付费") if self.on_credit or self.until is None else _("待支付")

    @property
    def tone(self) -> str:
        if self.row.status in (Status.PAID, Status.CONFIRMED):
            return "tag--ok"
        return "tag--warn" if self.row.status in (Status.OPEN, Status.RETURNING) else ""

    @property
    def why(self) -> str:
        """Of one that is no more."""
        if self.apart:
            return _("改约后撤销了这一项的结算；新的号另外缴费，见预约详情。")
        if self.moved and self.row.status == Status.REFUNDED:
            return _("换成了改约后的号，付过的钱转到新的号上。")
        if self.moved:
            return _("换成了改约后的号，这一项不用付款。")
        if self.row.status == Status.WITHDRAWN:
            booking = self.row.booking
            ran_out = booking is not None and booking.confirmed_at is None and booking.note in ("", LAPSED)
            return _("没有在保留时间内付款，号已放回。") if ran_out else _("这一项已经取消，不用付款。")
        return str(dict(Refund.Reason.choices).get(self.row.why, "")) if self.row.why else ""


@dataclass(frozen=True)
class Bill:
    """One invoice as it stands at `now`."""

    invoice: Invoice
    lines: list[Line]
    refunds: list[Refund]
    sums: sums.Sums
    payment: Payment | None  # on its way: waits for the payer, or the gateway has not answered
    now: datetime

    @property
    def owed(self) -> Decimal:
        return max(self.sums.owed, Decimal("0.00"))

    @property
    def live(self) -> list[Line]:
        return [line for line in self.lines if not line.gone]

    @property
    def gone(self) -> list[Line]:
        return [line for line in self.lines if line.gone]

    @property
    def due(self) -> bool:
        """There is something to be paid, or (nothing owed) to be said yes to."""
        return self.invoice.status in Invoice.DUE and bool(self.live)

    @property
    def free(self) -> bool:
        return self.due and self.owed == 0

    @property
    def paid(self) -> bool:
        return self.invoice.status == Invoice.Status.PAID

    @property
    def on_credit(self) -> bool:
        return self.invoice.status == Invoice.Status.OWED

    @property
    def went_on(self) -> int | None:
        """A number that was moved, and stands: what became of it is on its own page."""
        rows = (line.row.appointment for line in self.gone if line.apart)
        return next((row.pk for row in rows if row.status != Appointment.Status.CANCELLED), None)

    @property
    def until(self) -> datetime | None:
        """The first clock that runs out. None: nothing is held."""
        return min((line.until for line in self.live if line.until), default=None)

    @property
    def confirming(self) -> bool:
        """Paid, and a line is not confirmed yet."""
        return any(line.row.status == Status.PAID for line in self.lines)

    @property
    def moving(self) -> bool:
        """Something may change by itself: the page looks again."""
        return self.payment is not None or self.confirming or (self.due and self.until is not None)

    @property
    def state(self) -> str:
        """Another text: another page. For a page that looks again by itself."""
        lines = "".join(line.row.status[0] for line in self.lines)
        waiting = f"{self.payment.pk}{'q' if self.payment.asked else ''}{self._held}" if self.payment else ""
        return f"{self.invoice.status}-{lines}-{self.sums.owed}-{waiting}-{self.run_out}"

    @property
    def _held(self) -> str:
        """Held longer while the gateway is away: each line says till when."""
        return f"{self.until:%d%H%M}" if self.until else ""

    @property
    def run_out(self) -> int:
        """How many of its holds are over."""
        return sum(line.lapsed for line in self.live)

    @property
    def masked(self) -> str:
        return masking.name(self.invoice.patient.name)

    @cached_property
    def insured(self) -> bool:
        return self.invoice.insurance != Patient.Insurance.NONE

    @property
    def kinds(self) -> list[tuple[str, int, Decimal]]:
        """What stands on it without saying what for: (挂号, how many, yuan). For who has the link alone."""
        found: dict[str, list[ChargeItem]] = {}
        for line in self.live:
            found.setdefault(line.row.get_kind_display(), []).append(line.row)
        return [(kind, len(rows), sum(row.amount for row in rows)) for kind, rows in found.items()]


_LINES = (
    "appointment__slot", "appointment__department", "appointment__schedule__role__practitioner",
    "appointment__schedule__team", "appointment__schedule__service", "exam__device__room",
)  # fmt: skip


def bill_of(invoice: Invoice, *, now: datetime) -> Bill:
    """Four queries."""
    refunds = list(Refund.objects.filter(payment__invoice=invoice).select_related("payment").order_by("pk"))
    rows = invoice.lines.select_related(*_LINES).order_by("pk")
    on_credit = invoice.status == Invoice.Status.OWED
    lines = [
        Line(row, [back for back in refunds if back.line_id == row.pk], now, on_credit, *_moved(row, rows))
        for row in rows
    ]
    waiting = invoice.payments.filter(status=Payment.Status.PENDING, expires_at__gt=now).exclude(gateway="")
    stands = sums.of(invoice)
    payment = next((row for row in waiting.order_by("-pk") if row.amount == stands.owed), None)
    return Bill(invoice, lines, refunds, stands, payment, now)


def _moved(row: ChargeItem, rows: Iterable[ChargeItem]) -> tuple[bool, bool]:
    """Its booking went on at another price: a later line of the same bill is charged for it (services.following); or,
    apart, none: what the insurance had settled, or another house's."""
    if row.status not in ChargeItem.GONE or row.appointment_id is None:
        return False, False
    later = [each for each in rows if each.pk > row.pk and each.appointment_id == row.appointment_id]
    return any(each.amount != row.amount for each in later), row.why == Refund.Reason.MOVED and not later


def means_at(organization_id: int) -> list[Means]:
    """What can be paid with on a phone or by scanning there: the gateways that are set up, in the list's order."""
    there = ports.payments_at(organization_id)
    return [means for means in Means if means in there and asks_a_gateway(means) and means != Means.CARD]


def opened_anew(invoice: Invoice) -> Invoice | None:
    """Of a void one: what its basket has to pay now (another kind of insurance, other lines), behind the same link."""
    if invoice.status != Invoice.Status.VOID:
        return None
    if (taker := _gathered_onto(invoice)) or invoice.basket is None:
        return taker
    rows = Invoice.objects.filter(basket=invoice.basket, organization=invoice.organization_id)
    return rows.filter(patient=invoice.patient_id, status=Invoice.Status.OPEN, pk__gt=invoice.pk).first()


def _gathered_onto(invoice: Invoice) -> Invoice | None:
    """Of one on credit whose bookings stand on another invoice now: all that was owed was brought together."""
    if invoice.due_at is None:
        return None
    gone = [(line.appointment_id, line.exam_id) for line in invoice.lines.filter(earned_at__isnull=False)]
    numbers, exams = [one for one, _exam in gone if one], [one for _number, one in gone if one]
    lines = ChargeItem.objects.exclude(status__in=ChargeItem.GONE).filter(
        Q(appointment__in=numbers) | Q(exam__in=exams)
    )
    pk = lines.filter(invoice__patient=invoice.patient_id).values_list("invoice", flat=True).first()
    return Invoice.objects.filter(pk=pk).first() if pk else None


def may_use_credit(invoice: Invoice, *, now: datetime) -> bool:
    """There is an agreement; whether its limit is enough is said when it is used."""
    if invoice.status != Invoice.Status.OPEN:
        return False
    return rules.credit_of(invoice.patient_id, organization_id=invoice.organization_id, now=now) is not None


# ---- lists ----


def of_account(account: User, *, person: int | None = None) -> QuerySet[Invoice]:
    """The invoices of the account's people (of an unproved one those whose booking the account made)."""
    own = Exists(
        ChargeItem.objects.filter(invoice=OuterRef("pk")).filter(Q(appointment__by=account) | Q(exam__by=account))
    )
    rows = Invoice.objects.filter(family.seen(account, own=Q(own))).select_related("organization", "patient")
    return rows.filter(patient=person) if person else rows


def listed(rows: Iterable[Invoice]) -> list["Listed"]:
    """With their lines and what was given back. Three queries for all of them."""
    rows = list(rows)
    back = Prefetch("refunds", Refund.objects.order_by("pk"))
    payments = Payment.objects.filter(invoice__in=rows, status=Payment.Status.SUCCEEDED).prefetch_related(back)
    lines = ChargeItem.objects.filter(invoice__in=rows).order_by("pk")
    by_invoice: dict[int, tuple[list, list]] = {row.pk: ([], []) for row in rows}
    for line in lines:
        by_invoice[line.invoice_id][0].append(line)
    for payment in payments:
        by_invoice[payment.invoice_id][1].append(payment)
    return [Listed(row, *by_invoice[row.pk]) for row in rows]


@dataclass(frozen=True)
class Listed:
    """An invoice in a list: its name, what is owed, what was given back."""

    row: Invoice
    lines: list[ChargeItem]
    payments: list[Payment]

    @property
    def masked(self) -> str:
        return masking.name(self.row.patient.name)

    @property
    def shown(self) -> list[ChargeItem]:
        """The live lines; of an invoice that is over all of them."""
        return [line for line in self.lines if line.status not in ChargeItem.GONE] or self.lines

    @property
    def received(self) -> Decimal:
        return sum((payment.amount for payment in self.payments), Decimal("0.00"))

    @property
    def given_back(self) -> Decimal:
        return sum((back.amount for payment in self.payments for back in payment.refunds.all()), Decimal("0.00"))

    @property
    def owed(self) -> Decimal:
        return max(self.row.cash_paid - self.received + self.given_back, Decimal("0.00"))

    @property
    def due(self) -> bool:
        return self.row.status in Invoice.DUE

    @property
    def tone(self) -> str:
        if self.due:
            return "tag--warn"
        return "tag--ok" if self.row.status == Invoice.Status.PAID else ""
