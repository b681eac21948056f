"""What time alone brings to stops: the rest of an order whose worker died, sessions that were laid out since, numbers
kept for those who still choose, and visits of a stopped session that nobody answered for. Each minute; late, twice or
after a gap it does no harm.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import models, transaction

from appointments.models import Appointment, JobRun, Schedule, StopCase, Substitution, Suspension
from appointments.services import changes, runs
from hospital import clock

from . import cases, offers, orders

NOTE = "停诊，就诊时间前没有答复，医院退号"
BATCH = 200

log = structlog.get_logger(__name__)


def follow_up(*, now: datetime) -> int:
    """How many sessions, questions and numbers were settled. Leaves a run's row when there was something to do."""
    rest = list(_unfinished(now=now))
    overdue = _overdue(now=now)
    newly_late = _newly_late(now=now)
    due = [order.decided_at for order in rest] + [case.appointment.start for case in overdue] + newly_late
    if not due:
        return _keep_offers(now=now)
    with runs.start(JobRun.Job.STOPS, due_at=min(due), now=now) as run:
        moved = sum(_guarded(_carry, order, now=now) for order in rest)
        moved += _keep_offers(now=now)
        moved += sum(_guarded(_end, case, now=now) for case in overdue)
        run.moved(moved + len(newly_late), {"sessions_and_cases": moved, "to_call": len(newly_late)})
    return moved


def _guarded(act: Callable[..., int], row: models.Model, *, now: datetime) -> int:
    """One that fails is logged and tried again in the next run; the others go on."""
    try:
        return act(row, now=now)
    except Exception as error:
        kind = row._meta.model_name
        log.exception("stop_follow_up_failed", kind=kind, pk=row.pk, error=type(error).__name__)
        return 0


def _unfinished(*, now: datetime):
    """In force with sessions left to do, or undone with sessions left to reopen."""
    today = clock.today(now)
    active = Suspension.objects.filter(status=Suspension.Status.ACTIVE, last_day__gte=today)
    undone = Suspension.objects.filter(
        status=Suspension.Status.UNDONE,
        sessions__stands=True,
        sessions__problem="",
        sessions__schedule__ends_at__gt=now,
    )
    from_scope = [row for row in active.select_related("decided_by") if orders.scope.waiting(row, now=now)]
    return [*from_scope, *undone.distinct()]


def _carry(order: Suspension, *, now: datetime) -> int:
    if order.status == Suspension.Status.ACTIVE:
        return orders.carry_out(order=order, now=now)
    return orders.carry_back(order=order, by=order.undone_by, now=now)


def _keep_offers(*, now: datetime) -> int:
    asked = Substitution.objects.filter(stands=True, cases__answer=StopCase.Answer.NONE, cases__deadline__gt=now)
    rows = asked.select_related("schedule__service", "original").distinct().order_by("pk")
    kept = sum(_guarded(offers.top_up, row, now=now) for row in rows)
    return kept + sum(_guarded(_give_back, row, now=now) for row in offers.left_behind(now=now))


def _give_back(row: Substitution, *, now: datetime) -> int:
    return offers.give_back(row)


def _overdue(*, now: datetime) -> list[StopCase]:
    """Open questions whose visit's time has come."""
    rows = StopCase.objects.filter(answer=StopCase.Answer.NONE, appointment__start__lte=now)
    return list(
        rows.select_related("appointment", "substitution__schedule").order_by("appointment__start", "pk")[:BATCH]
    )


def _newly_late(*, now: datetime) -> list[datetime]:
    """Deadlines that passed since the last run that is written: these go to the call list, which is computed."""
    last = (
        JobRun.objects.filter(job=JobRun.Job.STOPS).order_by("-started_at").values_list("started_at", flat=True).first()
    )
    since = last or now - timedelta(days=1)
    late = StopCase.objects.filter(answer=StopCase.Answer.NONE, deadline__gt=since, deadline__lte=now)
    return list(late.values_list("deadline", flat=True))


@transaction.atomic
def _end(case: StopCase, *, now: datetime) -> int:
    """A stopped visit is given back by the hospital, with the fact that a refund hangs on; with a substitute there the
    visit simply happens. Once: under the lock of the appointment."""
    [row] = changes.lock(case.appointment_id)
    case = cases.locked(case)
    if case.answer or row.start > now:
        return 0
    stopped = row.schedule.status == Schedule.Status.STOPPED and row.schedule_id == case.substitution.schedule_id
    if row.status == Appointment.Status.BOOKED and stopped:
        changes.cancel(appointment=row, by=None, channel="counter", reason=NOTE, hospital=True, now=now)
        cases.settle(case, answer=StopCase.Answer.CANCEL, by=None, now=now, hospital=True)
    else:
        StopCase.objects.filter(pk=case.pk).update(answer=StopCase.Answer.GONE, answered_at=now)
    return 1
