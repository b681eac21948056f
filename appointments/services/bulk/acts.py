"""Preview and apply. Who may is the view's matter; what may not is the handlers', per schedule, with its reason."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction

from appointments.errors import ActSettled, NeedsReason, NothingToDo, PreviewStale
from appointments.models import BulkAct, Schedule
from hospital import audit
from hospital.models import Organization, User

from .effects import Change, Effect
from .registry import handler_of

RELATED = ("role__practitioner", "team", "service", "department", "campus")

KEEP = """
INSERT INTO appointments_bulkchange (act_id, "table", row, before, after)
SELECT %s, v.tabled, v.row, said.before::jsonb, said.after::jsonb
  FROM unnest(%s::text[], %s::bigint[], %s::int[]) WITH ORDINALITY AS v (tabled, row, alike, place)
  JOIN unnest(%s::text[], %s::text[]) WITH ORDINALITY AS said (before, after, alike) ON said.alike = v.alike
 ORDER BY v.place
"""
HOLD = """
SELECT count(*) FROM (
    SELECT FROM appointments_slot WHERE schedule_id = ANY (%s) ORDER BY id FOR NO KEY UPDATE
) AS held
"""

KEPT = timedelta(days=1)
"""A preview that its maker never confirmed is thrown away with the next one after so long."""


def preview(
    *,
    kind: str,
    organization: Organization,
    schedules: Iterable[int | Schedule],
    params: dict,
    reason: str,
    by: User,
    now: datetime,
) -> BulkAct:
    """Look what the act would do, and keep what was seen. Writes nothing else."""
    if not reason.strip():
        raise NeedsReason()
    pks = sorted({getattr(each, "pk", each) for each in schedules})
    BulkAct.objects.filter(by=by, status=BulkAct.Status.PREVIEWED, created_at__lt=now - KEPT).delete()
    act = BulkAct(organization=organization, kind=kind, schedules=pks, params=params, by=by, reason=reason.strip())
    act.created_at = now
    _keep(act, _effect(act, _schedules(act), now=now))
    act.save()
    return act


def look_again(*, act: BulkAct, now: datetime) -> BulkAct:
    """A fresh preview of the same act, after what was shown had changed. What was done meanwhile keeps its effect."""
    _keep(act, _effect(act, _schedules(act), now=now))
    rows = BulkAct.objects.filter(pk=act.pk, status=BulkAct.Status.PREVIEWED)
    rows.update(effect=act.effect, digest=act.digest)
    return act


@transaction.atomic
def apply(*, act: BulkAct, by: User, now: datetime) -> BulkAct:
    """Do it as previewed, in one transaction: the act's row, schedules by id, numbers by id, then a second look.

    Raises ActSettled (done already), PreviewStale (something else stands there now), NothingToDo.
    """
    act = BulkAct.objects.select_for_update(no_key=True).get(pk=act.pk)
    if act.status != BulkAct.Status.PREVIEWED:
        raise ActSettled(state=act.get_status_display())
    handler = handler_of(act.kind)
    schedules = lock(act.schedules, numbers=handler.LOCKS_NUMBERS)
    effect = _effect(act, schedules, now=now)
    if effect.digest != act.digest:
        raise PreviewStale()
    if not effect.done:
        raise NothingToDo()
    touched = [row for row in schedules if row.pk in effect.done]
    changes = handler.apply(act=act, schedules=touched, effect=effect, by=by, now=now)
    _write(act, list(changes), undo_until=handler.undo_until(act.params, now), now=now)
    _trace(act, effect, by=by, now=now)
    return act


def lock(pks: list[int], *, numbers: bool = True) -> list[Schedule]:
    """The schedules by id, then all their numbers by id: bookings under way are waited for and seen, new ones wait."""
    rows = Schedule.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk")
    found = list(rows.values_list("pk", flat=True))
    if numbers:
        with connection.cursor() as cursor:
            cursor.execute(HOLD, [pks])
    return _read(found)  # after the wait: what is joined to a locked row is not looked at again


def _schedules(act: BulkAct) -> list[Schedule]:
    return _read(act.schedules)


def _read(pks: list[int]) -> list[Schedule]:
    return list(Schedule.objects.filter(pk__in=pks).prefetch_related(*RELATED).order_by("pk"))


def _effect(act: BulkAct, schedules: list[Schedule], *, now: datetime) -> Effect:
    return handler_of(act.kind).effect(schedules, act.params, now)


def _keep(act: BulkAct, effect: Effect) -> None:
    act.effect, act.digest = effect.stored(), effect.digest


def _write(act: BulkAct, changes: list[Change], *, undo_until: datetime | None, now: datetime) -> None:
    """Thousands of numbers change alike: what they were and became is sent once for all of them."""
    alike: dict[tuple[str, str], int] = {}
    columns: tuple[list, list, list] = ([], [], [])
    for one in changes:
        said = (json.dumps(one.before), json.dumps(one.after))
        for column, value in zip(columns, (one.table, one.row, alike.setdefault(said, len(alike) + 1)), strict=True):
            column.append(value)
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [act.pk, *columns, [before for before, _ in alike], [after for _, after in alike]])
    act.status, act.done_at, act.undo_until = BulkAct.Status.DONE, now, undo_until
    act.save(update_fields=["status", "done_at", "undo_until"])


def _trace(act: BulkAct, effect: Effect, *, by: User, now: datetime) -> None:
    said = {line.schedule: line.says for line in effect.lines if not line.refusal}
    detail = {
        "before": {pk: {name: before for name, before, _after in says} for pk, says in said.items()},
        "after": {pk: {name: after for name, _before, after in says} for pk, says in said.items()},
        "params": act.params,
        "why": act.reason,
    }
    audit.record(action=f"bulk.{act.kind}", actor=by, now=now, subject=f"bulkact:{act.pk}", detail=detail)
