"""放号: what opens by its moment, counted and told. Booking never waits for it: the claim reads `opens_at` itself.

The job marks what has opened, tells who waits for a number (supply.released), and leaves in its JobRun how many
numbers became bookable, by moment, department and kind of pool: that is what the release calendar shows of the past.
"""

from collections import Counter, defaultdict
from datetime import datetime

from django.db import connection, transaction

from appointments.models import JobRun
from hospital import clock, outbox

from . import runs

BATCH = 1_000
"""Allotments in one transaction; a whole house's day is about three thousand."""

RELEASED = "supply.released"

DUE = """
SELECT a.opens_at, a.schedule_id, array_agg(a.id)
  FROM appointments_allotment a
 WHERE a.opened_at IS NULL AND a.opens_at <= %(now)s
 GROUP BY a.opens_at, a.schedule_id
 ORDER BY a.opens_at, a.schedule_id
"""

CLAIM = """
SELECT a.id, a.opens_at, a.schedule_id, a.department_id, p.kind, a.pool_id
  FROM appointments_allotment a JOIN appointments_pool p ON p.id = a.pool_id
 WHERE a.id = ANY (%(ids)s) AND a.opened_at IS NULL AND a.opens_at <= %(now)s
 ORDER BY a.opens_at, a.schedule_id, a.id
   FOR NO KEY UPDATE OF a SKIP LOCKED
"""

COUNT = """
SELECT s.schedule_id, s.pool_id, count(*)
  FROM appointments_slot s
 WHERE s.schedule_id = ANY (%(schedules)s) AND s.status IN ('free', 'resting')
 GROUP BY s.schedule_id, s.pool_id
"""
"""A stopped schedule has none: its numbers are blocked."""


def release(*, now: datetime) -> int:
    """Mark what is open by its moment. Returns how many numbers became bookable.

    In the order of the moments, BATCH allotments a transaction: `opened_at`, one fact `supply.released` per schedule
    and moment with the counts, and the JobRun's sum commit together. Twice is once, days late is once and in order.
    """
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now})
        due = cursor.fetchall()
    if not due:
        return 0
    opened: dict[str, dict[str, Counter]] = defaultdict(lambda: defaultdict(Counter))
    with runs.start(JobRun.Job.RELEASE, due_at=due[0][0], now=now) as run:
        for ids in _batches(due):
            _open(ids, now=now, run=run, opened=opened)
    return run.total


def _batches(due: list[tuple[datetime, int, list[int]]]):
    """Schedules whole, so that each has one fact of a moment."""
    batch: list[int] = []
    for _moment, _schedule, ids in due:
        if batch and len(batch) + len(ids) > BATCH:
            yield batch
            batch = []
        batch += ids
    if batch:
        yield batch


@transaction.atomic
def _open(ids: list[int], *, now: datetime, run: runs.Run, opened: dict) -> None:
    """One batch. Claimed first: of two workers only one opens an allotment and writes its fact."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"ids": ids, "now": now})
        claimed = cursor.fetchall()
        if not claimed:
            return
        cursor.execute(COUNT, {"schedules": sorted({row[2] for row in claimed})})
        free = {(schedule, pool): count for schedule, pool, count in cursor.fetchall()}
        cursor.execute(
            "UPDATE appointments_allotment SET opened_at = %s WHERE id = ANY (%s)", [now, [row[0] for row in claimed]]
        )
    facts: dict[tuple[datetime, int], Counter] = defaultdict(Counter)
    for _id, moment, schedule, department, kind, pool in claimed:
        if count := free.get((schedule, pool), 0):
            facts[moment, schedule][kind] += count
            opened[moment.astimezone(clock.ZONE).isoformat()][str(department)][kind] += count
    if facts:
        _tell(facts, now=now)
        run.moved(sum(count.total() for count in facts.values()), opened)


def _tell(facts: dict[tuple[datetime, int], Counter], *, now: datetime) -> None:
    """In the order of the moments. What opened without a number is nobody's news, and no run's work."""
    said = [
        (f"schedule:{schedule}", {"schedule": schedule, "pools": dict(pools)})
        for (_moment, schedule), pools in facts.items()
    ]
    outbox.publish_many(topic=RELEASED, facts=said, now=now)
