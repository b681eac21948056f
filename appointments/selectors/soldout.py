"""What was sold out a moment ago: in a flash crowd most requests are losers, and this makes them cheap.

Only a true miss is remembered, for a second, in this process (booking.md). Nothing becomes wrong by that: a number that
comes back is found a second later, and that something is free is never remembered.
"""

from datetime import datetime

SECONDS = 1.0
MOST = 10_000
_missed: dict[tuple[int, str], float] = {}


def forget() -> None:
    _missed.clear()


def remember(schedule_id: int, buyer: str, *, now: datetime) -> None:
    """Nothing of this schedule could be taken by whoever shares these pools: a channel, or an institution's in it."""
    if len(_missed) >= MOST:
        _missed.clear()
    _missed[schedule_id, buyer] = now.timestamp()


def just_now(schedule_id: int, buyer: str, *, now: datetime) -> bool:
    """A clock that was set back forgets, too."""
    return 0 <= now.timestamp() - _missed.get((schedule_id, buyer), float("-inf")) < SECONDS
