"""Is the process alive, is the house ready. For load balancers and the person on call: no session, no sign-in."""

import time

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from hospital import clock, heartbeats


@require_safe
@never_cache
def live(request):
    """The web process alone: asks nobody else, so that a lost database never gets it restarted."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request):
    """Database, Redis, worker and beat by name. 503 only without the database: bookings need nothing else."""
    database = _database()
    parts = {"database": database, **_redis_and_jobs(clock.now())}
    if database["status"] != "ok":
        status = "down"
    else:
        status = "ok" if all(part["status"] == "ok" for part in parts.values()) else "degraded"
    return JsonResponse({"status": status, **parts}, status=503 if status == "down" else 200)


def _database() -> dict:
    began = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return {"status": "down"}
    return {"status": "ok", "milliseconds": round((time.perf_counter() - began) * 1000, 1)}


def _redis_and_jobs(now) -> dict:
    """Without Redis nobody can say how worker and beat are: they wait for it, as messages do."""
    began = time.perf_counter()
    try:
        ages = heartbeats.ages(now=now)
    except (RedisError, OSError):
        unknown = {"status": "unknown", "age_seconds": None}
        return {"redis": {"status": "degraded"}, **dict.fromkeys(heartbeats.NAMES, unknown)}
    redis = {"status": "ok", "milliseconds": round((time.perf_counter() - began) * 1000, 1)}
    return {"redis": redis, **{name: _job(age) for name, age in ages.items()}}


def _job(age: float | None) -> dict:
    fresh = age is not None and age <= heartbeats.LATE_AFTER
    return {"status": "ok" if fresh else "degraded", "age_seconds": None if age is None else round(age, 1)}
