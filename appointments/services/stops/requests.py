"""A doctor asks for a stop, the office decides (O9)."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from django.db import transaction

from appointments.errors import NeedsStopReason, NothingToStop, StopDecided
from appointments.models import Suspension
from hospital import audit
from hospital.models import User

from . import orders, telling
from .orders import Wish

Status = Suspension.Status


@transaction.atomic
def ask(*, wish: Wish, by: User, now: datetime) -> Suspension:
    """申请停诊 of the doctor's own sessions. Asking for the same again while it waits is the same request: two clicks
    wait for each other at the account's row."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    row = wish.row(by=by, status=Status.REQUESTED, now=now)
    same = Suspension.objects.filter(
        organization=row.organization_id,
        practitioner=row.practitioner_id,
        status=Status.REQUESTED,
        first_day=row.first_day,
        last_day=row.last_day,
        half=row.half,
        schedules=row.schedules,
    ).first()
    if same:
        return same
    if not orders.has_something_to_do(row, now=now):
        raise NothingToStop()
    row.save()
    _trace("stop.asked", row, by=by, why=row.reason, now=now)
    return row


@transaction.atomic
def ask_each(*, wishes: Iterable[Wish], by: User, now: datetime) -> list[Suspension]:
    """The same of several houses, each of which decides on its own sessions. Where there is nothing to stop nothing is
    asked. Raises NothingToStop when that is everywhere."""
    asked = []
    for wish in wishes:
        with suppress(NothingToStop):
            asked.append(ask(wish=wish, by=by, now=now))
    if not asked:
        raise NothingToStop()
    return asked


@transaction.atomic
def withdraw(*, order: Suspension, by: User, now: datetime) -> Suspension:
    """Before it was decided on; twice is once. Raises StopDecided."""
    row = _locked(order)
    if row.status == Status.WITHDRAWN:
        return row
    _still_asked(row)
    row.status = Status.WITHDRAWN
    row.save(update_fields=["status"])
    _trace("stop.withdrawn", row, by=by, now=now)
    return row


def approve(
    *,
    order: Suspension,
    by: User,
    now: datetime,
    decision: str = "",
    seen: str | None = None,
    substitutes=None,
    most=None,
) -> Suspension:
    """The request is in force and carried out, with substitutes where the office found some."""
    with transaction.atomic():
        row = _locked(order)
        if row.status == Status.ACTIVE and row.decided_by_id == by.pk:
            return row  # the second click
        _still_asked(row)
        row.status, row.decided_by, row.decided_at, row.decision = Status.ACTIVE, by, now, decision.strip()
        row.substitutes = {str(pk): list(who) for pk, who in (substitutes or {}).items()}
        orders.begin(row, seen=seen, by=by, now=now)
        telling.say_decided(row, now=now)
    orders.carry_out(order=row, now=now, most=most)
    row.refresh_from_db()
    return row


@transaction.atomic
def reject(*, order: Suspension, by: User, reason: str, now: datetime) -> Suspension:
    """With a reason that the doctor reads. Raises NeedsStopReason, StopDecided."""
    if not reason.strip():
        raise NeedsStopReason()
    row = _locked(order)
    _still_asked(row)
    row.status, row.decided_by, row.decided_at, row.decision = Status.REJECTED, by, now, reason.strip()
    row.save(update_fields=["status", "decided_by", "decided_at", "decision"])
    _trace("stop.rejected", row, by=by, why=row.decision, now=now)
    telling.say_decided(row, now=now)
    return row


def _locked(order: Suspension) -> Suspension:
    return Suspension.objects.select_for_update(no_key=True).get(pk=order.pk)


def _still_asked(row: Suspension) -> None:
    if row.status != Status.REQUESTED:
        raise StopDecided(state=row.get_status_display())


def _trace(action: str, row: Suspension, *, by: User, now: datetime, why: str = "") -> None:
    audit.record(action=action, actor=by, subject=f"stop:{row.pk}", detail={"why": why} if why else {}, now=now)
