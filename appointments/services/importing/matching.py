"""Bring a table in line with a sheet: new rows made, changed rows changed, missing rows told and maybe retired."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from appointments.services.importing.report import CHANGED, MISSING, NEW, Change, Report
from hospital.workbook.cells import Choice
from hospital.workbook.sheet import Column, Sheet

HEADERS = {"effective_to": "失效日", "organization": "机构", "active": "启用", "pinyin": "拼音", "initials": "首字母"}
"""Where the sheet has no such column."""


@dataclass
class Wanted:
    """A row as the workbook wants it. `key` is what the row is known by in the database."""

    key: tuple
    row: int
    label: str
    values: dict[str, Any]
    fresh: dict[str, Any] = field(default_factory=dict)  # what only a new row gets beside them


@dataclass
class Import:
    """One run: the time, what is reported, and whether missing rows are retired."""

    report: Report
    retire_missing: bool
    now: datetime
    hospital: str  # code of the organization that a service belongs to when its cell is empty
    places: dict[str, dict] = field(default_factory=dict)  # sheet key → key in the workbook → row of the database


def bring(
    run: Import,
    *,
    model: type[models.Model],
    sheet: Sheet,
    existing: dict[tuple, models.Model],
    wanted: Iterable[Wanted],
    retire: Callable[[models.Model], bool],
) -> dict[tuple, models.Model]:
    """Make `existing` be what is `wanted`; returns the rows by key.

    `retire(row)` is asked about rows that the workbook lacks: it says whether the row is still in use, and
    puts it out of use when the run retires what is missing.
    """
    wanted = list(wanted)
    names = {want.key for want in wanted}
    for key, row in existing.items():
        if key not in names and retire(row):
            run.report.changes.append(Change(MISSING, sheet.title, None, str(row)))
    fresh: dict[tuple, models.Model] = {}
    for want in wanted:
        row = existing.get(want.key)
        if row is None:
            fresh[want.key] = model(**want.values, **want.fresh)
            run.report.changes.append(Change(NEW, sheet.title, want.row, want.label))
        else:
            _change(run, sheet, row, want)
    model.objects.bulk_create(fresh.values(), batch_size=1000)
    return {key: row for key, row in (existing | fresh).items() if key in names}


def _change(run: Import, sheet: Sheet, row: models.Model, want: Wanted) -> None:
    columns = {column.name: column for column in sheet.columns}
    fields = {}
    for name, after in want.values.items():
        before = getattr(row, name)
        if before != after:
            column = columns.get(name)
            header = column.header if column else HEADERS.get(name, name)
            fields[header] = (_as_written(column, before), _as_written(column, after))
            setattr(row, name, after)
    if fields:
        row.save(update_fields=list(want.values))
        run.report.changes.append(Change(CHANGED, sheet.title, want.row, want.label, fields))


def _as_written(column: Column | None, value: Any) -> Any:
    """The word that stands in the sheet for what the database keeps: 周一 for 1, 上午 for am."""
    if column and isinstance(column.kind, Choice):
        return next((word for word, code in column.kind.words.items() if code == value), value)
    return value


def deactivate(run: Import) -> Callable[[models.Model], bool]:
    """Retire by `active`: nothing is deleted that a patient may have seen."""

    def retire(row: models.Model) -> bool:
        if not row.active:
            return False
        if run.retire_missing:
            row.active = False
            row.save(update_fields=["active"])
        return True

    return retire


def delete(run: Import) -> Callable[[models.Model], bool]:
    """Retire by deleting rows that nothing points at: calendar days, hours. Their history is kept by trigger."""

    def retire(row: models.Model) -> bool:
        if run.retire_missing:
            row.delete()
        return True

    return retire
