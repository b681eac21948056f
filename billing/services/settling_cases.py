"""财务待办 settled by a person, who says how: money without an owner leaves that account, one way or the other."""

from datetime import datetime

from django.db import transaction

from billing.errors.finance import DifferenceSettled, NotToBeSentBack
from billing.models import BillRow, LedgerEntry, MoneyCase
from billing.policies import accounts
from billing.policies import reconciling as policy
from hospital import audit
from hospital.models import User

from . import ledger

NOTE, TRANSFER, NEVER = "note", "transfer", "never"
"""Only said; given back by transfer from the bank; found out that the gateway never had it."""


def booked(case: MoneyCase) -> str:
    """The account on which its money lies with UNOWNED against it; empty: it is on no account."""
    if case.kind not in (MoneyCase.Kind.UNKNOWN, MoneyCase.Kind.AMOUNT) or not case.amount:
        return ""
    entries = LedgerEntry.objects.filter(kind="unowned", amount=case.amount)
    if case.kind == MoneyCase.Kind.AMOUNT and case.payment and entries.filter(payment=case.payment).exists():
        return case.payment.gateway or case.payment.means
    origin, _colon, rest = case.key.partition(":")
    if origin == "bill" and case.kind == MoneyCase.Kind.UNKNOWN:
        return rest.partition(":")[0]
    if origin == "difference":
        return LedgerEntry.objects.get(key=case.key).reconciliation.gateway
    return ""


def ways(case: MoneyCase) -> list[str]:
    """How it may be settled by hand now."""
    if case.settled_at or policy.refusal_to_note(case):
        return []
    if getattr(case, "sent_back", None) and case.sent_back.status == "asked":
        return []  # on its way to the payer
    if not booked(case):
        return [NOTE]
    return [TRANSFER] if _on_a_bill(case) else [TRANSFER, NEVER]


def _on_a_bill(case: MoneyCase) -> bool:
    """The gateway has it and pays it out: to say that it never came would leave its account below zero."""
    if case.key.partition(":")[0] in ("bill", "difference"):
        return True
    rows = BillRow.objects.filter(reconciliation__organization=case.organization_id, kind=BillRow.Kind.PAYMENT)
    return bool(case.payment) and rows.filter(order=case.payment.order, amount=case.amount).exists()


@transaction.atomic
def settle(*, case: MoneyCase, way: str, note: str, by: User, now: datetime) -> MoneyCase:
    """Raises DifferenceSettled, NotToBeSentBack (it is owed to a patient, or on its way)."""
    rows = MoneyCase.objects.select_for_update(no_key=True, of=("self",)).select_related("payment", "sent_back")
    case = rows.get(pk=case.pk)
    if case.settled_at is not None:
        raise DifferenceSettled()
    if way not in ways(case):
        raise NotToBeSentBack()
    if way != NOTE:
        lies = booked(case)
        ledger.write(
            key=f"case:{case.pk}:{way}",
            kind="case",
            organization_id=case.organization_id,
            postings=accounts.unowned_returned(accounts.AT_BANK if way == TRANSFER else lies, case.amount),
            payment=case.payment,
            invoice=case.invoice,
            now=now,
            by=by,
        )
    case.settled_at, case.settled_by, case.note = now, by, note.strip()[:200]
    case.save(update_fields=["settled_at", "settled_by", "note"])
    detail = {"kind": case.kind, "way": way, "amount": str(case.amount or "")}
    audit.record(action="moneycase.settled", actor=by, subject=f"moneycase:{case.pk}", detail=detail, now=now)
    return case
