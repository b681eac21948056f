"""Laying out sessions: writing what the weekly hours yield and is not there yet, and fitting the rest to new hours.

A session that somebody has booked in is never taken from under them: it is made longer or shorter only where every
booking still fits, and what could not be done is said.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.models import Device, DeviceSession, ExamBooking, SessionWindow
from exams.selectors.rules import exam_rule
from hospital import clock
from hospital.models import Organization

from .timetable import Hours, Stretch

SPARE_DAYS = 7
"""Laid out beyond the horizon: a week of failed nights must not show."""

BATCH = 500


@dataclass(frozen=True)
class Left:
    """A session that is not as the hours want it, because `booked` exams are in it or another session is in its way."""

    session: int
    day: date
    during: DateTimeTZRange
    booked: int


@dataclass
class Fitted:
    """What fitting the coming sessions to the hours did."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    left: list[Left] = field(default_factory=list)


def ahead(organization: Organization, *, today: date) -> date:
    """The last day that is laid out."""
    return today + timedelta(days=exam_rule(organization.pk, day=today).horizon_days + SPARE_DAYS)


@transaction.atomic
def lay_out(*, organization: Organization, first_day: date, last_day: date, now: datetime) -> int:
    """Write the sessions of these days, both included, that are not there yet. Returns how many.

    Safe to repeat and at once from two workers: what stands anywhere in a stretch keeps it from being laid again, and
    what was closed, moved or released by hand stays as it is.
    """
    devices = Device.objects.select_for_update(no_key=True).filter(organization=organization, active=True)
    list(devices.order_by("pk").values_list("pk", flat=True))
    hours = Hours(organization=organization, first_day=first_day, last_day=last_day)
    standing = _standing(first_day, last_day, organization=organization)
    wanted = [each for each in hours.wanted() if each.during.upper > now]
    return _write(_fits_beside(wanted, standing), now=now)


def lay_out_all(*, now: datetime) -> Iterator[tuple[str, dict[str, int]]]:
    """Nightly: every device's coming days, a device a transaction. Yields each organization's code with its counts."""
    for organization in Organization.objects.filter(active=True, devices__active=True).distinct().order_by("pk"):
        sums = {"added": 0, "changed": 0, "removed": 0, "left": 0}
        for pk in organization.devices.filter(active=True).order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                device = Device.objects.select_for_update(no_key=True, of=["self"]).select_related("organization")
                fitted = fit(device=device.get(pk=pk), now=now)
            done = {"added": fitted.added, "changed": fitted.changed, "removed": fitted.removed}
            sums = {name: sums[name] + (done | {"left": len(fitted.left)})[name] for name in sums}
        yield organization.code, sums


def _standing(first_day: date, last_day: date, **of_device) -> dict[int, list[DateTimeTZRange]]:
    """Device → what is taken already, from the day before on: a session by hand may cross midnight."""
    span = (first_day - timedelta(days=1), last_day + timedelta(days=1))
    rows = DeviceSession.objects.filter(day__range=span, **{f"device__{k}": v for k, v in of_device.items()})
    taken = defaultdict(list)
    for device, during in rows.values_list("device_id", "during"):
        taken[device].append(during)
    return taken


def overlap(one: DateTimeTZRange, other: DateTimeTZRange) -> bool:
    return one.lower < other.upper and other.lower < one.upper


def _fits_beside(wanted: Iterable[Stretch], standing: dict[int, list[DateTimeTZRange]]) -> list[Stretch]:
    """Those that meet nothing which is there, nor each other (two weekly hours of one device that overlap)."""
    fitting = []
    for each in wanted:
        if not any(overlap(each.during, taken) for taken in standing[each.device]):
            standing[each.device].append(each.during)
            fitting.append(each)
    return fitting


def _write(stretches: list[Stretch], *, now: datetime) -> int:
    rows = [
        DeviceSession(
            device_id=each.device, hours_id=each.hours, day=each.day, during=each.during, opens_at=each.opens_at
        )
        for each in stretches
    ]
    DeviceSession.objects.bulk_create(rows, batch_size=BATCH)
    windows = [window for row, each in zip(rows, stretches, strict=True) for window in _windows(row, each)]
    SessionWindow.objects.bulk_create(windows, batch_size=BATCH)
    return len(rows)


def _windows(session: DeviceSession, stretch: Stretch) -> list[SessionWindow]:
    return [
        SessionWindow(
            session=session,
            pool_id=part.pool,
            during=part.during,
            opens_at=stretch.opens_at,
            shared_from=part.shared_from,
        )
        for part in stretch.parts
    ]


def fit(*, device: Device, orphans: Iterable[int] = (), now: datetime) -> Fitted:
    """Make the device's coming sessions what its hours want. The caller is in a transaction and holds the device.

    Sessions by hand stay. `orphans`: sessions whose weekly hours have just gone. One that has begun stays too.
    Locks the coming sessions by id, so that a booking which is half-way is waited for and seen.
    """
    today, result = clock.today(now), Fitted()
    last_day = ahead(device.organization, today=today)
    rows = DeviceSession.objects.select_for_update(no_key=True, of=["self"]).filter(device=device, day__gte=today)
    coming = [row for row in rows.prefetch_related("windows").order_by("pk") if row.during.lower > now]
    hours = Hours(organization=device.organization, first_day=today, last_day=last_day, device=device)
    wanted = [each for each in hours.wanted() if each.during.lower > now]
    mine = set(orphans)
    laid = [row for row in coming if row.hours_id is not None or row.pk in mine or row.closed]
    booked, known = _booked(laid)
    pairs = _pairs(laid, wanted)
    for row in laid:
        if row.pk not in pairs and (row.hours_id is not None or row.pk in mine):
            _take_away(row, result, booked=booked[row.pk], known=row.pk in known)
    _change(pairs, {row.pk: row for row in laid}, booked, result, now=now)
    standing = _standing(today, last_day, pk=device.pk)
    done = {id(each) for each in pairs.values()}
    result.added = _write(_fits_beside([each for each in wanted if id(each) not in done], standing), now=now)
    return result


def _booked(laid: list[DeviceSession]) -> tuple[dict[int, list[DateTimeTZRange]], set[int]]:
    """Session → what is booked in it, and which sessions any booking ever named. A displaced exam (停机) holds nothing,
    but is put back where it was when the device runs again sooner: it counts as booked."""
    held, known = defaultdict(list), set()
    over = ExamBooking.OVER
    rows = ExamBooking.objects.filter(session__in=[row.pk for row in laid])
    for session, during, status in rows.values_list("session_id", "during", "status"):
        known.add(session)
        if status not in over:
            held[session].append(during)
    return held, known


def _pairs(laid: list[DeviceSession], wanted: list[Stretch]) -> dict[int, Stretch]:
    """Session → the stretch that it becomes: each the first that it overlaps, each stretch once."""
    left, pairs = list(wanted), {}
    for row in sorted(laid, key=lambda row: row.during.lower):
        meant = next((each for each in left if overlap(each.during, row.during)), None)
        if meant is not None:
            pairs[row.pk] = meant
            left.remove(meant)
    return pairs


def _take_away(row: DeviceSession, result: Fitted, *, booked: list, known: bool) -> None:
    """No weekly hours want it any more. What bookings of the past name is closed and kept; belonging to no hours it is
    taken up again when some want that time."""
    if booked:
        result.left.append(Left(row.pk, row.day, row.during, len(booked)))
        return
    if known:
        DeviceSession.objects.filter(pk=row.pk).update(closed=True, hours=None)
    else:
        row.delete()
    result.removed += 1


def _change(pairs: dict[int, Stretch], rows: dict, booked: dict, result: Fitted, *, now: datetime) -> None:
    """First all that become shorter, then those that become longer: no two of them ever overlap on the way."""
    moving = []
    for pk, meant in pairs.items():
        row = rows[pk]
        if not all(meant.during.lower <= each.lower and each.upper <= meant.during.upper for each in booked[pk]):
            result.left.append(Left(pk, row.day, row.during, len(booked[pk])))
            continue
        common = DateTimeTZRange(max(row.during.lower, meant.during.lower), min(row.during.upper, meant.during.upper))
        if common != row.during:
            DeviceSession.objects.filter(pk=pk).update(during=common)
        moving.append((row, meant))
    for row, meant in moving:
        others = DeviceSession.objects.filter(device=row.device_id, during__overlap=meant.during).exclude(pk=row.pk)
        if row.during != meant.during and others.exists():  # what stays is in the way: as much of it as both want
            result.left.append(Left(row.pk, row.day, row.during, len(booked[row.pk])))
        else:
            result.changed += _become(row, meant, now=now)


def _become(row: DeviceSession, meant: Stretch, *, now: datetime) -> bool:
    """Its times, hours and windows. Whether anything was changed. What belonged to no hours is open again; what the
    office closed stays closed."""
    was = (row.during, row.hours_id, row.opens_at, row.closed)
    row.closed = row.closed and row.hours_id is not None
    row.during, row.hours_id, row.day, row.opens_at = meant.during, meant.hours, meant.day, meant.opens_at
    changed = was != (row.during, row.hours_id, row.opens_at, row.closed)
    if changed:
        row.save(update_fields=["during", "hours", "day", "opens_at", "closed"])
    return _windows_anew(row, meant, now=now) or changed


def _windows_anew(row: DeviceSession, meant: Stretch, *, now: datetime) -> bool:
    """Where they differ. What everybody may book by now, planned or released by hand, is not taken back."""
    wanted, before = _windows(row, meant), {(one.pool_id, one.during): one for one in row.windows.all()}
    for one in wanted:
        old = before.get((one.pool_id, one.during))
        if old and old.shared_from and old.shared_from <= now:
            one.shared_from = old.shared_from
    said = {(*key, one.opens_at, one.shared_from) for key, one in before.items()}
    if said == {(one.pool_id, one.during, one.opens_at, one.shared_from) for one in wanted}:
        return False
    row.windows.all().delete()
    SessionWindow.objects.bulk_create(wanted)
    return True
