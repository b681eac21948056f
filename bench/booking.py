"""Bookings a second: over HTTP by the hot endpoint, by the usual way, and by the database alone."""

from statistics import median

from django.db import connection, connections

from bench import load, pgbench, table
from bench.calls import OURS, USUAL, Calls
from bench.processor import Processor
from bench.seed import Ground
from bench.sizes import Sizes

CLIENTS = 8  # as many as the server has threads
KEPT = 10
FASTEST = 2_500  # bookings a second that requests are made for; when they run out, the measurement is over
RELEASE = 2_000  # schedules that are booked at once, about a week of the hospital


def measure(sizes: Sizes, ground: Ground, calls: Calls, port: int, *, processor: Processor) -> list[table.Row]:
    places = released(ground)
    script = pgbench.call(ground, schedules=f"random({places[0]}, {places[-1]})", patients=ground.others)
    ways = {
        "ours": lambda: over_http(OURS, calls, port, places, seconds=sizes.seconds),
        "usual": lambda: over_http(USUAL, calls, port, places, seconds=sizes.seconds),
        "pgbench": lambda: pgbench.rate(script, clients=CLIENTS, seconds=sizes.seconds),
    }
    for way in (OURS, USUAL):
        over_http(way, calls, port, places, seconds=min(2, sizes.seconds))  # threads connect
    _analyze()
    rates = {name: [] for name in ways}
    costs = {name: [] for name in ways}
    for _round in range(sizes.rounds):
        for name, measured in ways.items():
            rate, cost = _with_cost(measured, processor)
            rates[name].append(rate)
            costs[name].append(cost)
    spent = {name: [median(each) * 1000 for each in zip(*pairs, strict=True)] for name, pairs in costs.items()}
    more = {"better": "higher", "unit": "/s"}
    return [
        table.compare(
            "booking over HTTP ÷ the usual way",
            rates["ours"],
            rates["usual"],
            target=4,
            stretch=8,
            note=f"{CLIENTS} keep-alive connections, {len(places)} schedules, {_words(spent, 'ours', 'usual')}",
            **more,
        ),
        table.compare(
            "booking over HTTP ÷ pgbench",
            rates["ours"],
            rates["pgbench"],
            target=0.25,
            stretch=0.5,
            note=f"{CLIENTS} clients, -M simple (as psycopg2 sends it), {_words(spent, 'ours', 'pgbench')}",
            **more,
        ),
    ]


def _analyze() -> None:
    """What was just seeded is known as empty, and plans kept from then read it whole until autovacuum's next minute:
    whether that falls into a measurement is chance. Every hospital but one on its first morning is past it."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE appointments_slot, appointments_appointment, hospital_patienttime, hospital_fact")


def _with_cost(measured, processor: Processor) -> tuple[float, tuple[float, float]]:
    """(bookings a second, processor seconds of web and database a booking)."""
    rows, spent = pgbench.rows(), processor.spent()
    rate = measured()
    made = max(1, pgbench.rows() - rows)
    return rate, tuple((after - before) / made for before, after in zip(spent, processor.spent(), strict=True))


def _words(spent: dict[str, list[float]], *names: str) -> str:
    parts = [f"{name} {spent[name][0]:.2f} + {spent[name][1]:.2f}" for name in names]
    first, second = (sum(spent[name]) for name in names)
    return f"processor ms a booking (web + database): {', '.join(parts)}: ratio {second / max(1e-9, first):.2f}"


def released(ground: Ground) -> range:
    """What is booked everywhere; the first ten schedules are kept for single measurements."""
    first, last = ground.schedules
    return range(max(first + KEPT, last - RELEASE + 1), last + 1)


def over_http(way: str, calls: Calls, port: int, places, *, seconds: float) -> float:
    """Bookings a second; refusals don't count."""
    connections.close_all()
    block = int(seconds * FASTEST)
    tally = load.drive(port, calls.spread(way, places, block=block), connections=CLIENTS, seconds=seconds)
    return tally.rate("201")


def ceiling(calls: Calls, port: int, *, seconds: float) -> tuple[float, float]:
    """(pages a second of /healthz/live, processor seconds of the client a page): what no booking can exceed."""
    connections.close_all()
    tally = load.drive(port, calls.get("/healthz/live"), connections=CLIENTS, seconds=seconds)
    return tally.rate("200"), tally.own_cost
