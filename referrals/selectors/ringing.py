"""What rings in the referral office now (R5)."""

from collections.abc import Collection
from datetime import datetime

from referrals.models import GreenCall


def ringing_at(organizations: Collection[int]) -> list[GreenCall]:
    """The oldest first. One query, over what nobody acknowledged."""
    rows = GreenCall.objects.filter(
        acknowledged_at=None, closed_at=None, referral__ended_at=None, referral__receiver__in=organizations
    )
    return list(rows.select_related("referral__origin", "referral__department").order_by("rung_at"))


def waited(calls: list[GreenCall], *, now: datetime) -> list[tuple[GreenCall, int]]:
    """Each with the seconds since it rang: what a browser without script shows, and the first look of any."""
    return [(call, max(0, int((now - call.rung_at).total_seconds()))) for call in calls]


def seen_as(calls: list[GreenCall]) -> str:
    """What tells one state of the bar from another."""
    return "-".join(str(call.pk) for call in calls)
