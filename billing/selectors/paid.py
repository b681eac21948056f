"""How a booking is paid, in the words of its own page: ahead, after the visit, or at the visit as ever."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from appointments.models import Appointment
from billing.models import ChargeItem, Invoice
from billing.selectors import gate, rules, sums
from exams.models import ExamBooking
from hospital import clock

Status = ChargeItem.Status


@dataclass(frozen=True)
class Fee:
    """`words` stand beside the fee; `paid`: nothing is to be paid on the day; `first`: it is held until it is paid;
    `owed`: confirmed, and still to be paid."""

    words: str
    paid: bool = False
    first: bool = False
    owed: bool = False

    @property
    def ahead(self) -> bool:
        """On the day itself nobody goes to the cashier."""
        return self.paid or self.first


def fee_of(booking: Appointment | ExamBooking, *, now: datetime) -> Fee:
    """One query where some house takes money, else none."""
    if not rules.anywhere():
        return Fee(_("到院后缴费"))
    kind = "appointment" if isinstance(booking, Appointment) else "exam"
    lines = ChargeItem.objects.filter(**{kind: booking.pk}).exclude(status__in=ChargeItem.GONE)
    line = lines.select_related("invoice").first()
    paid = line and line.status in (Status.PAID, Status.CONFIRMED)
    if paid and line.amount != booking.fee:  # moved a moment ago: the bill follows by itself (services.following)
        return Fee(_moved(line, booking), paid=True)
    if booking.fee == 0:
        return Fee(_("不用付费"), paid=True)
    if paid:
        return Fee(_("已付费"), paid=True)
    if line and line.status == Status.RETURNING:
        return Fee(_("退费中"), paid=True)
    if line and line.invoice.status == Invoice.Status.OWED:
        return Fee(_owed(line.invoice), paid=True, owed=True)
    if booking.status == "pending" and _must_pay(kind, booking, now=now):
        return Fee(_("付费后确认"), first=True)
    return Fee(_("到院后缴费"))


def _moved(line: ChargeItem, booking) -> str:
    if line.invoice.fund_paid or line.invoice.account_paid:  # reversed, and charged anew
        return _("改约后按新号重新结算")
    return _("改约差价待补缴") if line.amount < booking.fee else _("改约差价将自动退回")


def _owed(invoice: Invoice) -> str:
    """A part of it is paid where a number was moved to a dearer one; the rest is not of an agreement."""
    stands = sums.of(invoice)
    if not stands.held:
        return _("先诊疗后付费")
    return _("还需支付 ¥%(amount)s") % {"amount": f"{stands.owed:.2f}"}


def _must_pay(kind: str, booking, *, now: datetime) -> bool:
    house = booking.schedule.organization_id if kind == "appointment" else booking.request.organization_id
    asked = {"channel": booking.channel, "patient": booking.patient_id, "booking": booking.pk, "fee": booking.fee}
    return gate.must_pay(kind=kind, organization=lambda: house, now=now, **asked) is not None


def pays_first(organization_id: int, *, channel: str, patient: int | None = None, now: datetime) -> bool:
    """What is booked there by this channel (by this person) is held until it is paid. No query without a person."""
    if rules.is_prepaid_anywhere(channel) and channel in _rule(organization_id, now).prepaid:
        return True
    return patient is not None and bool(gate.late_of([patient], organization=organization_id, now=now))


def _rule(organization_id: int, now: datetime):
    return rules.payment_rule(organization_id, day=clock.today(now))
