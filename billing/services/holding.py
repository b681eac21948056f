"""What is held while somebody pays is held a little longer, by the house's rule (PaymentRule). A hold is never cut
short, and never outlasts the start of the visit. Locks: the booking's own; call these outside a transaction of yours.
"""

from datetime import datetime, timedelta

import structlog
from django.db.models import Q

from appointments.models import Appointment
from appointments.services import changes
from billing.models import ChargeItem, Invoice, Payment
from billing.selectors import rules
from exams.services import holds
from hospital import clock
from hospital.errors import Refused

log = structlog.get_logger(__name__)

AT_A_TIME = timedelta(minutes=5)
"""While a gateway is away, each look at it holds this much longer: more than the longest pause between two looks."""


def while_paying(*, payment: Payment, now: datetime) -> None:
    """The first code of an invoice gives its holds some minutes from now, once: typing a password takes time."""
    minutes = _rule(payment, now).paying_minutes
    lines = _held(payment.invoice_id) if minutes else []
    earlier = payment.invoice.payments.exclude(gateway="").exclude(pk=payment.pk)
    if lines and not earlier.exists():
        until = payment.asked_at + timedelta(minutes=minutes)
        _hold(lines, until=lambda _line: until, now=now)


def while_away(*, payment: Payment, now: datetime) -> None:
    """The gateway gives no answer: nobody can say whether this is paid. What it pays for is not given away meanwhile,
    for as long as the rule says from when the line came."""
    minutes = _rule(payment, now).away_minutes
    if minutes:
        longest = timedelta(minutes=minutes)
        _hold(_held(payment.invoice_id), until=lambda line: min(now + AT_A_TIME, line.added_at + longest), now=now)


def while_settling(*, invoice: Invoice, now: datetime) -> None:
    """The person agreed to what the insurance bears, and pays their part next: some minutes from now, once."""
    minutes = rules.payment_rule(invoice.organization_id, day=clock.today(now)).paying_minutes
    if minutes:
        _hold(_held(invoice.pk), until=lambda _line: now + timedelta(minutes=minutes), now=now)


def while_the_insurance_is_away(*, invoice: Invoice, now: datetime) -> None:
    """As for a gateway."""
    minutes = rules.payment_rule(invoice.organization_id, day=clock.today(now)).away_minutes
    if minutes:
        longest = timedelta(minutes=minutes)
        _hold(_held(invoice.pk), until=lambda line: min(now + AT_A_TIME, line.added_at + longest), now=now)


def for_elsewhere(*, invoice: Invoice, now: datetime) -> None:
    """Whoever took the numbers sends the patient to pay on their phone, at a kiosk or the window: counted from when
    the line came, so that pressing again holds no longer."""
    minutes = rules.payment_rule(invoice.organization_id, day=clock.today(now)).link_minutes
    if minutes:
        _hold(_held(invoice.pk), until=lambda line: line.added_at + timedelta(minutes=minutes), now=now)


def _rule(payment: Payment, now: datetime):
    return rules.payment_rule(payment.organization_id, day=clock.today(now))


def _held(invoice: int) -> list[ChargeItem]:
    """Lines whose booking has a clock: what is paid after the visit has none."""
    lines = ChargeItem.objects.filter(invoice=invoice, status=ChargeItem.Status.OPEN)
    lines = lines.filter(Q(appointment__status="pending") | Q(exam__status="pending"))
    rows = lines.select_related("appointment__slot", "exam").order_by("pk")
    return [line for line in rows if line.hold_until is not None]


def _hold(lines: list[ChargeItem], *, until, now: datetime) -> None:
    """Each line by itself: one that is just being served stays as it is until the next look."""
    for line in lines:
        if line.hold_until >= until(line):
            continue
        try:
            _one(line.booking, until=until(line), now=now)
        except Refused as refusal:
            log.info("hold_not_lengthened", line=line.pk, refusal=refusal.code)


def _one(booking, *, until: datetime, now: datetime) -> None:
    if isinstance(booking, Appointment):
        changes.hold_longer(appointment=booking, until=until, now=now)
    else:
        holds.hold_longer(booking=booking, until=until, now=now)
