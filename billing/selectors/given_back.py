"""What would go back if a booking were given up now, and what was given back of one (M6), for the page that asks."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.models import BY_HAND, ChargeItem, Invoice, Refund
from billing.policies import paying
from billing.policies.splitting import NOTHING
from billing.policies.unwinding import Part, unwind
from billing.selectors import sums

Status = ChargeItem.Status


@dataclass(frozen=True)
class Back:
    """`kind`: "paid"; "insured" (the insurance is reversed first, only its answer says how much); "credit" (owed, and
    then not any more); "unpaid". `origin`, `window`: what of it goes back by itself, and what is fetched."""

    kind: str
    amount: Decimal
    origin: list[Part] = field(default_factory=list)
    window: list[Part] = field(default_factory=list)

    @property
    def parts(self) -> int:
        return len(self.origin) + len(self.window)


def promise(*, kind: str, booking: int) -> Back | None:
    """None: nothing is charged for it. Up to three queries."""
    lines = ChargeItem.objects.filter(**{kind: booking}).exclude(status__in=ChargeItem.GONE)
    line = lines.select_related("invoice").first()
    if line is None:
        return None
    invoice = line.invoice
    if line.status == Status.OPEN:
        return Back("credit" if line.earned_at else "unpaid", line.amount)
    if invoice.settlements.filter(status__in=["settled", "reversing"]).exists():
        return Back("insured", line.amount)
    return _paid(invoice, line)


def _paid(invoice: Invoice, line: ChargeItem) -> Back:
    """As services.refunding will do it: the line leaves, what is held above the rest goes back in the fixed order."""
    stands = sums.of(invoice)
    parts = unwind(max(stands.held - (invoice.cash_paid - line.amount), NOTHING), stands.payments)
    return Back(
        "paid",
        sum((part.amount for part in parts), NOTHING),
        origin=_together(part for part in parts if paying.asks_a_gateway(part.means)),
        window=_together(part for part in parts if not paying.asks_a_gateway(part.means)),
    )


def _together(parts) -> list[Part]:
    found: dict[str, Part] = {}
    for part in parts:
        before = found.get(part.means)
        found[part.means] = Part(part.payment, part.means, part.amount + (before.amount if before else NOTHING))
    return list(found.values())


@dataclass(frozen=True)
class Given:
    """What was given back of a booking: its refunds, and whether the insurance is still being reversed."""

    refunds: list[Refund]
    returning: bool

    @property
    def amount(self) -> Decimal:
        return sum((row.amount for row in self.refunds), NOTHING)


def given(*, kind: str, booking: int) -> Given | None:
    """None: nothing was. Two queries."""
    lines = list(ChargeItem.objects.filter(**{kind: booking}).values_list("pk", "status"))
    refunds = list(Refund.objects.filter(line__in=[pk for pk, _status in lines]).order_by("pk")) if lines else []
    returning = any(status == Status.RETURNING for _pk, status in lines)
    return Given(refunds, returning) if refunds or returning else None


@dataclass(frozen=True)
class Stopped:
    """How far the refunds of stopped visits are. `insured`: lines that wait for the insurance's reversal."""

    all: int
    amount: Decimal
    done: int
    refused: int
    by_hand: int
    insured: int

    @property
    def under_way(self) -> int:
        return self.all - self.done - self.refused - self.by_hand

    @property
    def any(self) -> bool:
        return bool(self.all or self.insured)


def of_a_stop(appointments: QuerySet) -> Stopped:
    """`appointments`: their ids. Two queries."""
    rows = Refund.objects.filter(line__appointment__in=appointments)
    counted = rows.aggregate(
        all=Count("pk"),
        amount=Coalesce(Sum("amount"), NOTHING),
        done=Count("pk", filter=Q(status=Refund.Status.DONE)),
        refused=Count("pk", filter=Q(status=Refund.Status.REFUSED)),
        by_hand=Count("pk", filter=Q(status=Refund.Status.ASKED, means__in=BY_HAND)),
    )
    waiting = ChargeItem.objects.filter(appointment__in=appointments, status=Status.RETURNING)
    return Stopped(**counted, insured=waiting.count())
