"""号源流转: what follows from time alone. Recall of unused numbers to the public pool, and the end of expired holds.

Both are exact without these jobs: the claim reads Allotment and `hold_until` itself. The jobs move the rows for the
figures, wake who waits for a number, and so may come late, twice, or after days without harm.
"""

from collections import Counter
from datetime import datetime

from django.db import connection, transaction

from appointments.models import JobRun
from hospital import outbox

from . import runs

BATCH = 1_000
"""Numbers in one transaction. One UPDATE for all pushes booking's p99 to 2 s, batches leave it at 6–10 ms."""

PASSES = 2
"""Once more at the end, for what was locked by a booking the first time; the rest waits for the next minute."""

SHARED = "supply.shared"

DUE = """
SELECT a.schedule_id, count(s.id), min(a.shared_from)
  FROM appointments_allotment a
  LEFT JOIN appointments_slot s
    ON s.schedule_id = a.schedule_id AND s.pool_id = a.pool_id AND s.status IN ('free', 'resting')
 WHERE a.moved_at IS NULL AND a.shared_from <= %(now)s
 GROUP BY a.schedule_id
 ORDER BY min(a.shared_from), a.schedule_id
"""

CLAIM_ALLOTMENTS = """
SELECT a.id, a.schedule_id, a.pool_id, own.kind, public.id
  FROM appointments_allotment a
  JOIN hospital_department d ON d.id = a.department_id
  JOIN appointments_pool own ON own.id = a.pool_id
  JOIN appointments_pool public
    ON public.organization_id = d.organization_id AND public.kind = 'public' AND public.partner_id IS NULL
 WHERE a.schedule_id = ANY (%(schedules)s) AND a.moved_at IS NULL AND a.shared_from <= %(now)s
 ORDER BY a.shared_from, a.schedule_id, a.id
   FOR NO KEY UPDATE OF a SKIP LOCKED
"""

LOCK_NUMBERS = """
SELECT s.id, s.schedule_id, s.pool_id
  FROM appointments_slot s
 WHERE s.schedule_id = ANY (%(schedules)s) AND s.pool_id = ANY (%(pools)s) AND s.status IN ('free', 'resting')
 ORDER BY s.id
   FOR NO KEY UPDATE OF s SKIP LOCKED
"""

COUNT_NUMBERS = """
SELECT s.schedule_id, s.pool_id, count(*)
  FROM appointments_slot s
 WHERE s.schedule_id = ANY (%(schedules)s) AND s.pool_id = ANY (%(pools)s) AND s.status IN ('free', 'resting')
 GROUP BY s.schedule_id, s.pool_id
"""

MOVE_NUMBERS = """
UPDATE appointments_slot s SET pool_id = target.pool
  FROM unnest(%(ids)s::bigint[], %(targets)s::bigint[]) AS target (id, pool)
 WHERE s.id = target.id
"""


def follow_up(*, now: datetime) -> int:
    """Move the free numbers of shared pools into the public pool. Returns how many numbers moved.

    In the order of their moments, about BATCH numbers a transaction, each schedule whole: its numbers, `moved_at`,
    one fact `supply.shared` with the counts and what the JobRun has done commit together. A schedule that somebody
    is booking at this instant is left for the second pass or the next run.
    """
    due = _due(now=now)
    if not due:
        return 0
    with runs.start(JobRun.Job.RECALL, due_at=due[0][2], now=now) as run:
        for once_more in range(PASSES):
            for schedules in _batches(_due(now=now) if once_more else due):
                _share(schedules, now=now, run=run)
    return run.total


def _due(*, now: datetime) -> list[tuple[int, int, datetime]]:
    """(schedule, free numbers, moment), the earliest moment first."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now})
        return cursor.fetchall()


def _batches(due: list[tuple[int, int, datetime]]):
    """Whole schedules, up to BATCH numbers together (and as many schedules, when they have none left)."""
    batch, numbers = [], 0
    for schedule, count, _moment in due:
        if batch and (numbers + count > BATCH or len(batch) >= BATCH):
            yield batch
            batch, numbers = [], 0
        batch.append(schedule)
        numbers += count
    if batch:
        yield batch


@transaction.atomic
def _share(schedules: list[int], *, now: datetime, run: runs.Run) -> None:
    """One batch. The allotments are claimed first: of two workers only one moves a schedule and writes its fact."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_ALLOTMENTS, {"schedules": schedules, "now": now})
        claimed = cursor.fetchall()
        if not claimed:
            return
        targets = {(schedule, pool): public for _id, schedule, pool, _kind, public in claimed}
        where = {"schedules": sorted({schedule for schedule, _pool in targets}), "pools": [row[2] for row in claimed]}
        cursor.execute(LOCK_NUMBERS, where)
        locked: dict[tuple[int, int], list[int]] = {place: [] for place in targets}
        for slot, schedule, pool in cursor.fetchall():
            if (schedule, pool) in targets:
                locked[schedule, pool].append(slot)
        cursor.execute(COUNT_NUMBERS, where)
        standing = {(schedule, pool): count for schedule, pool, count in cursor.fetchall()}
        whole = _whole_schedules(targets, locked, standing)
        ready = [row for row in claimed if row[1] in whole]
        ids = [(slot, row[4]) for row in ready for slot in locked[row[1], row[2]]]
        if ids:
            slots, pools = zip(*ids, strict=True)
            cursor.execute(MOVE_NUMBERS, {"ids": list(slots), "targets": list(pools)})
        cursor.execute(
            "UPDATE appointments_allotment SET moved_at = %s WHERE id = ANY (%s)", [now, [row[0] for row in ready]]
        )
    _tell(ready, locked, now=now)
    if ids:
        run.moved(len(ids))


def _whole_schedules(targets, locked, standing) -> set[int]:
    """Schedules of which we hold every number that is to move."""
    busy = {place[0] for place in targets if standing.get(place, 0) != len(locked[place])}
    return {schedule for schedule, _pool in targets} - busy


def _tell(ready, locked, *, now: datetime) -> None:
    """One fact per schedule, in the order of the moments: how many numbers each kind of pool gave up, and each pool."""
    kinds: dict[int, Counter] = {}
    numbers: dict[int, dict[int, int]] = {}
    for _id, schedule, pool, kind, _public in ready:
        kinds.setdefault(schedule, Counter())[kind] += len(locked[schedule, pool])
        numbers.setdefault(schedule, {})[pool] = len(locked[schedule, pool])
    if kinds:
        facts = [
            (f"schedule:{schedule}", {"schedule": schedule, "pools": pools, "numbers": numbers[schedule]})
            for schedule, pools in kinds.items()
        ]
        outbox.publish_many(topic=SHARED, facts=facts, now=now)


EXPIRED = """
SELECT a.id FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id
 WHERE a.status = 'pending' AND s.status = 'held' AND s.hold_until <= %(now)s AND a.id > %(after)s
 ORDER BY a.id LIMIT %(limit)s
"""

LOCK_SLOTS = """
SELECT s.id FROM appointments_slot s
 WHERE s.id IN (SELECT slot_id FROM appointments_appointment WHERE id = ANY (%(ids)s))
   AND s.status = 'held' AND s.hold_until <= %(now)s
 ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED
"""

LOCK_PATIENTS = """
SELECT p.id FROM hospital_patient p
 WHERE p.id IN (SELECT patient_id FROM appointments_appointment WHERE id = ANY (%(ids)s) AND slot_id = ANY (%(slots)s))
 ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED
"""

LAPSE = """
SELECT booking_lapse(a.id, a.slot_id, %(now)s)
  FROM (SELECT id, slot_id FROM appointments_appointment
         WHERE id = ANY (%(ids)s) AND slot_id = ANY (%(slots)s) AND patient_id = ANY (%(patients)s)
           AND status = 'pending'
         ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) a
"""

LAPSE_BATCH = 200


def lapse_holds(*, now: datetime) -> int:
    """Let go of every hold whose time has passed; the same act as when a booking takes such a number over.

    Waits for nobody (slot, patient, appointment, each with SKIP LOCKED): whoever is being served right now is left
    for the next minute. Returns how many were let go; each leaves a fact `appointment.lapsed`.
    """
    lapsed = after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(EXPIRED, {"now": now, "after": after, "limit": LAPSE_BATCH})
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return lapsed
        lapsed += _lapse(ids, now=now)
        after = ids[-1]


@transaction.atomic
def _lapse(ids: list[int], *, now: datetime) -> int:
    held = {"ids": ids, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(LOCK_SLOTS, held)
        held["slots"] = [row[0] for row in cursor.fetchall()]
        cursor.execute(LOCK_PATIENTS, held)
        held["patients"] = [row[0] for row in cursor.fetchall()]
        cursor.execute(LAPSE, held)
        count = len(cursor.fetchall())
    if count:
        transaction.on_commit(outbox.wake, robust=True)
    return count
