"""Rows into a table by COPY: a year of a hospital is millions of them."""

import io
from collections.abc import Iterable, Sequence
from itertools import islice

from django.db import connection

BATCH = 20_000
"""Rows in one COPY: a few megabytes of text at a time."""


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence]) -> int:
    """Write rows of ready values (str, int, bool, date, aware datetime, None); how many there were."""
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'COPY "{table}" ({names}) FROM STDIN'
    written, left = 0, iter(rows)
    with connection.cursor() as cursor:
        while batch := list(islice(left, BATCH)):
            cursor.copy_expert(statement, io.StringIO("".join(map(_line, batch))))
            written += len(batch)
    return written


def copy_models(objects: Sequence, *, without: Sequence[str] = ()) -> int:
    """Unsaved objects of one model, each column as the model's own field prepares it."""
    if not objects:
        return 0
    meta = objects[0]._meta
    fields = [field for field in meta.concrete_fields if field.attname not in without]

    def values(row):
        return [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]

    return copy(meta.db_table, [field.column for field in fields], map(values, objects))


def next_ids(table: str, count: int) -> range:
    """Reserve `count` ids of a table for rows that name each other before they are written. One writer at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        (first,) = cursor.fetchone()
        if count > 1:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first + count - 1])
    return range(first, first + count)


class Ids:
    """Ids one by one, reserved in blocks. What a block has left at the end is a gap, which is harmless."""

    BLOCK = 5_000

    def __init__(self, table: str):
        self.table = table
        self._block = iter(())

    def __next__(self) -> int:
        found = next(self._block, None)
        if found is None:
            self._block = iter(next_ids(self.table, self.BLOCK))
            found = next(self._block)
        return found


def _line(row: Sequence) -> str:
    return "\t".join(map(_word, row)) + "\n"


def _word(value) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        if "\\" in value or "\t" in value or "\n" in value or "\r" in value:
            value = value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
        return value
    return str(value)
