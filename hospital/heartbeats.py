"""Signs of life of worker and beat, kept in the cache: no table, and nothing to clean up.

Beat publishes the task `heartbeat`, a worker runs it. The publishing is beat's sign of life, the
running is the worker's: a worker that lives but does no work counts as late.
"""

from datetime import datetime

from django.core.cache import caches

CACHE = "strict"  # raises while Redis is away: the health page says so
LATE_AFTER = 45  # seconds: nine beats missed, or a worker too busy to serve people
REMEMBERED = 7 * 24 * 3600  # seconds for which a dead one's last sign is still shown
NAMES = ("worker", "beat")


def beat(name: str, *, now: datetime) -> None:
    """Leave a sign of life."""
    caches[CACHE].set(_key(name), now.timestamp(), REMEMBERED)


def ages(*, now: datetime) -> dict[str, float | None]:
    """Seconds since the last sign of each, None if there was none. Raises redis errors."""
    signs = caches[CACHE].get_many([_key(name) for name in NAMES])
    return {name: max(0.0, now.timestamp() - signs[_key(name)]) if _key(name) in signs else None for name in NAMES}


def _key(name: str) -> str:
    return f"heartbeat:{name}"
