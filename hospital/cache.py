"""The cache may be gone: pages and sign-in go on without it.

What is kept here is only for speed and for courtesy (allauth's rates). Whatever must hold without Redis is kept
in PostgreSQL: lock-out after wrong passwords and codes (axes), sessions, request keys, holds. Nothing here may be
the only guard of anything; a limit that has to fail closed asks `caches["strict"]`, which raises.
"""

import time

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TooSlow

logger = structlog.get_logger(__name__)

PAUSE = 5.0
"""Seconds without asking again after a failure: a dead host costs one time-out, not one per key."""


class ForgivingRedisCache(RedisCache):
    """Redis that answers "not there" and "done" while it is away."""

    gone_until = 0.0  # monotonic seconds; per process, on the class: Django makes one instance a thread

    @classmethod
    def is_gone(cls) -> bool:
        return time.monotonic() < ForgivingRedisCache.gone_until

    @classmethod
    def remember_gone(cls) -> None:
        ForgivingRedisCache.gone_until = time.monotonic() + PAUSE

    def _try(self, act, otherwise):
        if self.is_gone():
            return otherwise
        try:
            return act()
        except (Unreachable, TooSlow, OSError) as problem:
            self.remember_gone()
            logger.warning("cache_gone", error=type(problem).__name__)
            return otherwise

    def add(self, *args, **kwargs):
        return self._try(lambda: super(ForgivingRedisCache, self).add(*args, **kwargs), True)

    def get(self, key, default=None, version=None):
        return self._try(lambda: super(ForgivingRedisCache, self).get(key, default, version), default)

    def set(self, *args, **kwargs):
        return self._try(lambda: super(ForgivingRedisCache, self).set(*args, **kwargs), None)

    def touch(self, *args, **kwargs):
        return self._try(lambda: super(ForgivingRedisCache, self).touch(*args, **kwargs), False)

    def delete(self, *args, **kwargs):
        return self._try(lambda: super(ForgivingRedisCache, self).delete(*args, **kwargs), False)

    def get_many(self, *args, **kwargs):
        return self._try(lambda: super(ForgivingRedisCache, self).get_many(*args, **kwargs), {})

    def has_key(self, *args, **kwargs):
        return self._try(lambda: super(ForgivingRedisCache, self).has_key(*args, **kwargs), False)

    def set_many(self, *args, **kwargs):
        return self._try(lambda: super(ForgivingRedisCache, self).set_many(*args, **kwargs), [])

    def delete_many(self, *args, **kwargs):
        return self._try(lambda: super(ForgivingRedisCache, self).delete_many(*args, **kwargs), None)
