"""The API under load in the large hospital: bookings a second beside those of the small one, and the crowd at 07:00."""

from dataclasses import asdict

from bench import apart, table
from bench.scratch import Scratch
from bench.sizes import Sizes, chosen

FIRST_PART, PART = 0.63, 0.1  # of the patients: those before are booked for by the other measurements
KEPT = 0.8  # of the small hospital's bookings a second


def measure(sizes: Sizes, scratch: Scratch, *, small: str, large: str) -> list[table.Row]:
    """`small` has the numbers ahead and the patients, `large` a past and a year of visits besides."""
    rates: dict[str, list[dict]] = {large: [], small: []}
    for round_ in range(sizes.rounds):
        for name in (large, small):
            rates[name].append(apart.run(scratch.url(name), "large", "rate", FIRST_PART + PART * round_))
    ours, reference = ([each["rate"] for each in rates[name]] for name in (large, small))
    cost = " ".join(
        f"{name} {min(each['ms'] for each in rates[of]):.2f}" for name, of in (("large", large), ("small", small))
    )
    return [
        table.compare(
            f"booking over HTTP: {sizes.history} × numbers and a year of visits ÷ without",
            ours, reference, target=KEPT, stretch=1, better="higher", unit="/s",
            note=f"each with a server of its own; processor ms of web and database a booking, best round: {cost}",
        ),
        *(table.Row(**row) for row in apart.run(scratch.url(large), "large", "crowd")),
    ]  # fmt: skip


def rate(part: float) -> dict:
    """Bookings a second by the hot endpoint, and what one took of the processor."""
    from bench import booking, pgbench, seed, server
    from bench.calls import OURS, Calls
    from bench.processor import Processor

    sizes, ground = chosen(), seed.find()
    calls = Calls(ground, part=part)
    with server.running() as (port, pid):
        places, processor = booking.released(ground), Processor(pid)
        booking.over_http(OURS, calls, port, places, seconds=min(2, sizes.seconds))  # plans and schedules are kept
        rows, spent = pgbench.rows(), sum(processor.spent())
        found = booking.over_http(OURS, calls, port, places, seconds=sizes.seconds)
        made = max(1, pgbench.rows() - rows)
        return {"rate": found, "ms": (sum(processor.spent()) - spent) * 1000 / made}


def crowd() -> list[dict]:
    """Five thousand for two hundred numbers."""
    from bench import crowd as rush
    from bench import seed, server
    from bench.calls import Calls

    sizes, ground = chosen(), seed.find()
    with server.running() as (port, _pid):
        rows = rush.flash_crowd(sizes, ground, Calls(ground), port)
    return [asdict(row) | {"name": f"{row.name}, large"} for row in rows]
