"""财务待办: what no rule may decide is kept for the office, once."""

from datetime import datetime

from billing.models import MoneyCase
from hospital.models import User


def keep(*, kind: str, key: str, now: datetime, **about) -> MoneyCase:
    """`about`: organization_id, amount, invoice, payment, refund, message. The same key again: the same case."""
    row, _new = MoneyCase.objects.get_or_create(key=key, defaults={"kind": kind, "opened_at": now, **about})
    return row


def settle(*, key: str, now: datetime, by: User | None = None, note: str = "") -> None:
    """By a rule (`by` None) or a person, who says how. Settled is settled."""
    rows = MoneyCase.objects.filter(key=key, settled_at=None)
    rows.update(settled_at=now, settled_by=by, note=note.strip()[:200])
