"""python -m bench: measure, print the table, write results.json. Fails nothing; BENCH_SIZE=tiny, BENCH_ONLY=booking."""

import os
import platform
import sys
import time
from datetime import UTC, datetime

import django

from bench.scratch import Scratch
from bench.sizes import chosen


def main() -> int:
    """Scratch databases, the server, one measurement after another."""
    os.environ.setdefault("HOSPITAL_DEMO", "1")  # plain http on this machine
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    scratch = Scratch(os.environ["DATABASE_URL"])
    try:
        small = scratch.make("small", template=os.environ.get("BENCH_TEMPLATE") or None)
        os.environ["DATABASE_URL"] = scratch.url(small)
        django.setup()
        return measure(scratch, small)
    finally:
        from django.db import connections

        connections.close_all()
        scratch.throw_away()


def measure(scratch: Scratch, small: str) -> int:
    """Django is set up: only now its models can be imported."""
    from bench import table
    from bench.plan import run

    began = time.monotonic()
    sizes = chosen()
    only = set(filter(None, os.environ.get("BENCH_ONLY", "").split(",")))
    rows, about = run(sizes, scratch, small=small, only=only)
    about |= {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    print(table.as_text(rows))
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    table.write(rows, about=about)
    return 0


if __name__ == "__main__":
    sys.exit(main())
