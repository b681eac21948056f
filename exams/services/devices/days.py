"""A single day by hand: close a session, open it again, add one, let everybody book what is still held back (E10)."""

from datetime import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.errors import (
    DeviceSessionOver,
    ExamsBooked,
    NothingToRelease,
    SessionInTheWay,
    SessionTooFar,
    SessionTooShort,
)
from exams.models import Device, DeviceSession, ExamBooking, SessionWindow
from exams.policies import devices as policy
from exams.selectors import devices as selectors
from exams.services.devices.layout import ahead
from hospital import audit, clock
from hospital.models import User

Status = ExamBooking.Status


def _locked(session: int, *, now: datetime) -> DeviceSession:
    """The session, if it is not over. Whoever is booking in it right now is waited for and seen."""
    row = DeviceSession.objects.select_for_update(no_key=True).get(pk=session)
    if row.during.upper <= now:
        raise DeviceSessionOver()
    return row


@transaction.atomic
def close(*, session: int, by: User, now: datetime) -> DeviceSession:
    """停开: nobody can book in it any more. Raises ExamsBooked where somebody has (that is a downtime's matter),
    DeviceSessionOver. Twice is once."""
    row = _locked(session, now=now)
    rows = ExamBooking.objects.filter(session=row).exclude(status__in=[*ExamBooking.OVER, Status.DONE])
    count = rows.exclude(status=Status.PENDING, hold_until__lte=now).count()
    if count:
        raise ExamsBooked(count=count)
    return _set(row, closed=True, by=by, now=now)


@transaction.atomic
def reopen(*, session: int, by: User, now: datetime) -> DeviceSession:
    """Raises DeviceSessionOver. Twice is once."""
    return _set(_locked(session, now=now), closed=False, by=by, now=now)


def _set(row: DeviceSession, *, closed: bool, by: User, now: datetime) -> DeviceSession:
    if row.closed != closed:
        row.closed = closed
        row.save(update_fields=["closed"])
        _trace("closed" if closed else "reopened", row, by=by, now=now)
    return row


@transaction.atomic
def add(*, device: Device, during: DateTimeTZRange, by: User, now: datetime) -> DeviceSession:
    """加开: open to everybody at once. A closed session that lies wholly inside makes room. Raises SessionInTheWay,
    SessionTooShort, SessionTooFar, DeviceSessionOver."""
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    day = clock.today(during.lower)
    if during.upper <= now:
        raise DeviceSessionOver()
    if day > (last := ahead(device.organization, today=clock.today(now))):
        raise SessionTooFar(day=f"{last:%m-%d}")
    least = selectors.shortest_exam(device)
    if policy.usable_minutes(during) < least:
        raise SessionTooShort(minutes=least)
    there = list(
        DeviceSession.objects.select_for_update(no_key=True)
        .filter(device=device, during__overlap=during)
        .order_by("pk")
    )
    blocking = next((row for row in there if not _makes_room(row, during)), None)
    if blocking:
        raise SessionInTheWay(during=policy.said(blocking.during))
    row = _taken_up(there, during) if there else DeviceSession(device=device)
    row.day, row.during, row.opens_at, row.hours, row.closed = day, during, now, None, False
    row.save()
    row.windows.all().delete()
    _trace("added", row, by=by, now=now)
    return row


def _makes_room(row: DeviceSession, during: DateTimeTZRange) -> bool:
    inside = during.lower <= row.during.lower and row.during.upper <= during.upper
    return row.closed and inside and not row.bookings.filter(holds=True).exists()


def _taken_up(there: list[DeviceSession], during: DateTimeTZRange) -> DeviceSession:
    """The first of the closed ones becomes the new one; of the others what no booking names goes."""
    first, *others = there
    for row in others:
        if row.bookings.exists():
            raise SessionInTheWay(during=policy.said(row.during))
        row.delete()
    return first


@transaction.atomic
def release(*, window: int, by: User, now: datetime) -> SessionWindow:
    """提前放开: from now on everybody may book what is free of a reserve; its own pool may still. Raises
    NothingToRelease."""
    seen = SessionWindow.objects.filter(pk=window).values_list("session_id", flat=True).first()
    if seen is None:
        raise NothingToRelease()
    DeviceSession.objects.select_for_update(no_key=True).get(pk=seen)
    row = SessionWindow.objects.select_related("session", "pool").filter(pk=window).first()
    if row is None or row.during.upper <= now or (row.shared_from and row.shared_from <= now):
        raise NothingToRelease()
    before = row.shared_from
    row.shared_from = now
    row.save(update_fields=["shared_from"])
    detail = {"window": policy.said(row.during), "pool": row.pool_id, "before": before and before.isoformat()}
    _trace("released", row.session, by=by, now=now, **detail)
    return row


def _trace(what: str, row: DeviceSession, *, by: User, now: datetime, **more) -> None:
    audit.record(
        action=f"device.day_{what}", actor=by, now=now, subject=f"devicesession:{row.pk}",
        detail={"device": row.device_id, "during": policy.said(row.during), **more},
    )  # fmt: skip
