"""Bookings a second: over HTTP by the hot endpoint, by the usual way, and by the database alone."""

from django.db import connections

from bench import load, pgbench, table
from bench.calls import OURS, USUAL, Calls
from bench.seed import Ground
from bench.sizes import Sizes

CLIENTS = 8  # as many as the server has threads
KEPT = 10
RELEASE = 2_000  # schedules that are booked at once, about a week of the hospital


def measure(sizes: Sizes, ground: Ground, calls: Calls, port: int) -> list[table.Row]:
    places = released(ground)
    rates = {"ours": [], "usual": [], "pgbench": []}
    script = pgbench.call(ground, schedules=f"random({places[0]}, {places[-1]})", patients=ground.others)
    for way in (OURS, USUAL):
        over_http(way, calls, port, places, seconds=min(2, sizes.seconds))  # threads connect, plans are kept
    notes = []
    for _round in range(sizes.rounds):
        rates["ours"].append(over_http(OURS, calls, port, places, seconds=sizes.seconds, notes=notes))
        rates["usual"].append(over_http(USUAL, calls, port, places, seconds=sizes.seconds))
        rates["pgbench"].append(pgbench.rate(script, clients=CLIENTS, seconds=sizes.seconds))
    more = {"better": "higher", "unit": "/s"}
    note = f"{CLIENTS} keep-alive connections, {len(places)} schedules; {'; '.join(notes)}"
    same = f"{CLIENTS} clients; pgbench -M simple sends the statement as psycopg2 does, literals in place"
    return [
        table.compare(
            "booking over HTTP ÷ the usual way", rates["ours"], rates["usual"], target=4, stretch=8, note=note, **more
        ),
        table.compare(
            "booking over HTTP ÷ pgbench", rates["ours"], rates["pgbench"], target=0.25, stretch=0.5, note=same, **more
        ),
    ]


def released(ground: Ground) -> range:
    """What is booked everywhere; the first ten schedules are kept for single measurements."""
    first, last = ground.schedules
    return range(max(first + KEPT, last - RELEASE + 1), last + 1)


def over_http(way: str, calls: Calls, port: int, places, *, seconds: float, notes: list | None = None) -> float:
    """Bookings a second; refusals don't count."""
    connections.close_all()
    tally = load.drive(port, calls.spread(way, places), connections=CLIENTS, seconds=seconds)
    if notes is not None:
        notes.append(
            f"p50 {tally.percentile(50) * 1000:.1f} ms, p99 {tally.percentile(99) * 1000:.1f} ms, "
            f"client {tally.own_cost * 1e6:.0f} µs a request, {dict(tally.answers)}"
        )
    return tally.rate("201")


def ceiling(calls: Calls, port: int, *, seconds: float) -> tuple[float, float]:
    """(pages a second of /healthz/live, processor seconds of the client a page): what no booking can exceed."""
    connections.close_all()
    tally = load.drive(port, calls.get("/healthz/live"), connections=CLIENTS, seconds=seconds)
    return tally.rate("200"), tally.own_cost
