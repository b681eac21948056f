"""The word to go, going on after it, and taking it back."""

from datetime import date, datetime, time, timedelta
from time import monotonic

import structlog
from django.db import transaction

from appointments.errors import ActSettled, HoursBegun, PreviewStale, UndoOver
from appointments.models import BulkAct, BulkChange, Schedule
from appointments.policies.hours import Period
from appointments.services.alone import alone
from appointments.services.bulk.effects import UNDO_MINUTES
from appointments.services.moving import Span
from hospital import audit, clock
from hospital.models import Campus, HalfDayHours, User

from .asking import fill, hours_now, hours_then, wanted_of
from .moving import move, move_left, record

log = structlog.get_logger(__name__)

LOCK = 7_313_003  # with the act's id
LONGEST = 60
"""Seconds that one worker goes on before it leaves the rest to the next round: by then it is later than `now`."""

UNDO = timedelta(minutes=UNDO_MINUTES)
Periods = dict[str, list[Period]]


@transaction.atomic
def start(*, act: BulkAct, by: User, now: datetime) -> BulkAct:
    """The new hours hold from now on; what is laid out follows, session by session, by a worker.

    Raises ActSettled (begun already), HoursBegun, PreviewStale (something else stands there now: `look_again`).
    """
    act = BulkAct.objects.select_for_update(no_key=True).get(pk=act.pk)
    if act.status != BulkAct.Status.PREVIEWED:
        raise ActSettled(state=act.get_status_display())
    wanted = wanted_of(act)
    if wanted.first <= clock.today(now):
        raise HoursBegun(first=wanted.first)
    Campus.objects.select_for_update(no_key=True).get(pk=wanted.campus.pk)
    seen = act.digest
    fill(act, wanted, now=now)
    if act.digest != seen:
        raise PreviewStale
    before, after = hours_now(wanted.campus), hours_then(wanted)
    before = {half: before[half] for half in after}
    _write_hours(wanted.campus, after)
    act.params |= {"running": True, "hours_before": _as_json(before), "hours_after": _as_json(after)}
    act.status, act.done_at = BulkAct.Status.DONE, now
    act.save(update_fields=["params", "status", "done_at", "effect", "schedules"])
    detail = {"campus": wanted.campus.code, "before": _as_json(before), "after": _as_json(after), "why": act.reason}
    audit.record(action="bulk.retime", actor=by, now=now, subject=f"bulkact:{act.pk}", detail=detail)
    return act


def look_again(*, act: BulkAct, now: datetime) -> BulkAct:
    """A fresh look, after what was shown had changed. Raises what the look raises."""
    wanted = wanted_of(act)
    hours_then(wanted)
    fill(act, wanted, now=now)
    act.save(update_fields=["effect", "digest", "schedules"])
    return act


def continue_all(*, now: datetime) -> int:
    """Every act under way. Returns how many sessions were settled."""
    settled = 0
    for act in BulkAct.objects.filter(kind=BulkAct.Kind.RETIME, params__running=True).order_by("pk"):
        try:
            settled += go_on(act=act, now=now)
        except Exception as error:  # the others go on; this one is tried again in the next round
            log.exception("retiming_stopped", act=act.pk, error=type(error).__name__)
    return settled


def go_on(*, act: BulkAct, now: datetime, limit: int | None = None) -> int:
    """Settle sessions until none waits, then close the act. Sessions that stand in each other's way are tried again
    after the others have moved. Returns how many were settled."""
    with alone(LOCK, act.pk) as mine:
        act = BulkAct.objects.select_related("by").get(pk=act.pk)
        if not mine or not act.params.get("running"):
            return 0
        until, settled = monotonic() + LONGEST, 0
        waiting, why = _waiting(act), {}
        while waiting:
            blocked = []
            for pk, span in waiting:
                if monotonic() > until or settled == limit:
                    return settled
                outcome = move(act=act, pk=pk, span=span, by=act.by, now=now)
                if outcome in {"moved", "skipped"}:
                    settled += 1
                else:
                    blocked.append((pk, span))
                    why[pk] = outcome
            if len(blocked) == len(waiting):
                break
            waiting = blocked
        for pk, _span in waiting:
            record(act, pk, {}, {"blocked": why[pk]})
        _close(act, now=now)
    return settled


def _waiting(act: BulkAct) -> list[tuple[int, Span | None]]:
    settled = set(BulkChange.objects.filter(act=act).values_list("row", flat=True))
    pks = [pk for pk in act.schedules if pk not in settled]
    if act.params.get("reverse_of"):
        before = _before(act.params["reverse_of"], pks)
        return [(pk, before[pk]) for pk in pks]
    wanted = wanted_of(act)
    rows = Schedule.objects.in_bulk(pks)
    return [
        (pk, tuple(clock.at(rows[pk].day, wall) for wall in wanted.halves[rows[pk].half]) if pk in rows else None)
        for pk in pks
    ]


def _before(original: int, pks: list[int]) -> dict[int, Span]:
    changes = BulkChange.objects.filter(act=original, row__in=pks).values_list("row", "before")
    return {
        row: (datetime.fromisoformat(before["starts_at"]), datetime.fromisoformat(before["ends_at"]))
        for row, before in changes
    }


def _close(act: BulkAct, *, now: datetime) -> None:
    for change in BulkChange.objects.filter(act=act, after__has_key="left").exclude(after__left=[]).order_by("row"):
        move_left(change=change, by=act.by, now=now)
    changes = [change.after for change in BulkChange.objects.filter(act=act)]
    told = sum(after.get("told", 0) for after in changes)
    with transaction.atomic():
        row = BulkAct.objects.select_for_update(no_key=True).get(pk=act.pk)
        row.params |= {"running": False, "finished_at": now.isoformat(), "told": told}
        if not told and not row.params.get("reverse_of"):
            row.undo_until = now + UNDO
        row.save(update_fields=["params", "undo_until"])
        detail = {
            "sessions": sum("starts_at" in after for after in changes),
            "told": told,
            "left": sum(len(after.get("left", [])) for after in changes),
            "blocked": sum("blocked" in after for after in changes),
        }
        audit.record(action="bulk.retimed", actor=row.by, now=now, subject=f"bulkact:{row.pk}", detail=detail)


@transaction.atomic
def undo(*, act: BulkAct, by: User, now: datetime) -> BulkAct:
    """The hours as they were, and a new act that moves the sessions back. Only when nobody was told of a new time.

    Raises UndoOver, ActSettled, PreviewStale (the hours were changed again meanwhile).
    """
    act = BulkAct.objects.select_for_update(no_key=True).get(pk=act.pk)
    if act.status != BulkAct.Status.DONE:
        raise ActSettled(state=act.get_status_display())
    if act.undo_until is None or act.undo_until < now:
        raise UndoOver()
    campus = Campus.objects.select_for_update(no_key=True).get(pk=act.params["campus"])
    standing = hours_now(campus)
    if _as_json({half: standing[half] for half in act.params["hours_after"]}) != act.params["hours_after"]:
        raise PreviewStale
    _write_hours(campus, _from_json(act.params["hours_before"]))
    moved = BulkChange.objects.filter(act=act, after__has_key="starts_at").order_by("row")
    back = BulkAct.objects.create(
        organization_id=act.organization_id, kind=act.kind, status=BulkAct.Status.DONE, by=by, reason=act.reason,
        created_at=now, done_at=now, schedules=list(moved.values_list("row", flat=True)), digest=act.digest,
        params={**act.params, "reverse_of": act.pk, "running": True, "hours_before": act.params["hours_after"],
                "hours_after": act.params["hours_before"]},
        effect={**act.effect, "patients": 0, "messages": [], "left": [], "left_count": 0},
    )  # fmt: skip
    act.status, act.undone_at, act.undone_by = BulkAct.Status.UNDONE, now, by
    act.save(update_fields=["status", "undone_at", "undone_by"])
    audit.record(action="bulk.retime_undone", actor=by, now=now, subject=f"bulkact:{act.pk}", detail={"by": back.pk})
    return back


# ---- the hours themselves ----


def _write_hours(campus: Campus, periods: Periods) -> None:
    """Make the half-days' periods what they should be: what goes first, then what is cut, then what is new, so that
    no two hold at once even for a moment."""
    for half, wanted in periods.items():
        rows = HalfDayHours.objects.filter(campus=campus, half=half)
        rows.exclude(effective_from__in=[one.first for one in wanted]).delete()
        known = {row.effective_from: row for row in rows}
        for one in sorted(wanted, key=lambda one: one.first not in known):
            row = known.get(one.first) or HalfDayHours(campus=campus, half=half, effective_from=one.first)
            if (row.starts, row.ends, row.effective_to) != (one.starts, one.ends, one.last) or row.pk is None:
                row.starts, row.ends, row.effective_to = one.starts, one.ends, one.last
                row.save()


def _as_json(periods: Periods) -> dict:
    return {
        half: [
            [
                f"{one.starts:%H:%M}",
                f"{one.ends:%H:%M}",
                one.first.isoformat(),
                one.last.isoformat() if one.last else None,
            ]
            for one in several
        ]
        for half, several in periods.items()
    }


def _from_json(kept: dict) -> Periods:
    return {
        half: [
            Period(
                time.fromisoformat(starts),
                time.fromisoformat(ends),
                date.fromisoformat(first),
                date.fromisoformat(last) if last else None,
            )  # fmt: skip
            for starts, ends, first, last in several
        ]
        for half, several in kept.items()
    }
