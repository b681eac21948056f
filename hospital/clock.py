"""The hospital's wall clock. Stored times are UTC; days, half-days and cut-offs are the hospital's.

Only views, tasks and commands call `now()`; services and policies are told the time.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

ZONE = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """This moment, aware, in UTC. The booking function uses the database's clock instead."""
    return datetime.now(UTC)


def today(now: datetime) -> date:
    """The hospital's day at `now`: at 16:00 UTC it is already tomorrow here."""
    return now.astimezone(ZONE).date()


def at(day: date, wall: time) -> datetime:
    """A wall time of the hospital on a day, aware."""
    return datetime.combine(day, wall, ZONE)


def days_before(day: date, days: int, wall: time) -> datetime:
    """D−`days` at a wall time: how release, recall and cut-off are written in rules."""
    return at(day - timedelta(days=days), wall)


def deciding() -> datetime | None:
    """The `now` that pages hand to booking: None in production, so that the database's clock decides; the
    stopped clock in tests (DATABASE_CLOCK off)."""
    return None if settings.DATABASE_CLOCK else now()
