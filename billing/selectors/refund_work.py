"""退费待办: refunds that need somebody, those under way, and what waits for the insurance (M6)."""

from dataclasses import dataclass
from datetime import datetime, time

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from billing.models import BY_HAND, ChargeItem, MoneyCase, Refund
from hospital import clock, masking
from hospital.models import AuditEvent

Status = Refund.Status
KINDS = ("refused", "by_hand", "stuck", "waiting", "done")
NEEDS_SOMEBODY = ("refused", "by_hand", "stuck")

_NO_NEWS = Exists(MoneyCase.objects.filter(refund=OuterRef("pk"), kind=MoneyCase.Kind.STUCK, settled_at=None))


def within(organizations) -> QuerySet[Refund]:
    rows = Refund.objects.filter(payment__organization__in=organizations)
    return rows.select_related("payment__invoice__patient", "payment__organization", "line", "by", "shift")


def of_kind(kind: str, *, now: datetime) -> Q:
    """Each refund is of at most one kind; done: of today."""
    by_gateway = Q(status=Status.ASKED) & ~Q(means__in=BY_HAND)
    return {
        "refused": Q(status=Status.REFUSED),
        "by_hand": Q(status=Status.ASKED, means__in=BY_HAND),
        "stuck": by_gateway & Q(_NO_NEWS),
        "waiting": by_gateway & ~Q(_NO_NEWS),
        "done": Q(status=Status.DONE, done_at__gte=clock.at(clock.today(now), time.min)),
    }[kind]


def counts(organizations, *, now: datetime) -> dict[str, int]:
    """One query over what is open or was done today."""
    rows = Refund.objects.filter(payment__organization__in=organizations)
    rows = rows.filter(~Q(status=Status.DONE) | of_kind("done", now=now))
    return rows.aggregate(**{kind: Count("pk", filter=of_kind(kind, now=now)) for kind in KINDS})


def listed(organizations, *, kind: str, now: datetime) -> QuerySet[Refund]:
    """The longest waiting first; of what is done the latest."""
    rows = within(organizations).filter(of_kind(kind, now=now))
    return rows.order_by("-done_at", "-pk") if kind == "done" else rows.order_by("asked_at", "pk")


def of_people(organizations, people: list[int]) -> QuerySet[Refund]:
    rows = within(organizations).filter(payment__invoice__patient__in=people)
    return rows.order_by("-asked_at", "-pk")


def waiting_for_insurance(organizations) -> QuerySet[ChargeItem]:
    """Lines whose money goes back when the insurance has reversed its part."""
    rows = ChargeItem.objects.filter(status=ChargeItem.Status.RETURNING, invoice__organization__in=organizations)
    return rows.select_related("invoice__patient").order_by("paid_at", "pk")


@dataclass(frozen=True)
class Line:
    """One row of the list."""

    refund: Refund
    kind: str

    @property
    def masked(self) -> str:
        return masking.name(self.refund.payment.invoice.patient.name)


def lines_of(rows: list[Refund], *, kind: str | None = None) -> list[Line]:
    return [Line(row, kind or kind_of(row)) for row in rows]


def kind_of(row: Refund) -> str:
    """Of one that was found by its person: asks whether the office knows that it hangs."""
    if row.status == Status.DONE:
        return "done"
    if row.status == Status.REFUSED:
        return "refused"
    if row.means in BY_HAND:
        return "by_hand"
    return "stuck" if row.cases.filter(kind=MoneyCase.Kind.STUCK, settled_at=None).exists() else "waiting"


def story(row: Refund) -> QuerySet[AuditEvent]:
    """What people did with it."""
    acts = AuditEvent.objects.filter(subject=f"invoice:{row.payment.invoice_id}", detail__refund=str(row.pk))
    return acts.select_related("actor").order_by("at", "pk")
