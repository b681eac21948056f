"""What is measured, in which order."""

import time
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection

from bench import booking, server, table
from bench.calls import Calls
from bench.scratch import Scratch
from bench.seed import Ground, fill
from bench.sizes import Sizes
from hospital import clock


def run(sizes: Sizes, scratch: Scratch, *, only: set[str]) -> tuple[list[table.Row], dict]:
    """All rows, and what the machine was. `only` names measurements; empty means all."""
    wanted = lambda name: not only or name in only  # noqa: E731
    with told("migrate"):
        call_command("migrate", verbosity=0)
    with told(f"seed {sizes.schedules * sizes.numbers:,} numbers, {sizes.patients:,} patients"):
        ground = fill(sizes, today=clock.today(clock.now()))
    calls = Calls(ground)
    rows = []
    with server.running() as port:
        pages, cost = booking.ceiling(calls, port, seconds=min(2, sizes.seconds))
        print(f"client: {pages:,.0f} pages/s of /healthz/live, {cost * 1e6:.0f} µs of the client's processor a page")
        if wanted("booking"):
            with told("booking"):
                rows += booking.measure(sizes, ground, calls, port)
    return rows, {"settings": _settings(), "live_pages_per_second": round(pages), "client_us": round(cost * 1e6)}


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
