"""运行记录: what a job did, told batch by batch in the batch's own transaction, so that a killed run shows its part.

    with runs.start(JobRun.Job.RECALL, due_at=earliest_moment, now=now) as run:   # only when something is due
        with transaction.atomic():
            ...
            run.moved(240)

A run in progress holds an advisory lock on its own row's number for as long as its connection lives: the page tells
a run that goes on from one that was killed by asking PostgreSQL, without waiting for a time-out.
"""

import time
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import F

from appointments.models import JobRun
from appointments.selectors.runs import LOCKED


class Run:
    """One run under way; `row` is what is written of it, `total` what was told so far."""

    def __init__(self, row: JobRun):
        self.row, self.key = row, row.pk % 2**31
        self.total, self._told = 0, False
        self._began = time.monotonic()

    def moved(self, count: int, detail: dict | None = None) -> None:
        """`count` more are done. Call it in the transaction that does them. `detail` replaces what was said before."""
        self.total, self._told = self.total + count, True
        said = {} if detail is None else {"detail": detail}
        JobRun.objects.filter(pk=self.row.pk).update(moved=F("moved") + count, **said)

    def done(self) -> None:
        """Ended: the start and what has passed since. A run that found nothing to do leaves no row."""
        row = JobRun.objects.filter(pk=self.row.pk)
        if self._told:
            row.update(done_at=self.row.started_at + timedelta(seconds=time.monotonic() - self._began))
        else:
            row.delete()
        self.let_go()

    def let_go(self) -> None:
        """Of the lock alone: a run that failed stays in the list without its end."""
        _ask("SELECT pg_advisory_unlock_shared(%s, %s)", self.key)

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind, _error, _trace) -> None:
        if kind is None:
            self.done()
            return
        with suppress(DatabaseError):  # the connection may be what failed: then the lock is gone with it
            self.let_go()


def start(job: str, due_at: datetime, now: datetime) -> Run:
    """A run begins; `due_at` is the earliest moment that was due. Outside of a transaction the row stands at once.

    As a context manager it calls `done` at the end, and leaves the row without an end when the job failed.
    """
    row = JobRun.objects.create(job=job, due_at=due_at, started_at=now)
    run = Run(row)
    _ask("SELECT pg_advisory_lock_shared(%s, %s)", run.key)
    return run


def _ask(statement: str, key: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [LOCKED, key])
