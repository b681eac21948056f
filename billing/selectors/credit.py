"""Pay-after-visit of one person at one house (M4): what was agreed, what is owed, and whether more may be."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from billing.models import CreditAgreement, Invoice
from billing.policies import credit as policy
from billing.policies.credit import Credit
from billing.policies.splitting import NOTHING
from billing.selectors import rules, sums
from hospital.errors import Refused


@dataclass(frozen=True)
class Owed:
    """One invoice that is owed."""

    invoice: Invoice
    amount: Decimal
    overdue: bool


@dataclass(frozen=True)
class Standing:
    """`agreed`: what counts today; `agreement`: its row, also where the house has stopped giving credit; `offer`: what
    would be signed today."""

    agreement: CreditAgreement | None
    agreed: Credit | None
    offer: Credit | None
    owed: list[Owed] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum((each.amount for each in self.owed), NOTHING)

    @property
    def overdue(self) -> bool:
        return any(each.overdue for each in self.owed)

    @property
    def left(self) -> Decimal:
        return max(self.agreed.limit - self.total, NOTHING) if self.agreed and not self.overdue else NOTHING

    @property
    def ends(self) -> bool:
        """Ended, and in force till the end of today."""
        return self.agreement is not None and self.agreement.effective_to is not None

    @property
    def better(self) -> bool:
        """The house offers something else than what was agreed to."""
        return self.agreed is not None and self.offer is not None and self.offer != self.agreed

    @property
    def there(self) -> bool:
        return bool(self.agreement or self.offer or self.owed)


def standing(patient: int, *, organization: int, now: datetime) -> Standing:
    """Two queries, and one for each owed invoice."""
    rows = Invoice.objects.filter(patient=patient, organization=organization, status=Invoice.Status.OWED)
    return Standing(
        agreement=rules.agreement_of(patient, organization_id=organization, now=now),
        agreed=rules.credit_of(patient, organization_id=organization, now=now),
        offer=rules.credit_offer(organization, now=now),
        owed=[
            Owed(row, sums.of(row).owed, row.due_at < now)
            for row in rows.prefetch_related("lines").order_by("due_at", "pk")
        ],
    )


@dataclass(frozen=True)
class Use:
    """Whether an invoice may be put on credit now. `refusal` None and not `agreed`: nothing to be shown."""

    agreed: Credit | None
    left: Decimal
    refusal: Refused | None
    due_at: datetime | None

    @property
    def may(self) -> bool:
        return self.agreed is not None and self.refusal is None


def use_of(invoice: Invoice, *, now: datetime) -> Use:
    """For the button beside the means: the same answer as services.crediting gives."""
    agreed = rules.credit_of(invoice.patient_id, organization_id=invoice.organization_id, now=now)
    wanted = sums.of(invoice).owed
    if agreed is None or invoice.status != Invoice.Status.OPEN or wanted <= 0:
        return Use(None, NOTHING, None, None)
    owed, overdue = sums.owed_on_credit(invoice.patient_id, organization_id=invoice.organization_id, now=now)
    refusal = policy.refusal(agreed, owed=owed, more=wanted, overdue=overdue)
    return Use(agreed, max(agreed.limit - owed, NOTHING), refusal, policy.due(agreed.days, now=now))


def overdue_of(patients: Collection[int], *, organization: int, now: datetime) -> set[int]:
    """Who of them was to pay something of it by now. One query."""
    rows = Invoice.objects.filter(patient__in=patients, organization=organization, status=Invoice.Status.OWED)
    return set(rows.filter(due_at__lt=now).values_list("patient", flat=True))
