"""From facts to handlers: fanned out in order, delivered oldest first per handler and key.

A worker that dies loses nothing: the handler's effects and `done_at` are one transaction. A handler that fails backs
off alone; its key waits for it, other keys and other handlers go on.
"""

from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from hospital.models import Delivery, Fact

from .registry import handlers_of, subscriptions

log = structlog.get_logger(__name__)

FAN_OUT_BATCH = 5_000
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)

FAN_OUT = """
WITH todo AS (
    SELECT id, topic, key FROM hospital_fact WHERE NOT fanned_out ORDER BY id LIMIT %(limit)s
), made AS (
    INSERT INTO hospital_delivery (fact_id, handler, key, next_try_at, tries, last_error)
    SELECT todo.id, wanted.handler, todo.key, %(now)s, 0, ''
      FROM todo
      JOIN unnest(%(topics)s::text[], %(handlers)s::text[]) AS wanted (topic, handler) ON wanted.topic = todo.topic
     ORDER BY todo.id
        ON CONFLICT (fact_id, handler) DO NOTHING
    RETURNING 1
), marked AS (
    UPDATE hospital_fact SET fanned_out = true WHERE id IN (SELECT id FROM todo) RETURNING 1
)
SELECT (SELECT count(*) FROM marked), (SELECT count(*) FROM made)
"""

OLDER = """
SELECT 1 FROM hospital_delivery older
 WHERE older.handler = d.handler AND older.key = d.key AND older.done_at IS NULL AND older.fact_id < d.fact_id
"""

DUE = f"""
SELECT d.id FROM hospital_delivery d
 WHERE d.done_at IS NULL AND d.next_try_at <= %(now)s AND NOT EXISTS ({OLDER})
 ORDER BY d.fact_id LIMIT %(limit)s
"""  # noqa: S608
"""Both parts stand in partial indexes of undone rows: what was done long ago costs nothing."""

CLAIM = f"""
SELECT d.id, d.handler, d.fact_id FROM hospital_delivery d
 WHERE d.id = %(id)s AND d.done_at IS NULL AND d.next_try_at <= %(now)s AND NOT EXISTS ({OLDER})
   FOR UPDATE OF d SKIP LOCKED
"""  # noqa: S608

FAIL = """
UPDATE hospital_delivery
   SET tries = least(tries + 1, 30000), last_error = %(error)s,
       next_try_at = %(now)s + least(%(first)s * power(2, least(tries, 20)), %(longest)s)
 WHERE id = %(id)s AND done_at IS NULL
"""


def fan_out(*, now: datetime) -> int:
    """Make the deliveries of new facts, in order of fact. Returns how many facts; 0 if another is at it."""
    wanted = subscriptions()
    topics, handlers = [topic for topic, _name in wanted], [name for _topic, name in wanted]
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('fan_out'))")
            if not cursor.fetchone()[0]:
                return total
            cursor.execute(FAN_OUT, {"limit": FAN_OUT_BATCH, "now": now, "topics": topics, "handlers": handlers})
            facts, _deliveries = cursor.fetchone()
        total += facts
        if facts < FAN_OUT_BATCH:
            return total


def deliver(*, now: datetime, limit: int = 500) -> int:
    """Hand up to `limit` due facts to their handlers. Returns how many were done.

    Any number of workers may call it at once. What became due by this round (the next fact of a key) waits for
    the next call: call until it returns 0.
    """
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "limit": limit})
        due = [row[0] for row in cursor.fetchall()]
    return sum(_deliver_one(delivery, now=now) for delivery in due)


def _deliver_one(delivery: int, *, now: datetime) -> bool:
    """One transaction: claim, handler, done. False if another worker has it, or the handler failed."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(CLAIM, {"id": delivery, "now": now})
                claimed = cursor.fetchone()
            if claimed is None:
                return False
            _pk, handler, fact_id = claimed
            fact = Fact.objects.get(pk=fact_id)
            handlers_of(fact.topic)[handler](fact, now)
            Delivery.objects.filter(pk=delivery).update(done_at=now)
        return True
    except Exception as error:  # whatever a handler raises must not stop the other keys
        if isinstance(error, (OperationalError, InterfaceError)) and not _database_is_there():
            raise  # not the handler's fault: the next run goes on where this one was
        _back_off(delivery, error, now=now)
        return False


def _database_is_there() -> bool:
    return connection.connection is not None and connection.is_usable()


def _back_off(delivery: int, error: Exception, *, now: datetime) -> None:
    """10 s, 20 s, 40 s … one hour. Only the exception's class is kept: its text may name a person."""
    name = type(error).__name__
    log.warning("delivery_failed", delivery=delivery, error=name)
    values = {"id": delivery, "error": name, "now": now, "first": FIRST_PAUSE, "longest": LONGEST_PAUSE}
    with connection.cursor() as cursor:
        cursor.execute(FAIL, values)
