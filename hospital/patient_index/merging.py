"""合并: everything of one record hangs on the other from here on; the first is switched off, and can come back.

Locks: the two patients by id; rows that move are locked by their update. A booking for either waits for the patient's
row, and then finds it switched off or whole.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hospital import audit, clock, outbox
from hospital.errors import Refused
from hospital.models import (
    DuplicateSuspect,
    MergedRow,
    Patient,
    PatientIdentifier,
    PatientMerge,
    PatientTime,
    User,
)

from . import errors
from .tables import STAYS, Column, _quoted, columns

MOST_TIMES = 3
"""Clashes that a refusal names."""


@transaction.atomic
def merge(*, kept: Patient, merged: Patient, reason: str, by: User, now: datetime) -> PatientMerge:
    """Re-hang every row of `merged` on `kept`, all or nothing.

    Raises NeedsMergeReason, NotTwoRecords, TwoPeople, BothAtOnce, BothHave. Publishes patient.merged {kept, merged}.
    """
    if not reason.strip():
        raise errors.NeedsMergeReason()
    rows = locked(kept.pk, merged.pk)
    if refused := refusal_to_merge(rows.get(kept.pk), rows.get(merged.pk), now=now):
        raise refused
    kept, merged = rows[kept.pk], rows[merged.pk]
    row = PatientMerge.objects.create(kept=kept, merged=merged, reason=reason.strip()[:200], by=by, merged_at=now)
    moved = [each for column in columns() for each in _moved(column, row)]
    MergedRow.objects.bulk_create(moved, batch_size=1000)
    merged.active = False
    merged.save(update_fields=["active"])
    _settle(row, by=by, now=now)
    said = {"kept": kept.pk, "merged": merged.pk}
    outbox.publish(topic="patient.merged", key=f"patient:{kept.pk}", payload=said, actor=by, now=now)
    for whose in (kept, merged):
        audit.record(
            action="patient.merged", actor=by, patient=whose, subject=f"patientmerge:{row.pk}",
            detail={"kept_record": kept.pk, "merged_record": merged.pk, "rows": len(moved), "why": row.reason}, now=now,
        )  # fmt: skip
    return row


def locked(*ids: int) -> dict[int, Patient]:
    """The patients by id, in the house's order of locks."""
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in rows}


def refusal_to_merge(kept: Patient | None, merged: Patient | None, *, now: datetime) -> Refused | None:
    """What is known without moving anything."""
    if kept is None or merged is None or kept.pk == merged.pk or not (kept.active and merged.active):
        return errors.NotTwoRecords()
    if len(_cards_seen([kept, merged])) > 1:
        return errors.TwoPeople()
    clashes = clashing_times(kept, merged, now=now)
    return errors.BothAtOnce(when=_("、").join(clashes[:MOST_TIMES])) if clashes else None


def _cards_seen(patients: Iterable[Patient]) -> set[str]:
    cards = PatientIdentifier.objects.filter(kind=PatientIdentifier.Kind.ID_CARD, seen_at__isnull=False)
    return set(cards.filter(patient__in=patients).values_list("number_hash", flat=True))


def clashing_times(kept: Patient, merged: Patient, *, now: datetime) -> list[str]:
    """11月25日 08:30: when both are still to be somewhere."""
    coming = PatientTime.objects.filter(during__endswith__gt=now).order_by("during").values_list("during", flat=True)
    theirs, rows = list(coming.filter(patient=merged)), coming.filter(patient=kept)
    mine = [during.lower for during in rows if any(_overlap(during, other) for other in theirs)]
    return [date_format(moment.astimezone(clock.ZONE), _("n月j日 H:i")) for moment in mine]


def _overlap(one, other) -> bool:
    return one.lower < other.upper and other.lower < one.upper


def _moved(column: Column, row: PatientMerge) -> list[MergedRow]:
    ids = _move_all(column, row)
    return [MergedRow(merge=row, table=column.table, column=column.name, row=pk) for pk in ids]


def _move_all(column: Column, row: PatientMerge) -> list[int]:
    """In one statement; where some of them are known on the other record already, one by one."""
    try:
        return _update(column, row)
    except IntegrityError as error:
        if not _broken(error):
            raise
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {_quoted(column.table)} WHERE {_quoted(column.name)} = %s ORDER BY id",  # noqa: S608
            [row.merged_id],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    return [pk for pk in ids if _moves(column, row, pk)]


def _moves(column: Column, row: PatientMerge, pk: int) -> bool:
    try:
        return bool(_update(column, row, pk))
    except IntegrityError as error:
        if _broken(error) not in STAYS:
            raise _refusal(column, error, pk) from error
        return False


def _update(column: Column, row: PatientMerge, pk: int | None = None) -> list[int]:
    table, name = _quoted(column.table), _quoted(column.name)
    only = " AND id = %(pk)s" if pk else ""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {name} = %(kept)s WHERE {name} = %(merged)s{only} RETURNING id",  # noqa: S608
            {"kept": row.kept_id, "merged": row.merged_id, "pk": pk},
        )
        return [found for (found,) in cursor.fetchall()]


def _broken(error: IntegrityError) -> str:
    """The constraint's name, as PostgreSQL tells it."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


def _refusal(column: Column, error: IntegrityError, pk: int) -> Refused | IntegrityError:
    """Something that one person has once stands on both; what no constraint explains is an error of ours."""
    return errors.BothHave(what=f"{column.words} {_called(column, pk)}".strip()) if _broken(error) else error


def _called(column: Column, pk: int) -> str:
    """What people call the row by (a letter's number, made of its id). Never a column: that may be a document's."""
    named = isinstance(getattr(column.model, "number", None), property)
    return column.model._default_manager.get(pk=pk).number if named else ""


def _settle(row: PatientMerge, *, by: User, now: datetime) -> None:
    first, second = sorted((row.kept_id, row.merged_id))
    done = {"status": DuplicateSuspect.Status.SAME, "decided_at": now, "decided_by": by, "note": row.reason}
    DuplicateSuspect.objects.update_or_create(
        first_id=first, second_id=second, defaults=done, create_defaults={**done, "why": [], "found_at": now}
    )
