"""银行到账: what lay in drawers, at the terminals' bank or was owed by the insurance has reached the bank, by its slip.
The gateways' payouts are written by reconciliation. Locks: the house's, so that one sum is not deposited twice.
"""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.errors.finance import DepositedAlready, NotThatMuch
from billing.models import LedgerEntry
from billing.policies import accounts
from billing.selectors.ledger import balance
from hospital import audit
from hospital.models import Organization, User

from . import ledger

FROM = ("cash", "cheque", "bank", accounts.FUND_DUE, accounts.ACCOUNT_DUE)


@transaction.atomic
def deposit(
    *, organization: Organization, account: str, amount: Decimal, fee: Decimal, slip: str, by: User, now: datetime
) -> LedgerEntry:
    """`amount` is what reached the bank, `fee` what was kept of it on the way. Each slip once. Raises NotThatMuch,
    DepositedAlready."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    key = f"deposit:{organization.pk}:{slip}"
    if LedgerEntry.objects.filter(key=key).exists():
        raise DepositedAlready()
    there = balance(account, organization=organization.pk)
    if amount + fee > there:
        raise NotThatMuch(there=max(there, Decimal(0)))
    entry = ledger.write(
        key=key,
        kind="deposit",
        organization_id=organization.pk,
        postings=accounts.deposited(account, amount=amount, fee=fee),
        now=now,
        by=by,
    )
    detail = {"account": account, "amount": str(amount), "fee": str(fee), "slip": slip}
    audit.record(action="money.deposited", actor=by, subject=f"ledgerentry:{entry.pk}", detail=detail, now=now)
    return entry
