"""When devices are free for a channel (E1, E10): open sessions, the windows of its pools, and what is left of them.

Five queries whatever the number of devices. A hold whose clock has run out counts as free: whoever books takes it over.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import BigIntegerField, F, Func, Q

from appointments.selectors.rules import ChannelPools
from exams.models import STEP, Device, DeviceSession, Downtime, ExamBooking, SessionWindow
from exams.policies import spans
from exams.policies.spans import Counted, Span


class Epoch(Func):
    """An edge of a range in seconds: whole ranges of ten thousand rows are slow to read."""

    template = "extract(epoch from %(function)s(%(expressions)s))::bigint"
    output_field = BigIntegerField()


def lower(field: str = "during") -> Epoch:
    return Epoch(F(field), function="lower")


def upper(field: str = "during") -> Epoch:
    return Epoch(F(field), function="upper")


@dataclass(frozen=True)
class Free:
    """A stretch of a device in one session, whole steps."""

    device_id: int
    session_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Sitting:
    """A session as the search sees it: its own minutes and those the channel may take."""

    id: int
    device_id: int
    during: Span
    open: tuple[Span, ...]


FreeMinutes = dict[int, list[tuple[int, int, int]]]
"""device id → (start, end, session id), in minutes of `Counted`, in the order of time."""


def free_times(
    *,
    devices: Iterable[Device | int],
    first_day: date,
    days: int,
    pools: ChannelPools,
    now: datetime,
    ignoring: Collection[int] = (),
) -> dict[int, list[Free]]:
    """Per device; `ignoring`: bookings that count as gone (the one that is to be moved)."""
    counted = Counted(first_day)
    found = free_minutes(devices=devices, first_day=first_day, days=days, pools=pools, now=now, ignoring=ignoring)
    return {
        device: [Free(device, session, counted.moment(start), counted.moment(end)) for start, end, session in stretches]
        for device, stretches in found.items()
    }


def free_minutes(
    *,
    devices: Iterable[Device | int],
    first_day: date,
    days: int,
    pools: ChannelPools,
    now: datetime,
    ignoring: Collection[int] = (),
) -> FreeMinutes:
    """`free_times` in minutes from 00:00 of `first_day`: what the planner counts in."""
    ids = sorted({getattr(each, "pk", each) for each in devices})
    counted = Counted(first_day)
    opened = open_sessions(ids, counted=counted, days=days, pools=pools, now=now)
    taken = _taken(ids, counted=counted, days=days, now=now, ignoring=ignoring)
    past = (-(10**9), counted.up(now))
    found: FreeMinutes = {device: [] for device in ids}
    for session in opened:
        left = spans.without(list(session.open), [*taken[session.device_id], past])
        found[session.device_id] += [(start, end, session.id) for start, end in spans.whole_steps(left, STEP)]
    return found


def open_sessions(ids: list[int], *, counted: Counted, days: int, pools: ChannelPools, now: datetime) -> list[Sitting]:
    """What of each session the channel's pools may take at `now`, taken or not, in the order of time."""
    last = counted.first_day + timedelta(days=days - 1)
    rows = DeviceSession.objects.filter(device__in=ids, day__range=(counted.first_day, last), closed=False)
    rows = rows.annotate(starts=lower(), ends=upper()).order_by("starts", "id")
    rows = list(rows.values_list("id", "device_id", "opens_at", "starts", "ends"))
    windows = _windows([row[0] for row in rows], counted=counted)
    found = []
    for pk, device, opens_at, starts, ends in rows:
        during = _minutes(counted, starts, ends)
        usable = [span for span, *about in windows[pk] if _may_take(*about, pools=pools, now=now)]
        if pools.public is not None and opens_at <= now:
            usable += spans.without([during], [span for span, *_about in windows[pk]])
        found.append(Sitting(pk, device, during, tuple(spans.common(spans.merged(usable), [during]))))
    return found


def _windows(sessions: list[int], *, counted: Counted) -> dict[int, list]:
    rows = SessionWindow.objects.filter(session__in=sessions).annotate(starts=lower(), ends=upper())
    found = defaultdict(list)
    for session, starts, ends, *about in rows.values_list(
        "session_id", "starts", "ends", "pool_id", "opens_at", "shared_from"
    ):
        found[session].append((_minutes(counted, starts, ends), *about))
    return found


def _may_take(pool: int, opens_at: datetime, shared_from: datetime | None, *, pools: ChannelPools, now) -> bool:
    """Exact by the two moments, as for numbers: its own channels from `opens_at`, the public's from `shared_from`."""
    if pool in pools.ids and opens_at <= now:
        return True
    return pools.public is not None and shared_from is not None and shared_from <= now


def holding(now: datetime) -> Q:
    """Bookings that take time at `now`: an expired hold takes none."""
    return Q(holds=True) & ~Q(status=ExamBooking.Status.PENDING, hold_until__lte=now)


def _taken(ids: list[int], *, counted: Counted, days: int, now: datetime, ignoring) -> dict[int, list[Span]]:
    """Per device: its bookings, when it is down, and when its team has no hand free. Three queries."""
    first, last = counted.first_day - timedelta(days=1), counted.first_day + timedelta(days=days)
    of_devices = Device.objects.filter(pk__in=ids, team__isnull=False).values_list("pk", "team_id", "team__size")
    teams, sizes = {}, {}
    for device, team, size in of_devices:
        teams[device], sizes[team] = team, size
    rows = ExamBooking.objects.filter(holding(now), day__range=(first, last)).exclude(pk__in=ignoring)
    rows = rows.filter(Q(device__in=ids) | Q(team__in=sizes) if sizes else Q(device__in=ids))
    taken, of_team = defaultdict(list), defaultdict(list)
    for device, team, starts, ends in rows.annotate(starts=lower(), ends=upper()).values_list(
        "device_id", "team_id", "starts", "ends"
    ):
        span = _minutes(counted, starts, ends)
        taken[device].append(span)
        if team in sizes:
            of_team[team].append(span)
    full = {team: spans.crowded(of_team[team], size) for team, size in sizes.items()}
    for device, team in teams.items():
        taken[device] += full[team]
    around = (counted.moment(-spans.DAY), counted.moment((days + 1) * spans.DAY))
    down = Downtime.objects.filter(device__in=ids, stands=True, during__overlap=around)
    for device, starts, ends in down.annotate(starts=lower(), ends=upper()).values_list("device_id", "starts", "ends"):
        taken[device].append(_minutes(counted, starts, ends))
    return taken


def _minutes(counted: Counted, starts: int, ends: int | None) -> Span:
    """Of seconds since 1970; widened to whole minutes. A stretch without an end lasts."""
    zero = int(counted.zero.timestamp())
    return (starts - zero) // 60, 10**9 if ends is None else -((zero - ends) // 60)
