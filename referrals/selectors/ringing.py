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


def seen_as(calls: list[GreenCall]) -> str:
    """What tells one state of the bar from another."""
    return "-".join(str(call.pk) for call in calls)


def bar_of(calls: list[GreenCall], *, now: datetime) -> dict:
    """What the bar shows: each call with the seconds since it rang, which the page counts on."""
    return {
        "calls": [(call, max(0, int((now - call.rung_at).total_seconds()))) for call in calls],
        "seen": seen_as(calls),
        "now_ms": int(now.timestamp() * 1000),
    }
