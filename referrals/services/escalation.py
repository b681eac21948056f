"""催办 (R4): a deadline that passed is told once, to whom it passed and to who waits. `now` is aware UTC."""

from datetime import datetime

from django.db import transaction

from referrals.models import Referral

from . import trail

BATCH = 500


def escalate(*, now: datetime) -> int:
    """How many. Finds its own work; late, twice or by two workers at once, each deadline is told once."""
    due = Referral.objects.filter(due_at__lte=now, escalated_at=None, ended_at=None)
    return sum(_escalate(pk, now=now) for pk in list(due.order_by("due_at").values_list("pk", flat=True)[:BATCH]))


@transaction.atomic
def _escalate(pk: int, *, now: datetime) -> int:
    row = trail.locked(pk)
    if row.due_at is None or row.due_at > now or row.escalated_at or row.ended_at:
        return 0
    trail.step(
        row, trail.Kind.ESCALATED, by=None, organization_id=None, now=now, escalated_at=now,
        detail={"due": row.due_at.isoformat()},
    )  # fmt: skip
    return 1
