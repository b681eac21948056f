"""When devices are free for a channel (E1, E10): open sessions, the windows of its pools, and what is left of them.

Five queries whatever the number of devices. A hold whose clock has run out counts as free: whoever books takes it over.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import BigIntegerField, F, Func, Q

from appointments.selectors.rules import ChannelPools
from exams.models import (
    STEP,
    Device,
    DeviceAbility,
    DeviceSession,
    Downtime,
    ExamBooking,
    ExamRequest,
    ExamRule,
    SessionWindow,
)
from exams.policies import limits, spans
from exams.policies.spans import Counted, Span
from exams.selectors import around, rules, walks
from exams.selectors.holding import holding
from exams.selectors.ordering import exam_of, rules_in_force
from hospital import clock


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
    taken = taken_times(ids, counted=counted, days=days, now=now, ignoring=ignoring)
    past, beyond = (-(10**9), max(counted.up(now), 0)), (days * spans.DAY, 10**9)
    gone = {device: spans.merged([*taken[device], past, beyond]) for device in ids}
    found: FreeMinutes = {device: [] for device in ids}
    for session in opened:
        left = spans.cut(session.open, gone[session.device_id])
        found[session.device_id] += [(start, end, session.id) for start, end in spans.whole_steps(left, STEP)]
    return found


def open_sessions(ids: list[int], *, counted: Counted, days: int, pools: ChannelPools, now: datetime) -> list[Sitting]:
    """What of each session the channel's pools may take at `now`, taken or not, in the order of time. One that began
    the evening before counts too."""
    first, last = counted.first_day - timedelta(days=1), counted.first_day + timedelta(days=days - 1)
    rows = DeviceSession.objects.filter(device__in=ids, day__range=(first, last), closed=False)
    rows = rows.filter(during__endswith__gt=counted.zero)
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


def taken_times(
    ids: list[int], *, counted: Counted, days: int, now: datetime, ignoring: Collection[int] = ()
) -> dict[int, list[Span]]:
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


def next_start(device: Device, *, minutes: int, now: datetime) -> datetime | None:
    """For who stands at the desk: the first free minutes of today's rest, whatever pool they are in; outside the
    device's hours at once, if nothing else is on it. None: no room today."""
    return next_starts([(device.pk, minutes)], now=now)[device.pk, minutes]


def next_starts(wanted: Iterable[tuple[int, int]], *, now: datetime) -> dict[tuple[int, int], datetime | None]:
    """(device, minutes) → its next start. Five queries however many."""
    wanted = set(wanted)
    ids, counted = sorted({device for device, _minutes in wanted}), Counted(clock.today(now))
    rows = DeviceSession.objects.filter(device__in=ids, day__gte=counted.first_day - timedelta(days=1), closed=False)
    rows = rows.filter(day__lte=counted.first_day).annotate(starts=lower(), ends=upper()).order_by("starts")
    sessions = defaultdict(list)
    for device, starts, ends in rows.values_list("device_id", "starts", "ends"):
        sessions[device].append(_minutes(counted, starts, ends))
    taken = taken_times(ids, counted=counted, days=1, now=now)
    at = -(-counted.up(now) // STEP) * STEP
    found = {}
    for device, minutes in wanted:
        start = _first_room(sessions[device], taken[device], at=at, minutes=minutes)
        found[device, minutes] = None if start is None else counted.moment(start)
    return found


def _first_room(sessions: list[Span], taken: list[Span], *, at: int, minutes: int) -> int | None:
    if not any(start <= at < end for start, end in sessions):
        sessions = [(at, at + minutes), *sessions]
    for start, end in spans.without(spans.merged(sessions), [*taken, (-(10**9), at)]):
        start = -(-start // STEP) * STEP
        if start + minutes <= end and start < spans.DAY:
            return start
    return None


def _minutes(counted: Counted, starts: int, ends: int | None) -> Span:
    """Of seconds since 1970; widened to whole minutes. A stretch without an end lasts."""
    zero = counted.seconds
    return (starts - zero) // 60, 10**9 if ends is None else -((zero - ends) // 60)


# ---- published segments ----


@dataclass(frozen=True)
class Segment:
    """可约时段, at most half an hour: what patients choose from. `first_start`: when the exam would begin, on `device`;
    `left`: how many more of this exam could begin in it."""

    day: date
    start: datetime
    end: datetime
    first_start: datetime
    device: Device
    left: int


def segments(
    *,
    request: ExamRequest,
    channel: str,
    first_day: date,
    days: int,
    now: datetime,
    partner: int | None = None,
    moving: ExamBooking | None = None,
    per_device: bool = False,
    per_campus: bool = False,
) -> list[Segment]:
    """When this exam can be booked through this channel, in the order of time: what of the devices' time fits the
    patient's day, the preparation and the order of the patient's exams. About a dozen queries whatever the number of
    devices. `per_device`: each device by itself, for the booking centre; `per_campus`: each campus by itself, for
    people who have to get there."""
    look = _Look.at(request, channel=channel, first_day=first_day, days=days, now=now, partner=partner, moving=moving)
    found: dict[tuple, list[tuple[int, int, Device]]] = defaultdict(list)
    for device, minutes, stretches in look.stretches():
        for (start, first), left in _begins(stretches, minutes=minutes, step=look.rule.segment_minutes).items():
            by = device.pk if per_device else device.zone.campus_id if per_campus else 0
            found[start, by].append((first, left, device))
    return [look.segment(start, begins) for (start, _by), begins in sorted(found.items(), key=lambda each: each[0])]


def _begins(stretches: list[Span], *, minutes: int, step: int) -> dict[tuple[int, int], int]:
    """(segment, first start in it) → how many fit one after the other from there on."""
    firsts: dict[int, int] = {}
    count: dict[int, int] = defaultdict(int)
    for start, end in stretches:
        for segment in range(start // step * step, end - minutes + 1, step):
            first, last = max(segment, start), min(segment + step - STEP, end - minutes)
            if first <= last:
                firsts.setdefault(segment, first)
                count[segment] += (last - first) // minutes + 1
    return {(segment, first): count[segment] for segment, first in firsts.items()}


@dataclass(frozen=True)
class _Look:
    """One exam, all its devices, and what limits it."""

    request: ExamRequest
    rule: ExamRule
    counted: Counted
    days: int
    now: datetime
    abilities: list[DeviceAbility]
    free: FreeMinutes
    promised: list[around.Promise]
    walking: walks.Walks
    apart: list[Span]
    moving: ExamBooking | None
    together: tuple[ExamBooking, ...]  # the moving one's sitting

    @classmethod
    def at(cls, request, *, channel, first_day, days, now, partner, moving) -> "_Look":
        house, counted = request.organization_id, Counted(first_day)
        rule = rules.exam_rule(house, day=clock.today(now))
        pools = rules.pools_for_exams(
            channel, organization_id=house, day=clock.today(now), requests=[request], partner_id=partner
        )
        able = DeviceAbility.objects.filter(variant=request.variant, device__active=True, device__organization=house)
        together = around.sitting_of(moving, now=now) if moving else []
        for row in together:
            able = able.filter(device__abilities__variant=row.variant_id)
        able = list(able.select_related("device__room", "device__zone__campus").order_by("device__code"))
        gone = around.gone(request.patient_id, requests=[request.pk, *(row.request_id for row in together)], now=now)
        gone += [row.pk for row in together]
        ids = [each.device_id for each in able]
        return cls(
            request=request,
            rule=rule,
            counted=counted,
            days=days,
            now=now,
            abilities=able,
            free=free_minutes(devices=ids, first_day=first_day, days=days, pools=pools, now=now, ignoring=gone),
            promised=around.promises(
                request.patient_id, first=counted.zero, last=counted.moment(days * spans.DAY), ignoring=gone
            ),
            walking=walks.walks_between({each.device.zone for each in able}, rule=rule),
            apart=_apart(request, counted=counted, now=now, ignoring=gone),
            moving=moving,
            together=tuple(together),
        )

    def stretches(self):
        """(device, minutes, when the exam can lie on it) of each device."""
        variant = self.request.variant
        for ability in self.abilities:
            minutes = ability.minutes or variant.minutes
            allowed = limits.allowed(
                self.request,
                minutes=minutes,
                counted=self.counted,
                days=self.days,
                now=self.now,
                rule=self.rule,
                prepared_for=self.moving.during.lower if self.moving else None,
            )
            zone = ability.device.zone
            busy = [
                limits.beside(
                    self.counted.minute(each.start),
                    self.counted.up(each.end),
                    before=variant.before,
                    after=variant.after,
                    walk=self.walking.to(each, zone),
                )
                for each in self.promised
            ]
            free = [(start, end) for start, end, _session in self.free[ability.device_id]]  # not across two sessions
            before, after = self._beside()
            left = spans.without(spans.common(free, allowed), [*busy, *self.apart])
            left = [(start + before, end - after) for start, end in spans.whole_steps(left, STEP)]
            yield ability.device, minutes, left

    def _beside(self) -> tuple[int, int]:
        """Minutes that the others of the sitting take before and after it."""
        own = [row.pk for row in self.together].index(self.moving.pk) if self.together else 0
        lengths = [(row.during.upper - row.during.lower) // spans.MINUTE for row in self.together]
        return sum(lengths[:own]), sum(lengths[own + 1 :])

    def segment(self, start: int, begins: list[tuple[int, int, Device]]) -> Segment:
        """On the device that is free first; of several, where most is left."""
        first, _left, device = min(begins, key=lambda each: (each[0], -each[1], each[2].code))
        moment = self.counted.moment
        end = start + self.rule.segment_minutes
        left = sum(each[1] for each in begins)
        return Segment(self.counted.day(start), moment(start), moment(end), moment(first), device, left)


def _apart(request: ExamRequest, *, counted: Counted, now: datetime, ignoring: Collection[int]) -> list[Span]:
    """When the order of the patient's other exams forbids this one."""
    others = around.standing_exams(request.patient_id, now=now, ignoring=ignoring)
    if not others:
        return []
    exam = exam_of(request)
    found = around.rules_between([exam], others, rules_in_force(request.organization_id))
    times = {each.key: (counted.minute(each.start), counted.up(each.end)) for each in others}
    over = {each.key for each in others if each.over}
    return limits.forbidden(exam.key, found, times, over=over)
