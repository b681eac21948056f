"""Taking the insurance's part back, first half: what is going to be asked is written down."""

from datetime import datetime
from secrets import token_hex

from billing.models import InsuranceSettlement, InsuranceStep, Invoice
from billing.policies.splitting import NOTHING

Status = InsuranceSettlement.Status
Step = InsuranceStep.Step


def ask_to_reverse(*, invoice: Invoice, now: datetime) -> InsuranceStep | None:
    """The standing settlement is to be reversed; the step job asks (insuring.to_ask). Asking twice is once. The caller
    holds the invoice."""
    row = InsuranceSettlement.objects.select_for_update(no_key=True).filter(invoice=invoice.pk)
    row = row.filter(status__in=InsuranceSettlement.STANDS).first()
    if row is None:
        return None
    if row.status == Status.SETTLED:
        row.status = Status.REVERSING
        row.save(update_fields=["status"])
    return open_step(row, Step.UNSETTLE, now=now)


def as_if_never(row: InsuranceSettlement) -> None:
    """What it would have borne is not the invoice's: it is taken back without ever having been in the books. The caller
    holds invoice and settlement, and saves."""
    row.status = Status.REVERSING
    row.fund_paid = row.account_paid = NOTHING
    row.cash_paid = row.total


def open_step(settlement: InsuranceSettlement, step: str, *, now: datetime) -> InsuranceStep:
    """The row that is there before the call; the one under way, if there is one."""
    row, _new = InsuranceStep.objects.get_or_create(
        settlement=settlement,
        step=step,
        outcome=InsuranceStep.Outcome.ASKED,
        defaults={"message": f"{now:%Y%m%d}{token_hex(8)}", "asked_at": now, "next_try_at": now},
    )
    return row
