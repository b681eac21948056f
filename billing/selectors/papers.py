"""票据 as they are shown, printed and checked; and those that the window has to look after."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from billing.errors import NoGateway
from billing.gateways import ports
from billing.models import Invoice, Receipt
from billing.policies import receipts as policy
from billing.policies.capitals import capitals
from hospital import masking

Status = Receipt.Status
SLOW = timedelta(minutes=10)
RELATED = ("invoice__patient", "organization", "replaces", "replaced_by", "by")


@dataclass(frozen=True)
class Paper:
    """A receipt with what stands on it. `payer`: in full for whoever it belongs to, else masked."""

    row: Receipt
    payer: str

    @property
    def in_capitals(self) -> str:
        return capitals(self.row.total)

    @property
    def counts(self) -> bool:
        return self.row.status in (Status.ISSUED, Status.VOIDING)

    @property
    def state(self) -> str:
        if self.row.status == Status.ISSUED:
            return _("有效")
        if self.row.status == Status.VOID:
            return _("已冲红作废")
        return self.row.get_status_display()

    @property
    def tone(self) -> str:
        tones = {Status.ISSUED: "tag--ok", Status.VOID: "tag--bad", Status.REFUSED: "tag--bad"}
        return tones.get(self.row.status, "tag--warn")

    @property
    def insured(self) -> bool:
        return bool(self.row.fund_paid or self.row.account_paid)

    @property
    def ready(self) -> bool:
        """It has a number: it can be printed and downloaded."""
        return bool(self.row.number)


def paper(row: Receipt, *, whole: bool) -> Paper:
    name = row.invoice.patient.name
    return Paper(row, name if whole else masking.name(name))


def of_invoice(invoice: Invoice) -> Receipt | None:
    """The latest one, whatever became of it."""
    return invoice.receipts.select_related("invoice__patient", "organization").order_by("-pk").first()


def by_request(request: str) -> Receipt | None:
    return Receipt.objects.filter(request=request).select_related(*RELATED).first()


def at_house(organization_id: int) -> QuerySet[Receipt]:
    return Receipt.objects.filter(organization=organization_id).select_related(*RELATED)


def numbered_here(organization_id: int) -> bool:
    """There is a platform: receipts may be asked for."""
    try:
        ports.receipts(organization=organization_id)
    except NoGateway:
        return False
    return True


def to_look_after(organization_id: int, *, now: datetime) -> list[Receipt]:
    """Refused and not replaced, waiting for long, or (the platform refused to void it) saying more than was paid."""
    refused = Q(status=Status.REFUSED, replaced_by=None)
    slow = Q(status__in=[Status.ASKED, Status.VOIDING], asked_at__lt=now - SLOW)
    untrue = Q(status=Status.ISSUED) & ~Q(total=F("invoice__total"))
    rows = at_house(organization_id).filter(refused | slow | untrue)
    return [row for row in rows.order_by("-pk")[:200] if row.status != Status.REFUSED or not _has_another(row)]


def _has_another(row: Receipt) -> bool:
    return Receipt.objects.filter(invoice=row.invoice_id, status__in=policy.LIVE).exists()


def lately(organization_id: int, *, number: str = "") -> list[Receipt]:
    rows = at_house(organization_id)
    rows = rows.filter(Q(number=number) | Q(red_number=number)) if number else rows
    return list(rows.order_by("-pk")[:50])
