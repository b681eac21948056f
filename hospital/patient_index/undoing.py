"""撤销合并: what was hung over goes back, and so does what has grown on it since.

A visit that was booked on the second record and moved by the merge goes back with the check-in, the consultation and
the next booking that were made from it after the merge, and so does the number that was booked for a referral that goes
back: they are that person's. What was on the kept record before the merge never goes, what else was new stays there.
"""

from datetime import datetime
from itertools import groupby

from django.db import connection, transaction

from hospital import audit, outbox
from hospital.models import DuplicateSuspect, MergedRow, PatientMerge, PatientTime, User

from . import errors
from .merging import locked
from .tables import BEGUN, Column, Held, Link, _quoted, has_begun, held, links, time_sources


@transaction.atomic
def undo(*, merge: PatientMerge, reason: str, by: User, now: datetime) -> PatientMerge:
    """Both records as they were, and with what followed. Raises NeedsMergeReason, UndoneAlready, MergedOnwards.

    Publishes patient.unmerged {kept, merged}.
    """
    if not reason.strip():
        raise errors.NeedsMergeReason()
    people = locked(merge.kept_id, merge.merged_id)
    row = PatientMerge.objects.select_for_update(no_key=True, of=("self",)).get(pk=merge.pk)
    if row.undone_at:
        raise errors.UndoneAlready()
    if not people[row.kept_id].active:
        raise errors.MergedOnwards()
    back = _hang_back(row) + _follow(row)
    person = people[row.merged_id]
    person.active = True
    person.save(update_fields=["active"])
    row.undone_at, row.undone_by, row.undo_reason = now, by, reason.strip()[:200]
    row.save(update_fields=["undone_at", "undone_by", "undo_reason"])
    first, second = sorted((row.kept_id, row.merged_id))
    DuplicateSuspect.objects.filter(first=first, second=second).update(
        status=DuplicateSuspect.Status.DIFFERENT, decided_at=now, decided_by=by, note=row.undo_reason
    )
    said = {"kept": row.kept_id, "merged": row.merged_id}
    outbox.publish(topic="patient.unmerged", key=f"patient:{row.kept_id}", payload=said, actor=by, now=now)
    for whose in people.values():
        audit.record(
            action="patient.unmerged", actor=by, patient=whose, subject=f"patientmerge:{row.pk}",
            detail={"kept_record": row.kept_id, "merged_record": row.merged_id, "rows": back, "why": row.undo_reason},
            now=now,
        )  # fmt: skip
    return row


def _hang_back(row: PatientMerge) -> int:
    """Each row that was moved and still is where it was put."""
    rows = MergedRow.objects.filter(merge=row).order_by("table", "column", "row").values_list("table", "column", "row")
    count = 0
    for (table, column), some in groupby(rows, key=lambda each: each[:2]):
        where = f"id = ANY (%(ids)s) AND {_quoted(column)} = %(kept)s"
        count += _set(table, column, where, row, ids=[pk for _table, _column, pk in some])
    return count


def _follow(row: PatientMerge) -> int:
    """Until nothing more goes along: rows of the kept record that hang on one that went back."""
    count = 0
    while moved := sum(_follow_link(link, row) for link in links()) + sum(_follow_held(each, row) for each in held()):
        count += moved
    return count + sum(_follow_times(source, model, row) for source, model in time_sources().items())


def _follow_link(link: Link, row: PatientMerge) -> int:
    """Not what also hangs on something that stays: a result of the one, read for an exam of the other."""
    where = f"{_quoted(link.column.name)} = %(kept)s AND {_hangs_on(link, '%(merged)s')}{_new(link.column)}"
    for other in links():
        if other != link and other.column == link.column:
            where += f" AND NOT {_hangs_on(other, '%(kept)s')}"
    return _set(link.column.table, link.column.name, where, row)


def _follow_held(each: Held, row: PatientMerge) -> int:
    table, owner = _quoted(each.column.table), _quoted(each.owner.table)
    where = f"""{_quoted(each.column.name)} = %(kept)s{_new(each.column)} AND EXISTS (
        SELECT 1 FROM {_quoted(each.holder)} h JOIN {owner} o ON o.id = h.{_quoted(each.via)}
         WHERE h.{_quoted(each.name)} = {table}.id AND o.{_quoted(each.owner.name)} = %(merged)s)"""  # noqa: S608
    return _set(each.column.table, each.column.name, where, row)


def _new(column: Column) -> str:
    """A row that was there before the merge may hang on one of the other record since: it stays all the same."""
    return f" AND {_quoted(column.table)}.{BEGUN} > %(merged_at)s" if has_begun(column) else ""


def _hangs_on(link: Link, whose: str) -> str:
    parent, name = _quoted(link.parent.table), _quoted(link.parent.name)
    table, key = _quoted(link.column.table), _quoted(link.name)
    return f"EXISTS (SELECT 1 FROM {parent} p WHERE p.id = {table}.{key} AND p.{name} = {whose})"  # noqa: S608


def _follow_times(source: str, model, row: PatientMerge) -> int:
    """A booking that was moved to another hour since has a time of its own."""
    where = f"""patient_id = %(kept)s AND source = %(source)s AND source_id IN (
        SELECT id FROM {_quoted(model._meta.db_table)} WHERE patient_id = %(merged)s)"""  # noqa: S608
    return _set(PatientTime._meta.db_table, "patient_id", where, row, source=source)


def _set(table: str, column: str, where: str, row: PatientMerge, **more) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_quoted(table)} SET {_quoted(column)} = %(merged)s WHERE {where}",  # noqa: S608
            {"kept": row.kept_id, "merged": row.merged_id, "merged_at": row.merged_at, **more},
        )
        return cursor.rowcount
