"""What a loser costs: the look without locks first, against going the whole way before hearing "sold out"."""

import itertools

from django.db import connection, connections

from appointments.services.booking import sql
from bench import booking, load, pgbench, table
from bench.calls import OURS, Calls
from bench.seed import Ground
from bench.server import PROJECT
from bench.sizes import Sizes

CLAIM_FIRST = "book_slot_claim_first"
BLOCK = 20_000


def measure(sizes: Sizes, ground: Ground, calls: Calls, port: int) -> list[table.Row]:
    sold_out = ground.schedules[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE appointments_slot SET status = 'booked', hold_until = NULL WHERE schedule_id = %s", [sold_out]
        )
        cursor.execute(without_the_look())
    script = {
        name: pgbench.call(ground, schedules=str(sold_out), patients=ground.others, function=name)
        for name in ("book_slot", CLAIM_FIRST)
    }
    rates = {"book_slot": [], CLAIM_FIRST: [], "lost": [], "booked": []}
    places = booking.released(ground)
    for _round in range(sizes.rounds):
        for name in ("book_slot", CLAIM_FIRST):
            rates[name].append(
                pgbench.rate(script[name], clients=booking.CLIENTS, seconds=sizes.seconds / 2, booked=False)
            )
        rates["lost"].append(_lost_over_http(calls, port, sold_out, seconds=sizes.seconds))
        rates["booked"].append(booking.over_http(OURS, calls, port, places, seconds=sizes.seconds))
    more = {"target": 1.7, "better": "higher", "unit": "/s"}
    return [
        table.compare(
            "losers in SQL: plain read first ÷ claim first",
            rates["book_slot"],
            rates[CLAIM_FIRST],
            note="the same function with step 2 cut out as reference",
            **more,
        ),
        table.compare(
            "losers over HTTP ÷ full path",
            rates["lost"],
            rates["booked"],
            stretch=14,
            note="the full path is all that a booking does; the stretch would take a flag in front of Django",
            **more,
        ),
    ]


def without_the_look() -> str:
    """book_slot under another name, its step 2 cut out of the very text that is installed."""
    text = (PROJECT / "appointments/sql/book_slot.sql").read_text()
    before, _step, rest = text.partition("    -- 2. ")
    _look, third, after = rest.partition("    -- 3. ")
    if not (_step and third):
        raise SystemExit("book_slot.sql has no steps 2 and 3 any more: bench/losers.py cuts there.")
    return (before + third + after).replace("book_slot", CLAIM_FIRST)


def _lost_over_http(calls: Calls, port: int, schedule: int, *, seconds: float) -> float:
    run = next(calls.keys)
    patients = calls.ground.patients

    def requests(_n):
        people = itertools.cycle(range(patients[0], patients[1] + 1))
        return (calls.request(OURS, schedule, patient, f"l{run}-{patient}") for patient in people)

    connections.close_all()
    tally = load.drive(port, requests, connections=booking.CLIENTS, seconds=seconds)
    return tally.rate(f"409 {sql.errors.SoldOut.code}")
