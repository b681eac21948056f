"""A release: numbers whose moment has come are marked, counted and told by the job, while nobody waits for it."""

import time

from django.db import connection

from appointments.services import releasing
from bench import table
from bench.seed import Ground
from bench.sizes import Sizes
from hospital import clock

QUICK = 10  # seconds

DUE = """
WITH chosen AS (
    SELECT s.schedule_id, sum(count(*)) OVER (ORDER BY s.schedule_id) AS so_far
      FROM appointments_slot s
     WHERE s.pool_id = %(public)s AND s.status = 'free' AND s.schedule_id > %(after)s
     GROUP BY s.schedule_id)
UPDATE appointments_allotment a SET opened_at = NULL, opens_at = %(moment)s
  FROM chosen WHERE chosen.schedule_id = a.schedule_id AND chosen.so_far <= %(numbers)s AND a.pool_id = %(public)s
RETURNING a.schedule_id
"""


def measure(sizes: Sizes, ground: Ground) -> list[table.Row]:
    seconds, numbers, openings = [], [], []
    after = ground.schedules[0]
    for _round in range(sizes.rounds):
        chosen = _make_due(ground, after=after, numbers=sizes.recalled)
        began = time.monotonic()
        numbers.append(releasing.release(now=clock.now()))
        seconds.append(time.monotonic() - began)
        openings.append(len(chosen))
        after = max(chosen)
    note = f"{numbers} numbers of {openings} half-days marked and told by releasing.release; bookable without it"
    return [table.measured("release: numbers become bookable", seconds, target=QUICK, unit="s", note=note)]


def _make_due(ground: Ground, *, after: int, numbers: int) -> list[int]:
    """As if their moment had just come; returns the schedules."""
    public, moment = ground.pools["public"], clock.now()
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"public": public, "after": after, "numbers": numbers, "moment": moment})
        chosen = [row[0] for row in cursor.fetchall()]
        cursor.execute("ANALYZE appointments_allotment")
    if not chosen:
        raise SystemExit("release: no number is left to be released")
    return chosen
