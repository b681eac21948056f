"""07:00: thousands want a few hundred numbers at once; and one person with fifty requests at once."""

from collections import Counter
from statistics import median

from django.db import connection, connections

from bench import load, table
from bench.calls import OURS, Calls
from bench.seed import Ground
from bench.sizes import Sizes

PROCESSES = 2
AT_ONCE = 50
WEEK = 7
LIMIT_OF_A_WEEK = 3
EXPECTED = {"201", "409 sold_out", "503 busy"}

REFILL = """
DELETE FROM appointments_slot WHERE schedule_id = %(schedule)s;
INSERT INTO appointments_slot (schedule_id, number, start, minutes, pool_id, status)
SELECT s.id, n, s.starts_at + n * interval '1 minute', 1, %(pool)s, 'free'
  FROM appointments_schedule s, generate_series(1, %(numbers)s) n WHERE s.id = %(schedule)s
"""
SOLD = """
SELECT count(*), count(DISTINCT slot_id) FROM appointments_appointment
 WHERE schedule_id = %s AND status <> 'cancelled'
"""
A_WEEK = """
SELECT id FROM appointments_schedule
 WHERE day BETWEEN (SELECT min(day) + %(first)s::int FROM appointments_schedule)
               AND (SELECT min(day) + %(first)s::int + 6 FROM appointments_schedule)
 ORDER BY random() LIMIT %(count)s
"""
LIVE = """
SELECT count(*) FROM appointments_appointment
 WHERE patient_id = %s AND schedule_id = ANY (%s) AND status <> 'cancelled'
"""


def measure(sizes: Sizes, ground: Ground, calls: Calls, port: int) -> list[table.Row]:
    return [*flash_crowd(sizes, ground, calls, port), one_person(sizes, calls, port)]


def flash_crowd(sizes: Sizes, ground: Ground, calls: Calls, port: int) -> list[table.Row]:
    """Every request is of another patient; busy ones come again after a second, as they are told."""
    sold, errors, seconds, losers, heard = [], 0, [], [], Counter()
    for round_ in range(sizes.rounds):
        schedule = ground.schedules[0] + 1 + round_
        with connection.cursor() as cursor:
            cursor.execute(REFILL, {"schedule": schedule, "pool": ground.pools["public"], "numbers": sizes.prize})
        crowd = calls.spread(OURS, [schedule], processes=PROCESSES, block=sizes.crowd // PROCESSES)
        connections.close_all()
        tally = load.drive(port, crowd, connections=sizes.connections, processes=PROCESSES)
        with connection.cursor() as cursor:
            cursor.execute(SOLD, [schedule])
            rows, numbers = cursor.fetchone()
        sold.append(numbers if rows == numbers == tally.answers["201"] else -1)
        errors += sum(count for answer, count in tally.answers.items() if answer not in EXPECTED)
        errors += sizes.crowd - tally.answers["201"] - tally.answers["409 sold_out"]
        heard += tally.answers
        seconds.append(max(tally.won) - tally.started)
        losers.append(tally.answers["409 sold_out"] / tally.seconds)
    note = (
        f"{sizes.crowd:,} requests from {sizes.connections} connections for {sizes.prize} numbers: sold out after "
        f"{median(seconds):.2f} s; {median(losers):,.0f} losers/s; heard in all: {dict(heard)}"
    )
    exact = all(each == sizes.prize for each in sold)
    return [
        table.Row(
            "flash crowd: numbers sold",
            sold[0] if exact else min(sold),
            sizes.prize,
            1.0 if exact else 0.0,
            target=1,
            better="higher",
            note=note,
        ),
        table.exactly("flash crowd: errors", errors, 0, better="lower"),
    ]


def one_person(sizes: Sizes, calls: Calls, port: int) -> table.Row:
    """Fifty requests of one patient for fifty schedules of one week, all sent at once."""
    over, answers = 0, []
    for round_ in range(sizes.storms):
        (patient,) = calls.patients(1)
        with connection.cursor() as cursor:
            cursor.execute(A_WEEK, {"first": round_ % 3, "count": AT_ONCE})
            schedules = [row[0] for row in cursor.fetchall()]
        requests = [calls.request(OURS, each, patient, f"s{round_}-{patient}-{each}") for each in schedules]
        connections.close_all()
        load.drive(port, lambda _n, all_=requests: iter(all_), connections=len(requests))
        with connection.cursor() as cursor:
            cursor.execute(LIVE, [patient, schedules])
            live = cursor.fetchone()[0]
        over += max(0, live - LIMIT_OF_A_WEEK)
        answers.append(live)
    note = f"{sizes.storms} rounds of {AT_ONCE}; booked in each: {answers}"
    return table.exactly("one patient, 50 at once: over the limit", over, 0, better="lower", note=note)
