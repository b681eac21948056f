"""What is measured, in which order."""

import time
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection, connections

from bench import booking, crowd, generate, losers, recall, search, server, table
from bench.calls import Calls
from bench.processor import Processor
from bench.scratch import Scratch
from bench.seed import fill
from bench.sizes import Sizes
from hospital import clock

MEASURES = ("booking", "losers", "crowd", "recall", "generate", "search")


def run(sizes: Sizes, scratch: Scratch, *, small: str, only: set[str]) -> tuple[list[table.Row], dict]:
    """All rows, and what the machine was. `only` names some of MEASURES; empty means all."""
    wanted = [name for name in MEASURES if not only or name in only]
    with told("migrate"):
        call_command("migrate", verbosity=0)
    with told(f"seed {sizes.schedules * sizes.numbers:,} numbers, {sizes.patients:,} patients"):
        ground = fill(sizes, today=clock.today(clock.now()))
    about = {"settings": _settings()}
    rows = []
    if "search" in wanted:
        connections.close_all()
        with told(f"a copy with {sizes.history} × the numbers"):
            large = search.grow(scratch, of=small)
        with told("search"):
            rows += search.measure(sizes, scratch, small=small, large=large)
    calls = Calls(ground)
    with server.running() as (port, pid):
        pages, cost = booking.ceiling(calls, port, seconds=min(2, sizes.seconds))
        about |= {"live_pages_per_second": round(pages), "client_us_per_page": round(cost * 1e6)}
        for measurement in (booking, losers, crowd, recall):
            name = measurement.__name__.rpartition(".")[2]
            if name in wanted:
                with told(name):
                    more = {"processor": Processor(pid)} if measurement is booking else {}
                    rows += measurement.measure(sizes, ground, calls, port, **more)
    if "generate" in wanted:
        with told("generate"):
            rows += generate.measure(sizes, ground)
    return rows, about


@contextmanager
def told(what: str):
    began = time.monotonic()
    print(f"{what} …", flush=True)
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def _settings() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(name || ' ' || setting, ', ' ORDER BY name) FROM pg_settings WHERE name IN"
            " ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers')"
        )
        return cursor.fetchone()[0]
