"""付费链接 to the patient's phone: they pay elsewhere, and what is held waits for them as long as the rule says. Called
outside a transaction of your own.
"""

from datetime import datetime

from billing.errors import NoPhone, NothingToPay
from billing.models import Invoice
from billing.selectors import sums
from hospital import audit, messages
from hospital.models import Message, User

from . import holding, standing

TEMPLATE = "invoice.to_pay"


def send_link(*, invoice: Invoice, address: str, by: User, now: datetime) -> bool:
    """By SMS with the link, in the app with the way to 我的账单. For one sum it is sent once: False, it was before.
    Raises NothingToPay, NoPhone."""
    owed = sums.of(invoice).owed
    if invoice.status not in Invoice.DUE or owed <= 0:
        raise NothingToPay()
    if not invoice.patient.phone:
        raise NoPhone()
    holding.for_elsewhere(invoice=invoice, now=now)
    if sent_at(invoice):
        return False
    params = {"hospital": invoice.organization.name, "amount": str(owed), **_till_when(invoice)}
    messages.tell(
        patient=invoice.patient,
        template=TEMPLATE,
        params=params,
        about=about(invoice),
        dedupe=f"invoice-to-pay:{invoice.pk}:{owed}",
        link=address,
        now=now,
    )
    audit.record(
        action="invoice.link_sent",
        actor=by,
        patient=invoice.patient,
        subject=f"invoice:{invoice.pk}",
        detail={"amount": str(owed)},
        now=now,
    )
    return True


def _till_when(invoice: Invoice) -> dict:
    """The first clock of what is held, or the day on which what is confirmed is due."""
    if invoice.status == Invoice.Status.OWED:
        return {"until": invoice.due_at.isoformat(), "confirmed": True}
    clocks = [line.hold_until for line in standing.live(invoice) if line.hold_until]
    return {"until": min(clocks).isoformat()} if clocks else {"confirmed": True}


def about(invoice: Invoice) -> str:
    return f"invoice:{invoice.pk}"


def sent_at(invoice: Invoice) -> datetime | None:
    """When the link for what is owed now was sent."""
    dedupe = f"invoice-to-pay:{invoice.pk}:{sums.of(invoice).owed}:"
    rows = Message.objects.filter(about=about(invoice), template=TEMPLATE, dedupe__startswith=dedupe)
    return rows.values_list("created_at", flat=True).order_by("pk").first()
