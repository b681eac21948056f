"""The office's decision, carried out session by session, and undone the same way.

The row is written first; then each session is one transaction. Whoever dies in between leaves a row whose rest the
next run does (`carry_out`, `carry_back`): it is found by looking, not remembered.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

import structlog
from django.db import OperationalError, transaction

from appointments.errors import NothingToStop, PreviewStale, StopDecided
from appointments.models import Schedule, Substitution, Suspension
from appointments.selectors.stops import preview, scope
from hospital import audit, outbox
from hospital.errors import Refused
from hospital.models import PractitionerRole, Room, User

from . import offers, sessions

log = structlog.get_logger(__name__)

Status = Suspension.Status


@dataclass(frozen=True)
class Wish:
    """What is to be stopped. `practitioner` or `department` over days; or single sessions by id, of one house."""

    organization: int
    first_day: date
    last_day: date
    cause: str
    practitioner: int | None = None
    department: int | None = None
    half: str = ""
    schedules: tuple[int, ...] = ()
    reason: str = ""
    substitutes: dict[int, tuple[int, int | None]] = field(default_factory=dict)  # schedule → (role, room)

    def row(self, *, by: User, status: str, now: datetime) -> Suspension:
        """Not saved."""
        decided = status == Status.ACTIVE
        return Suspension(
            organization_id=self.organization,
            status=status,
            cause=self.cause,
            reason=self.reason.strip(),
            practitioner_id=self.practitioner,
            department_id=self.department,
            first_day=self.first_day,
            last_day=self.last_day,
            half=self.half,
            schedules=sorted(self.schedules),
            substitutes={str(pk): list(who) for pk, who in self.substitutes.items()},
            asked_by=by,
            asked_at=now,
            decided_by=by if decided else None,
            decided_at=now if decided else None,
        )


def stop(*, wish: Wish, by: User, now: datetime, seen: str | None = None, most: int | None = None) -> Suspension:
    """stop_each of one house."""
    [order] = stop_each(wishes=[wish], by=by, now=now, seen=seen, most=most)
    return order


def stop_each(
    *, wishes: Iterable[Wish], by: User, now: datetime, seen: str | None = None, most: int | None = None
) -> list[Suspension]:
    """停诊 or 替诊 at once, by the office: an order for each house that has something to stop, all in force or none.

    `seen` is the digest of the preview that was confirmed, of all houses: anything else there by now is refused.
    `most`: how many sessions to carry out here; the rest is left to the job.
    Raises NothingToStop, PreviewStale. A session that could not be done is named in its order's `problems`.
    """
    with transaction.atomic():
        rows = [wish.row(by=by, status=Status.ACTIVE, now=now) for wish in wishes]
        orders = [row for row in rows if has_something_to_do(row, now=now)]
        if not orders:
            raise NothingToStop()
        ahead = [each for row in rows for each in scope.ahead(row, now=now)]
        if seen is not None and preview.digest_of(ahead) != seen:
            raise PreviewStale()
        for order in orders:
            begin(order, seen=None, by=by, now=now)
    left = most
    for order in orders:
        done = carry_out(order=order, now=now, most=left)
        left = None if left is None else left - done
        order.refresh_from_db()
    return orders


def begin(order: Suspension, *, seen: str | None, by: User, now: datetime) -> None:
    """From here on it is in force, whoever dies. The caller's transaction."""
    if not has_something_to_do(order, now=now):
        raise NothingToStop()
    if seen is not None and preview.digest_of(scope.ahead(order, now=now)) != seen:
        raise PreviewStale()
    _look_at_picks(order, now=now)
    waiting = _waiting(order, now=now)
    order.save()
    plan = {
        "sessions": [row.pk for row in waiting],
        "substitutes": order.substitutes,
        "cause": order.cause,
        "why": order.reason,
    }
    audit.record(action="stop.ordered", actor=by, subject=f"stop:{order.pk}", detail=plan, now=now)
    outbox.publish(topic="stop.ordered", key=f"stop:{order.pk}", payload={"stop": order.pk}, actor=by, now=now)


def _look_at_picks(order: Suspension, *, now: datetime) -> None:
    """Each substitute and each room is one that the preview could have shown: the session's department's, or of its
    campus. Whether the doctor fits is asked when the session's turn comes."""
    ahead = {str(row.pk): row for row in scope.ahead(order, now=now)} if order.substitutes else {}
    roles = PractitionerRole.objects.in_bulk([role for role, _room in order.substitutes.values()])
    rooms = Room.objects.filter(active=True).in_bulk([room for _role, room in order.substitutes.values() if room])
    for pk, (role, room) in order.substitutes.items():
        if pk not in ahead or role not in roles or (room and not _may_sit(ahead[pk], rooms.get(room))):
            raise PreviewStale()


def _may_sit(schedule: Schedule, room: Room | None) -> bool:
    return room is not None and (room.department_id == schedule.department_id or room.campus_id == schedule.campus_id)


def _waiting(order: Suspension, *, now: datetime):
    """Of an order that is only about to begin: nothing of it has been carried out."""
    with_substitute = {int(pk) for pk in order.substitutes}
    rows = scope.ahead(order, now=now)
    return [row for row in rows if row.status == row.Status.OPEN or row.pk in with_substitute]


def has_something_to_do(order: Suspension, *, now: datetime) -> bool:
    """Sessions now, or days that are not laid out yet."""
    return bool(_waiting(order, now=now)) or (not order.schedules and _later_days(order, now=now))


def _later_days(order: Suspension, *, now: datetime) -> bool:
    """Days for which nothing has been laid out yet: the order waits for them."""
    last = scope.last_laid_out(order.organization_id)
    return last is None or order.last_day > last


def carry_out(*, order: Suspension, now: datetime, most: int | None = None) -> int:
    """Do what is left of it. Idempotent; two at once wait for each other at each session. How many were done."""
    done = 0
    for schedule in scope.waiting(order, now=now):
        if most is not None and done >= most:
            return done
        if not _in_force(order):
            return done
        done += _one(order, schedule.pk, now=now)
    Suspension.objects.filter(pk=order.pk, done_at=None).update(done_at=now)
    return done


def _one(order: Suspension, schedule: int, *, now: datetime) -> int:
    given = order.substitutes.get(str(schedule))
    try:
        if given:
            row = sessions.substitute(
                order=order, schedule=schedule, role=given[0], room=given[1], by=order.decided_by, now=now
            )
        else:
            row = sessions.stop(order=order, schedule=schedule, by=order.decided_by, now=now)
    except Refused as refusal:
        _note(order, schedule, refusal.in_full)
        return 0
    except OperationalError:  # e.g. a deadlock: it is still to be done, and the next run does it
        raise
    except Exception as error:  # the other sessions go on; the office reads that this one did not
        log.exception("stop_failed", stop=order.pk, schedule=schedule, error=type(error).__name__)
        _note(order, schedule, Refused().in_full)
        return 0
    if row is None:
        return 0
    offers.top_up(row, now=now)
    return 1


def _note(order: Suspension, schedule: int, sentence: str) -> None:
    with transaction.atomic():
        row = Suspension.objects.select_for_update(no_key=True).get(pk=order.pk)
        row.problems = {**row.problems, str(schedule): sentence}
        row.save(update_fields=["problems"])
        order.problems = row.problems


def _in_force(order: Suspension) -> bool:
    """Asked before each session: somebody may have undone the order while it is being carried out."""
    return Suspension.objects.filter(pk=order.pk, status=Status.ACTIVE).exists()


def retry(*, order: Suspension, by: User, now: datetime, instead: dict[int, tuple[int, int | None]] | None = None):
    """Try again what could not be done, with other substitutes (`instead`), or none: then the session is stopped."""
    with transaction.atomic():
        row = Suspension.objects.select_for_update(no_key=True).get(pk=order.pk)
        if row.status != Status.ACTIVE:
            raise StopDecided(state=row.get_status_display())
        before = row.problems
        kept = {pk: who for pk, who in row.substitutes.items() if pk not in before}
        row.substitutes = kept | {str(pk): list(who) for pk, who in (instead or {}).items()}
        row.problems, row.done_at = {}, None
        row.save(update_fields=["substitutes", "problems", "done_at"])
        detail = {"before": list(before), "after": row.substitutes}
        audit.record(action="stop.retried", actor=by, subject=f"stop:{row.pk}", detail=detail, now=now)
    carry_out(order=row, now=now)
    row.refresh_from_db()
    return row


def undo(*, order: Suspension, by: User, why: str, now: datetime, only: int | None = None) -> Suspension:
    """恢复 the whole order, or the one session `only`. What can't be reopened stays stopped, with the reason on it;
    again tries again. Undoing twice is once."""
    with transaction.atomic():
        row = Suspension.objects.select_for_update(no_key=True).get(pk=order.pk)
        if row.status not in {Status.ACTIVE, Status.UNDONE}:
            raise StopDecided(state=row.get_status_display())
        if only is None and row.status == Status.ACTIVE:
            row.status, row.undone_by, row.undone_at = Status.UNDONE, by, now
            row.save(update_fields=["status", "undone_by", "undone_at"])
        standing = row.sessions.filter(stands=True) if only is None else row.sessions.filter(stands=True, schedule=only)
        detail = {"before": list(standing.values_list("schedule", flat=True)), "after": [], "why": why.strip()}
        audit.record(action="stop.undone", actor=by, subject=f"stop:{row.pk}", detail=detail, now=now)
        standing.update(problem="")
    if only is None:
        carry_back(order=row, by=by, now=now)
    else:
        for session in row.sessions.filter(stands=True, schedule=only):
            _back(session, by=by, now=now)
    row.refresh_from_db()
    return row


def carry_back(*, order: Suspension, by: User | None, now: datetime) -> int:
    """Reopen what still stands of an undone order, session by session."""
    rows = order.sessions.filter(stands=True, problem="", schedule__ends_at__gt=now)  # what is over stays as it was
    return sum(_back(row, by=by, now=now) for row in rows.order_by("pk"))


def _back(row: Substitution, *, by: User | None, now: datetime) -> int:
    try:
        return int(sessions.reopen(row=row, by=by, now=now))
    except Refused as refusal:
        Substitution.objects.filter(pk=row.pk).update(problem=refusal.sentence[:200])
        return 0
    except OperationalError:
        raise
    except Exception as error:
        log.exception("reopen_failed", substitution=row.pk, schedule=row.schedule_id, error=type(error).__name__)
        Substitution.objects.filter(pk=row.pk).update(problem=Refused().sentence[:200])
        return 0
