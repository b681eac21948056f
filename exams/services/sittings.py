"""What is left of a sitting (同一次麻醉, 一次采血) when one of its exams is given up: it has its own time before and
after again, which belonged to the sitting as a whole."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from exams.models import ExamBooking
from exams.selectors import around

from . import claims
from .checks import joined, runs
from .claims import Line


def beside(rows: Iterable[ExamBooking], *, now: datetime) -> list[ExamBooking]:
    """Asked before these are let go: the exams of their sittings that stay."""
    rows = list(rows)
    gone = {row.pk for row in rows}
    found = [each for row in rows if row.holds for each in around.sitting_of(row, now=now)]
    return list({each.pk: each for each in found if each.pk not in gone}.values())


def stand_alone(rest: Iterable[ExamBooking]) -> None:
    """The caller has the patient's lock. Where the patient has promised that time meanwhile, the stay is as it was."""
    rows = {row.request_id: row for row in rest}
    for run in runs([_alone(row) for row in rows.values()]):
        for line in joined(run):
            row = rows[line.request.pk]
            row.stay = line.stay
            with suppress(IntegrityError), transaction.atomic():
                row.save(update_fields=["stay"])
                claims.promise(row)


def _alone(row: ExamBooking) -> Line:
    start, end, variant = row.during.lower, row.during.upper, row.variant
    came, gone = start - timedelta(minutes=variant.before), end + timedelta(minutes=variant.after)
    return Line(row.request, row.device, start, end, came, gone)
