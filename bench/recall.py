"""Bookings while the follow-up job moves the unused numbers of other pools into the public one."""

import time
from collections.abc import Iterator

from django.db import connection, connections

from appointments.services import supply
from bench import booking, load, table
from bench.calls import OURS, Calls
from bench.seed import Ground
from bench.sizes import Sizes
from hospital import clock

CONNECTIONS, EVERY = 8, 0.16  # 50 bookings a second, due by the clock: a slow answer delays none of the others
LONGEST = 60.0  # seconds

DUE = """
WITH chosen AS (
    SELECT s.schedule_id, sum(count(*)) OVER (ORDER BY s.schedule_id) AS so_far
      FROM appointments_slot s
     WHERE s.pool_id = ANY (%(pools)s) AND s.status = 'free' AND s.schedule_id >= %(first)s
     GROUP BY s.schedule_id)
UPDATE appointments_allotment a SET moved_at = NULL
  FROM chosen WHERE chosen.schedule_id = a.schedule_id AND chosen.so_far <= %(numbers)s AND a.pool_id = ANY (%(pools)s)
RETURNING a.schedule_id
"""


def measure(sizes: Sizes, ground: Ground, calls: Calls, port: int) -> list[table.Row]:
    first, last = ground.schedules
    places = range(first + booking.KEPT, last + 1)  # the recall is among them
    calm, during, took, moved = [], [], [], []
    next_first = first + booking.KEPT
    for _round in range(sizes.rounds):
        tally = _load(calls, port, places, seconds=2.5 * sizes.seconds)
        calm.append(tally.percentile(99) * 1000)
        next_first = _make_due(ground, first=next_first, numbers=sizes.recalled) + 1
        tally, began, ended, numbers = _load_beside_recall(calls, port, places)
        # each connection asks again within EVERY: a shorter look, at a recall of a few numbers, could meet none
        during.append(tally.percentile(99, since=min(began, ended - EVERY), until=ended) * 1000)
        took.append(ended - began)
        moved.append(numbers)
    note = (
        f"{1 / EVERY * CONNECTIONS:.0f} bookings/s; {moved} numbers moved in "
        f"{', '.join(f'{each:.1f}' for each in took)} s by supply.follow_up"
    )
    return [
        table.compare(
            "booking p99 during recall ÷ without",
            during,
            calm,
            target=3,
            stretch=1.2,
            better="lower",
            unit="ms",
            note=note,
        )
    ]


def _make_due(ground: Ground, *, first: int, numbers: int) -> int:
    """As if their moment had just come; returns the last schedule."""
    pools = [ground.pools["partner"], ground.pools["consult"]]
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"pools": pools, "first": first, "numbers": numbers})
        return max((row[0] for row in cursor.fetchall()), default=first)


def _load(calls: Calls, port: int, places, *, seconds: float, begun=None, stop=None) -> load.Tally:
    connections.close_all()
    block = int(seconds / EVERY * CONNECTIONS) + CONNECTIONS
    spread = calls.spread(OURS, places, block=block)

    def requests(place: int) -> Iterator[bytes]:
        if begun:
            begun.set()
        return spread(place)

    return load.drive(port, requests, connections=CONNECTIONS, seconds=seconds, every=EVERY, stop=stop)


def _load_beside_recall(calls: Calls, port: int, places):
    """The job runs in a process of its own, as in a Celery worker; the load ends when it has."""
    begun, stop, results = load.FORK.Event(), load.FORK.Event(), load.FORK.Queue()

    def job() -> None:
        begun.wait(LONGEST)
        time.sleep(1)  # every connection has asked a few times
        began = time.monotonic()
        moved = supply.follow_up(now=clock.now())
        results.put((began, time.monotonic(), moved))
        stop.set()

    connections.close_all()
    worker = load.FORK.Process(target=job, daemon=True)
    worker.start()
    tally = _load(calls, port, places, seconds=LONGEST, begun=begun, stop=stop)
    began, ended, moved = results.get(timeout=LONGEST)
    worker.join()
    return tally, began, ended, moved
