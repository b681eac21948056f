"""What rings in the referral office now (R5)."""

from collections.abc import Collection
from datetime import datetime, timedelta

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
    """What the bar shows: each call with the time since it rang, which the page counts on (keys.js)."""
    return {
        "calls": [(call, _ran(now - call.rung_at)) for call in calls],
        "seen": seen_as(calls),
        "now_ms": int(now.timestamp() * 1000),
    }


def _ran(span: timedelta) -> str:
    """2:59, or 1:02:59."""
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours}:{rest:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
