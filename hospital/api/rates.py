"""How often one account may book, change and cancel: against programs that fish for numbers (B16).

Courtesy, not the guard: what one person may hold is limited in PostgreSQL, with every booking. So when Redis is away
the rate is not kept and bookings go on: a hospital that books nothing is worse than a minute without this limit.
A token that books for anyone is a hospital's own programme (phone desk, its app's server): it answers for its users'
rates itself, and thousands of people share its account.
"""

import math

import structlog
from django.conf import settings
from django.core.cache import caches
from redis.exceptions import RedisError

from hospital.cache import ForgivingRedisCache
from hospital.tokens import Caller

from .errors import TooMany

logger = structlog.get_logger(__name__)

BUCKET = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local most, gap = tonumber(ARGV[1]), tonumber(ARGV[2]) / tonumber(ARGV[1])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local early = due + gap - now - most * gap
if early > 0.000001 then return tostring(early) end
redis.call('SET', KEYS[1], tostring(due + gap), 'EX', math.ceil(most * gap) + 1)
return '0'
"""
"""A bucket of `most` that refills evenly, kept as the moment when it will be full again. One round trip; Redis's clock,
so that web machines need not agree. Answers the seconds to wait, 0 for none."""


def spend(caller: Caller) -> None:
    """One act of the caller's account. Raises TooMany."""
    if caller.books_anyone:
        return
    spend_of(f"api.rate.{caller.user.pk}", *settings.API_RATE)


def spend_of(key: str, most: int, seconds: int) -> None:
    """One of `most` acts in `seconds` of whatever `key` names. Raises TooMany; without Redis nothing is counted."""
    try:
        wait = _ask(key, most, seconds)
    except (RedisError, OSError) as problem:
        ForgivingRedisCache.remember_gone()
        logger.warning("api_rate_not_kept", error=type(problem).__name__)
        return
    if wait > 0:
        raise TooMany(seconds=math.ceil(wait))


def _ask(key: str, most: int, seconds: int) -> float:
    if ForgivingRedisCache.is_gone():
        return 0
    cache = caches["default"]
    client = cache._cache.get_client(key, write=True)
    return float(client.eval(BUCKET, 1, cache.make_key(key), most, seconds))
