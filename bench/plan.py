"""What is measured, in which order."""

import os
import time
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection, connections

from bench import (
    billing,
    booking,
    crowd,
    exams,
    generate,
    large,
    losers,
    month,
    pages,
    past,
    planners,
    proposals,
    recall,
    reconcile,
    referrals,
    release,
    search,
    server,
    table,
)
from bench.calls import Calls
from bench.processor import Processor
from bench.scratch import Scratch
from bench.seed import Ground, fill
from bench.sizes import Sizes
from hospital import clock

MEASURES = (
    "booking",
    "losers",
    "crowd",
    "recall",
    "release",
    "generate",
    "search",
    "pages",
    "large",
    "exams",
    "planners",
    "referrals",
    "billing",
    "reconcile",
    "month",
)
ON_A_PAST = {"search", "pages", "large"}


def run(sizes: Sizes, scratch: Scratch, *, small: str, only: set[str]) -> tuple[list[table.Row], dict]:
    """All rows, and what the machine was. `only` names some of MEASURES; empty means all."""
    wanted = [name for name in MEASURES if (not only or name in only) and (name != "month" or sizes.month)]
    if not os.environ.get("BENCH_TEMPLATE"):  # a database that is migrated already, for the test of the bench
        with told("migrate"):
            call_command("migrate", verbosity=0)
    if "pages" in wanted:
        connections.close_all()
        scratch.make("pages", template=small)
    if "month" in wanted:
        connections.close_all()
        scratch.make("month", template=small)
    with told(f"seed {sizes.schedules * sizes.numbers:,} numbers, {sizes.patients:,} patients"):
        ground = fill(sizes, today=clock.today(clock.now()))
    about = {"settings": _settings()}
    rows = []
    if "exams" in wanted:
        with told("exams"):
            rows += exams.measure(sizes)
    if ON_A_PAST & set(wanted):
        connections.close_all()
        rows += _with_a_past(sizes, scratch, small=small, wanted=wanted)
    if "month" in wanted:
        with told("month"):
            rows += month.measure(scratch)
    if "planners" in wanted:
        with told("planners"):
            rows += planners.measure(sizes, ground)
            rows += proposals.measure(sizes, ground)
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
    return rows + _at_the_end(sizes, ground, wanted=wanted), about


def _at_the_end(sizes: Sizes, ground: Ground, *, wanted: list[str]) -> list[table.Row]:
    """What fills the hospital for good."""
    rows = []
    for measurement in (release, generate, referrals, billing, reconcile):
        name = measurement.__name__.rpartition(".")[2]
        if name in wanted:
            with told(name):
                rows += measurement.measure(sizes, ground)
    return rows


def _with_a_past(sizes: Sizes, scratch: Scratch, *, small: str, wanted: list[str]) -> list[table.Row]:
    """What is measured in a copy that has days and visits behind it."""
    with told(f"a copy with {sizes.history} × the numbers"):
        name, rows = past.copy_of(scratch, small, "grow"), []
    if "search" in wanted:
        with told("search"):
            rows += search.measure(sizes, scratch, small=small, large=name)
    if {"pages", "large"} & set(wanted):
        with told(f"{sizes.visits:,} visits in it"):
            past.run(scratch.url(name), "live")
    if "pages" in wanted:
        with told("pages"):
            rows += pages.measure(sizes, scratch, large=name, small=scratch.named("pages"))
    if "large" in wanted:
        with told("large"):
            rows += large.measure(sizes, scratch, small=small, large=name)
    return rows


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
