"""One worker at a time for one piece of work, however many wake: whoever dies lets go with his connection."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(kind: int, pk: int) -> Iterator[bool]:
    """Whether it is ours. `kind` is the number of the sort of work, `pk` the row that it belongs to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind, pk])
        mine = cursor.fetchone()[0]
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind, pk])
