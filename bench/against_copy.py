"""Laying out ninety days from the templates, against COPY of the very rows that this wrote, some weeks later.

In rounds, each a transaction of COPY. Both fill the same tables with the same keys, indexes, exclusions and triggers;
COPY has nothing to plan, to decide or to compute, and knows every id beforehand.
"""

import tempfile
import time
from datetime import date, timedelta

from django.db import connection, transaction

from appointments.services import planning
from bench import table
from bench.sizes import Sizes
from hospital import clock
from hospital.models import Organization

TARGET = 0.3
IDS = 10**9
"""Ids of the copy lie so far above those of the original."""

TABLES = ("appointments_schedule", "appointments_scheduleparticipant", "appointments_slot", "appointments_allotment")

SHIFTED = {
    "date": "{name} + {days}",
    "timestamp with time zone": "{name} + interval '{days} days'",
    "tstzrange": "tstzrange(lower({name}) + interval '{days} days', upper({name}) + interval '{days} days')",
}


def measure(sizes: Sizes, organization: Organization, first: date) -> table.Row:
    """Needs the templates of bench.generate. Days are laid out once each, from `first` on."""
    days, ours, copied, rows = sizes.generated_days, [], [], 0
    for round_ in range(sizes.rounds):
        began = time.perf_counter()
        planning.lay_out(
            organization=organization, first_day=first, last_day=first + timedelta(days=days - 1), now=clock.now()
        )
        took = time.perf_counter() - began
        rows, seconds = _copy(first, days, offset=IDS * (round_ + 1))
        ours.append(rows / took)
        copied.append(rows / seconds)
        first += timedelta(days=2 * days)
    note = (
        f"{sizes.rounds} × {days} days of {sizes.doctors} doctors, each {rows:,} rows of four tables, planned and laid"
        f" out in {rows / ours[-1]:.1f} s; COPY of the same rows {rows / copied[-1]:.1f} s"
    )
    return table.compare(
        "generate 90 days ÷ COPY of the same rows", ours, copied, target=TARGET, stretch=1, better="higher", unit="/s",
        note=note,
    )  # fmt: skip


def _copy(first: date, days: int, *, offset: int) -> tuple[int, float]:
    """The rows of these days once more, `days` later. Returns (rows, seconds of writing)."""
    with tempfile.TemporaryDirectory() as folder:
        files = [(name, f"{folder}/{name}") for name in TABLES]
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")  # each table is one statement
            for name, path in files:
                with open(path, "wb") as file:
                    cursor.copy_expert(_shifted(cursor, name, first, days, offset), file)
            began, rows = time.perf_counter(), 0
            with transaction.atomic():
                for name, path in files:
                    with open(path, "rb") as file:
                        cursor.copy_expert(f"COPY {name} ({', '.join(_columns(cursor, name))}) FROM STDIN", file)
                    rows += cursor.rowcount
            return rows, time.perf_counter() - began


def _columns(cursor, name: str) -> dict[str, str]:
    """Name → type, in the table's order."""
    cursor.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [name],
    )
    return dict(cursor.fetchall())


def _shifted(cursor, name: str, first: date, days: int, offset: int) -> str:
    said = []
    for column, kind in _columns(cursor, name).items():
        own = column == "id" or (column == "schedule_id" and name != "appointments_schedule")
        said.append(
            f"r.{column} + {offset}" if own else SHIFTED.get(kind, "{name}").format(name=f"r.{column}", days=days)
        )
    schedules = (
        "SELECT id FROM appointments_schedule WHERE template_id IS NOT NULL"
        f" AND day BETWEEN '{first}' AND '{first + timedelta(days=days - 1)}'"
    )
    key = "id" if name == "appointments_schedule" else "schedule_id"
    return f"COPY (SELECT {', '.join(said)} FROM {name} r WHERE r.{key} IN ({schedules}) ORDER BY r.id) TO STDOUT"
