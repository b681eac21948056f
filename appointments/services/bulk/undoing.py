"""撤销: every row goes back to what it was, unless somebody has gone on from there; what stays is said by name."""

import json
from collections import defaultdict
from datetime import datetime

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from appointments.errors import ActSettled, UndoOver
from appointments.models import Allotment, BulkAct, BulkChange, Schedule, Slot
from hospital import audit
from hospital.models import User

from .acts import lock
from .effects import plain
from .pools import UNTAKEN
from .registry import handler_of

TABLES: dict[str, type[models.Model]] = {"schedule": Schedule, "slot": Slot, "allotment": Allotment}
"""In the order of locks."""


@transaction.atomic
def undo(*, act: BulkAct, by: User, now: datetime) -> list[dict]:
    """Take back what can be. Returns what could not: {"table", "schedule", "number"}, kept in act.effect["kept"].

    Raises ActSettled (undone already, or never done) and UndoOver (too late, or never possible).
    """
    act = BulkAct.objects.select_for_update(no_key=True).get(pk=act.pk)
    if act.status != BulkAct.Status.DONE:
        raise ActSettled(state=act.get_status_display())
    if act.undo_until is None or now > act.undo_until:
        raise UndoOver()
    lock(act.schedules, numbers=handler_of(act.kind).LOCKS_NUMBERS)
    kept = []
    for table, model in TABLES.items():
        kept += _take_back(act, table, model)
    _share_again(act)
    act.status, act.undone_at, act.undone_by = BulkAct.Status.UNDONE, now, by
    act.effect = {**act.effect, "kept": kept}
    act.save(update_fields=["status", "undone_at", "undone_by", "effect"])
    detail = {"kept": kept, "why": act.reason}
    audit.record(action=f"bulk.{act.kind}.undone", actor=by, now=now, subject=f"bulkact:{act.pk}", detail=detail)
    return kept


def _take_back(act: BulkAct, table: str, model: type[models.Model]) -> list[dict]:
    changes = {change.row: change for change in BulkChange.objects.filter(act=act, table=table)}
    rows = model.objects.select_for_update(no_key=True).filter(pk__in=changes).order_by("pk")
    back: dict[str, list[int]] = defaultdict(list)
    made, kept = [], []
    for row in rows:
        change = changes.pop(row.pk)
        if not _stands(row, change.after):
            kept.append(_named(table, row))
        elif change.before:
            back[json.dumps(change.before, sort_keys=True)].append(row.pk)
        else:
            made.append(row)
    for before, pks in back.items():
        model.objects.filter(pk__in=pks).update(**_values(model, json.loads(before)))
    _unmake(made)
    return kept


def _share_again(act: BulkAct) -> None:
    """Numbers that went back to a pool whose rest was shared meanwhile: the recall job has them still before it."""
    moved = BulkChange.objects.filter(act=act, table="slot").values("row")
    back = Slot.objects.filter(pk__in=moved, status__in=UNTAKEN, schedule=OuterRef("schedule"), pool=OuterRef("pool"))
    rows = Allotment.objects.filter(Exists(back), schedule__in=act.schedules, moved_at__isnull=False)
    rows.update(moved_at=None)


def _stands(row: models.Model, after: dict) -> bool:
    return all(plain(getattr(row, name)) == value for name, value in after.items())


def _values(model: type[models.Model], said: dict) -> dict:
    return {name: model._meta.get_field(name).to_python(value) for name, value in said.items()}


def _unmake(rows: list[Allotment]) -> None:
    """A pool that was opened for a schedule by the act closes again when no number is left in it."""
    used = Slot.objects.filter(schedule=OuterRef("schedule"), pool=OuterRef("pool"))
    Allotment.objects.filter(~Exists(used), pk__in=[row.pk for row in rows]).delete()


def _named(table: str, row) -> dict:
    schedule = row.pk if table == "schedule" else row.schedule_id
    return {"table": table, "schedule": schedule, "number": row.number if table == "slot" else None}
