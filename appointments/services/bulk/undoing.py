"""撤销: every row goes back to what it was, unless somebody has gone on from there; what stays is said by name."""

import json
from collections import defaultdict
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from appointments.errors import ActSettled, UndoOver
from appointments.models import Allotment, BulkAct, BulkChange, Slot
from hospital import audit
from hospital.models import User

from .acts import lock
from .effects import plain
from .pools import UNTAKEN
from .registry import handler_of

STANDS = """
(c.after ->> 'pool_id')::bigint = s.pool_id AND c.after ->> 'status' = s.status
"""
"""Of a number two things are changed by acts, and both are said: where it belongs, and whether it can be taken."""

NUMBERS_KEPT = f"""
SELECT s.schedule_id, s.number FROM appointments_bulkchange c JOIN appointments_slot s ON s.id = c.row
 WHERE c.act_id = %s AND c."table" = 'slot' AND NOT ({STANDS})
 ORDER BY s.id
"""
NUMBERS_BACK = f"""
UPDATE appointments_slot s
   SET pool_id = coalesce((c.before ->> 'pool_id')::bigint, s.pool_id),
       status = coalesce(c.before ->> 'status', s.status)
  FROM appointments_bulkchange c
 WHERE c.act_id = %s AND c."table" = 'slot' AND s.id = c.row AND {STANDS}
"""


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
    kept = [*_numbers_back(act), *_openings_back(act)]
    _share_again(act)
    act.status, act.undone_at, act.undone_by = BulkAct.Status.UNDONE, now, by
    act.effect = {**act.effect, "kept": kept}
    act.save(update_fields=["status", "undone_at", "undone_by", "effect"])
    detail = {"kept": kept, "why": act.reason}
    audit.record(action=f"bulk.{act.kind}.undone", actor=by, now=now, subject=f"bulkact:{act.pk}", detail=detail)
    return kept


def _numbers_back(act: BulkAct) -> list[dict]:
    """They may be a house's: two statements for all of them. The caller holds them."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS_KEPT, [act.pk])
        kept = [{"table": "slot", "schedule": schedule, "number": number} for schedule, number in cursor.fetchall()]
        cursor.execute(NUMBERS_BACK, [act.pk])
    return kept


def _openings_back(act: BulkAct) -> list[dict]:
    changes = {change.row: change for change in BulkChange.objects.filter(act=act, table="allotment")}
    rows = Allotment.objects.select_for_update(no_key=True).filter(pk__in=changes).order_by("pk")
    back: dict[str, list[int]] = defaultdict(list)
    made, kept = [], []
    for row in rows:
        change = changes.pop(row.pk)
        if not _stands(row, change.after):
            kept.append({"table": "allotment", "schedule": row.schedule_id, "number": None})
        elif change.before:
            back[json.dumps(change.before, sort_keys=True)].append(row.pk)
        else:
            made.append(row)
    for before, pks in back.items():
        Allotment.objects.filter(pk__in=pks).update(**_values(json.loads(before)))
    _unmake(made)
    return kept


def _share_again(act: BulkAct) -> None:
    """Numbers that went back to a pool whose rest was shared meanwhile: the recall job has them still before it."""
    moved = BulkChange.objects.filter(act=act, table="slot").values("row")
    back = Slot.objects.filter(pk__in=moved, status__in=UNTAKEN, schedule=OuterRef("schedule"), pool=OuterRef("pool"))
    rows = Allotment.objects.filter(Exists(back), schedule__in=act.schedules, moved_at__isnull=False)
    rows.update(moved_at=None)


def _stands(row: Allotment, after: dict) -> bool:
    return all(plain(getattr(row, name)) == value for name, value in after.items())


def _values(said: dict) -> dict:
    return {name: Allotment._meta.get_field(name).to_python(value) for name, value in said.items()}


def _unmake(rows: list[Allotment]) -> None:
    """A pool that was opened for a schedule by the act closes again when no number is left in it."""
    used = Slot.objects.filter(schedule=OuterRef("schedule"), pool=OuterRef("pool"))
    Allotment.objects.filter(~Exists(used), pk__in=[row.pk for row in rows]).delete()
