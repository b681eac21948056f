"""What patients are told of their money: paid, owed, given back and how, not given back, overdue. The words are
templates; parameters are amounts and codes, never a person's data. Called by handlers, in the order of an invoice.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.urls import reverse

from billing.models import ChargeItem, InsuranceSettlement, Invoice, Payment, Refund
from billing.policies import paying
from billing.policies.splitting import NOTHING
from billing.selectors import sums
from hospital import clock, messages
from hospital.models import Message, Organization, Patient

PAID, OWED, MORE, OVERDUE = "money.paid", "money.owed", "money.more", "money.overdue"
BACK, LESS, FAILED, DONE = "money.back", "money.less", "money.back_failed", "money.back_done"
INSURED_BACK = "money.insured_back"


def tell_paid(*, invoice: int, now: datetime, dedupe: str) -> None:
    """Who bore what. What costs nothing is told by the booking alone."""
    row = _invoice(invoice)
    if not row.total:
        return
    received = row.payments.filter(status=Payment.Status.SUCCEEDED, applied__gt=0)
    params = {
        "amount": _yuan(row.cash_paid) if row.cash_paid else "",
        "means": sorted(set(received.values_list("means", flat=True))),
        "fund": _yuan(row.fund_paid),
        "account": _yuan(row.account_paid),
        "insured": bool(row.fund_paid or row.account_paid),
        "lines": _names(row.lines.exclude(status__in=ChargeItem.GONE)),
    }
    _say(row, PAID, dedupe=dedupe, now=now, **params)


def tell_owed(*, invoice: int, now: datetime, dedupe: str) -> None:
    """On credit: how much, and until when. Of what is paid or gone by now nothing is said."""
    row = _invoice(invoice)
    owed = sums.of(row).owed
    if row.status != Invoice.Status.OWED or owed <= 0:
        return
    lines = _names(row.lines.exclude(status__in=ChargeItem.GONE))
    _say(row, OWED, dedupe=dedupe, now=now, amount=_yuan(owed), lines=lines, until=_until(row), pay=True)


def tell_exchanged(*, invoice: int, line: int, instead_of: int, now: datetime, dedupe: str) -> None:
    """Moved to another price: the rest is owed, or goes back. Brought onto another invoice: nothing is said, the
    person did it."""
    new = ChargeItem.objects.select_related("invoice").get(pk=line)
    old = ChargeItem.objects.get(pk=instead_of)
    if old.invoice_id != new.invoice_id or old.amount == new.amount:
        return
    row = _invoice(invoice)
    owed = sums.of(row).owed
    if new.amount > old.amount and row.status == Invoice.Status.OWED and owed > 0:
        _say(row, MORE, dedupe=dedupe, now=now, amount=_yuan(owed), lines=[new.name], until=_until(row), pay=True)
    back = list(Refund.objects.filter(line=instead_of).order_by("pk"))
    if back:
        _tell_back(row, back, lines=[old.name], reason="moved", dedupe=dedupe, now=now)


def tell_returned(*, invoice: int, line: int, reason: str, now: datetime, dedupe: str) -> None:
    """A line is no more: what goes back and how, the insurance's part too; or what is not owed any more; of what nobody
    paid nothing is said."""
    row = _invoice(invoice)
    item = ChargeItem.objects.get(pk=line)
    back = list(Refund.objects.filter(line=line).order_by("pk"))
    if back:
        _tell_back(row, back, lines=[item.name], reason=reason, dedupe=dedupe, now=now)
    elif item.status == ChargeItem.Status.WITHDRAWN and item.earned_at:
        owed = max(sums.of(row).owed, NOTHING)
        more = {"amount": _yuan(item.amount), "left": _yuan(owed) if owed else "", "reason": reason}
        _say(row, LESS, dedupe=dedupe, now=now, lines=[item.name], until=_until(row) if owed else "", **more)
    if item.status == ChargeItem.Status.REFUNDED and row.status in Invoice.OVER:
        _tell_insured_back(row, reason=reason, now=now)


def _tell_insured_back(invoice: Invoice, *, reason: str, now: datetime) -> None:
    """Of the whole bill, once; of what stays and is settled anew the bill tells. Who paid after the insurance had taken
    its part back (declined it) bore all of it themselves."""
    last = invoice.settlements.filter(status=InsuranceSettlement.Status.REVERSED, settled_at__isnull=False)
    last = last.order_by("-pk").first()
    if last is None or invoice.payments.filter(succeeded_at__gte=last.reversed_at).exists():
        return
    said = {"fund": last.fund_paid, "account": last.account_paid}
    lines = _names(invoice.lines.filter(status=ChargeItem.Status.REFUNDED))
    _say(
        invoice, INSURED_BACK, dedupe=f"settlement:{last.pk}:back", now=now, reason=reason, lines=lines,
        **{part: _yuan(amount) if amount else "" for part, amount in said.items()},
    )  # fmt: skip


def tell_surplus(*, refund: int, now: datetime, dedupe: str) -> None:
    """Paid too much (a code was scanned twice, the insurance settled anew): it is of no line."""
    one = Refund.objects.select_related("payment").get(pk=refund)
    if one.line_id is None:
        _tell_back(_invoice(one.payment.invoice_id), [one], lines=[], reason=one.reason, dedupe=dedupe, now=now)


def _tell_back(invoice: Invoice, back: list[Refund], *, lines: list[str], reason: str, dedupe: str, now: datetime):
    params = {"lines": lines, "reason": reason, **_parts(back)}
    _say(invoice, BACK, dedupe=dedupe, now=now, **params)


def _parts(back: Iterable[Refund]) -> dict:
    """By itself to where it came from, or fetched at a window: [means, yuan] each."""
    by: dict[bool, dict[str, Decimal]] = {True: defaultdict(lambda: NOTHING), False: defaultdict(lambda: NOTHING)}
    for one in back:
        by[paying.asks_a_gateway(one.means)][one.means] += one.amount
    return {
        "amount": _yuan(sum((one.amount for one in back), NOTHING)),
        "origin": [[means, _yuan(amount)] for means, amount in by[True].items()],
        "window": [[means, _yuan(amount)] for means, amount in by[False].items()],
    }


def tell_refused(*, refund: int, now: datetime, dedupe: str) -> None:
    """The gateway said no: the money is still theirs, and what happens now."""
    one = Refund.objects.select_related("payment").get(pk=refund)
    if one.status == Refund.Status.DONE:
        return
    _say(_invoice(one.payment.invoice_id), FAILED, dedupe=dedupe, now=now, amount=_yuan(one.amount), means=[one.means])


def tell_done(*, refund: int, now: datetime, dedupe: str) -> None:
    """Only where it went otherwise than the person was told before: by hand, or after it had failed. What goes back as
    it was said, the payer's own app tells."""
    one = Refund.objects.select_related("payment").get(pk=refund)
    by_hand = not paying.asks_a_gateway(one.means)
    if by_hand or one.refusal:
        params = {"amount": _yuan(one.amount), "means": [one.means], "by_hand": by_hand}
        _say(_invoice(one.payment.invoice_id), DONE, dedupe=dedupe, now=now, **params)


def tell_overdue(*, patient: int, organization: int, now: datetime) -> None:
    """All that is overdue at a house in one message, once a day."""
    rows = Invoice.objects.filter(
        patient=patient, organization=organization, status=Invoice.Status.OWED, due_at__lte=now
    )
    rows = list(rows.select_related("organization", "patient").order_by("due_at", "pk"))
    owed = sum((sums.of(row).owed for row in rows), NOTHING)
    if not rows or owed <= 0:
        return
    day = clock.today(rows[0].due_at).isoformat()
    dedupe = f"dunning:{organization}:{patient}:{clock.today(now)}"
    _say(rows[0], OVERDUE, dedupe=dedupe, now=now, amount=_yuan(owed), count=len(rows), day=day, pay=True)


def still_owed(message: Message) -> bool:
    """Asked right before sending: paid meanwhile? Then nobody is asked to pay."""
    return Invoice.objects.filter(pk=message.params["invoice"], status=Invoice.Status.OWED).exists()


# ---- how it is said ----


def _invoice(pk: int) -> Invoice:
    return Invoice.objects.select_related("organization", "patient").get(pk=pk)


def _names(lines) -> list[str]:
    return list(lines.order_by("pk").values_list("name", flat=True))


def _until(invoice: Invoice) -> str:
    return invoice.due_at.isoformat() if invoice.due_at else ""


def _yuan(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _say(invoice: Invoice, template: str, *, dedupe: str, now: datetime, pay: bool = False, **more) -> None:
    """`pay`: the SMS carries the way to pay; in the app the person is signed in."""
    house: Organization = invoice.organization
    patient: Patient = invoice.patient
    params = {"hospital": house.short_name or house.name, "phone": house.phone, "invoice": invoice.pk, **more}
    messages.tell(
        patient=patient,
        template=template,
        params=params,
        about=f"invoice:{invoice.pk}",
        dedupe=dedupe,
        link=_address(invoice) if pay else "",
        now=now,
    )


def _address(invoice: Invoice) -> str:
    """Empty where the house has not said under which address the public finds it: then the text names other ways."""
    return settings.PUBLIC_URL + reverse("billing:pay", args=[invoice.token]) if settings.PUBLIC_URL else ""
