"""The look: which sessions and numbers would move, which patients, and who or what stands in the way."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from django.db.models import Q
from django.utils.translation import gettext as _

from appointments.models import Appointment, BulkAct, Schedule, ScheduleParticipant
from appointments.policies.hours import Period, put_in
from appointments.services.moving import TOLD, WAITING, Move, Span, place_of, plan_of
from hospital import clock
from hospital.models import Campus, HalfDay, HalfDayHours, PatientTime, User

MOST_LISTED = 1000


@dataclass(frozen=True)
class Wanted:
    """Hours of some half-days of a campus, from a day on or over some days (both included)."""

    campus: Campus
    halves: dict[str, tuple[time, time]]
    first: date
    last: date | None
    reason: str

    def params(self) -> dict:
        halves = {half: [f"{starts:%H:%M}", f"{ends:%H:%M}"] for half, (starts, ends) in self.halves.items()}
        last = self.last.isoformat() if self.last else None
        return {"campus": self.campus.pk, "halves": halves, "first": self.first.isoformat(), "last": last}


def wanted_of(act: BulkAct) -> Wanted:
    """What an act was asked for."""
    said = act.params
    halves = {half: tuple(map(time.fromisoformat, hours)) for half, hours in said["halves"].items()}
    last = date.fromisoformat(said["last"]) if said["last"] else None
    campus = Campus.objects.select_related("organization").get(pk=said["campus"])
    return Wanted(campus, halves, date.fromisoformat(said["first"]), last, act.reason)


def hours_now(campus: Campus | int) -> dict[str, list[Period]]:
    """Half-day → its periods, in order."""
    found = defaultdict(list)
    for row in HalfDayHours.objects.filter(campus=campus).order_by("half", "effective_from"):
        found[row.half].append(Period(row.starts, row.ends, row.effective_from, row.effective_to))
    return found


def hours_then(wanted: Wanted) -> dict[str, list[Period]]:
    """The periods of the half-days that change. Raises HoursOverlap, HoursGap, HoursAsBefore when none changes."""
    now, then = hours_now(wanted.campus), {}
    for half, (starts, ends) in wanted.halves.items():
        new = Period(starts, ends, wanted.first, wanted.last)
        then[half] = put_in(now[half], new, half=str(HalfDay(half).label))
    return then


def look(*, wanted: Wanted, by: User, now: datetime) -> BulkAct:
    """Keep what was seen as a previewed act. Raises what `hours_then` raises. Writes nothing else."""
    hours_then(wanted)
    act = BulkAct(
        organization=wanted.campus.organization, kind=BulkAct.Kind.RETIME, params=wanted.params(), by=by,
        reason=wanted.reason, created_at=now,
    )  # fmt: skip
    fill(act, wanted, now=now)
    act.save()
    return act


def fill(act: BulkAct, wanted: Wanted, *, now: datetime) -> None:
    """A fresh look into the act. The digest leaves bookings out: they come by the minute, and each patient is told."""
    targets = targets_of(wanted, now=now)
    blocked = _too_full(targets) | _sitting_elsewhere(targets)
    moving = {row.pk: span for row, span in targets if row.pk not in blocked}
    touched = _touched(moving)
    left = _left(touched)
    told = sum(1 for one in touched if one.status in TOLD and one.pk not in left)
    act.schedules = sorted(row.pk for row, _span in targets)
    act.effect = {
        "lines": [],
        "messages": [[_("就诊时间调整"), told]] if told else [],
        "schedules": len(moving),
        "numbers": sum(row.capacity for row, _span in targets if row.pk in moving),
        "patients": len(touched) - len(left),
        "refused": len(blocked),
        "blocked": sorted(blocked.items())[:MOST_LISTED],
        "left": sorted(left)[:MOST_LISTED],
        "left_count": len(left),
    }
    then = {
        half: [list(map(str, vars(one).values())) for one in periods]
        for half, periods in hours_now(wanted.campus).items()
    }
    seen = [
        then,
        [(row.pk, row.starts_at.isoformat(), row.ends_at.isoformat()) for row, _span in targets],
        sorted(blocked),
    ]
    act.digest = sha256(json.dumps(seen, default=str, sort_keys=True).encode()).hexdigest()


def targets_of(wanted: Wanted, *, now: datetime) -> list[tuple[Schedule, Span]]:
    """Sessions by the half-day's hours that are still ahead and lie otherwise. Own hours and stopped ones stay."""
    days = Q(day__gte=wanted.first) & (Q(day__lte=wanted.last) if wanted.last else Q())
    rows = Schedule.objects.filter(
        days, campus=wanted.campus, half__in=wanted.halves, starts_at__gt=now, status=Schedule.Status.OPEN,
        template__isnull=False, template__starts__isnull=True,
    )  # fmt: skip
    found = []
    for row in rows.order_by("pk"):
        span = tuple(clock.at(row.day, wall) for wall in wanted.halves[row.half])
        if span != (row.starts_at, row.ends_at):
            found.append((row, span))
    return found


def _too_full(targets: list[tuple[Schedule, Span]]) -> dict[int, str]:
    return {row.pk: "too_many_numbers" for row, span in targets if plan_of(Move.to_hours(row, span)) is None}


def _sitting_elsewhere(targets: list[tuple[Schedule, Span]]) -> dict[int, str]:
    """Doctors and rooms that another session holds then, with all that moves moved."""
    spans = {row.pk: span for row, span in targets}
    if not spans:
        return {}
    day = timedelta(days=1)
    first, last = min(span[0] for span in spans.values()) - day, max(span[1] for span in spans.values()) + day
    campus = targets[0][0].campus_id
    mine = ScheduleParticipant.objects.filter(schedule__campus=campus, schedule__in=list(spans), active=True)
    doctors = set(mine.exclude(practitioner=None).values_list("practitioner", flat=True))
    near = Q(schedule__campus=campus) | Q(practitioner__in=doctors)
    rows = ScheduleParticipant.objects.filter(near, active=True, during__overlap=(first, last))
    places = defaultdict(list)
    for schedule, practitioner, room, during in rows.values_list("schedule", "practitioner", "room", "during"):
        span = spans.get(schedule, (during.lower, during.upper))
        for key, code in (((0, practitioner), "doctor_elsewhere"), ((1, room), "room_taken")):
            if key[1] is not None:
                places[*key, span[0].astimezone(clock.ZONE).date()].append((span, schedule, code))
    blocked = {}
    for sittings in places.values():
        sittings.sort(key=lambda one: one[0])
        for (before, one, code), (after, other, _code) in zip(sittings, sittings[1:], strict=False):
            if after[0] < before[1] and one != other:
                blocked |= {pk: code for pk in (one, other) if pk in spans}
    return blocked


# ---- whom it touches ----


@dataclass(frozen=True)
class Touched:
    """A booked patient whose number moves."""

    pk: int
    patient: int
    status: str
    was: datetime
    span: Span


def _touched(moving: dict[int, Span]) -> list[Touched]:
    rows = Appointment.objects.filter(schedule__in=list(moving), status__in=WAITING)
    found, moves = [], {}
    for row in rows.select_related("schedule", "slot").order_by("pk"):
        if row.schedule_id not in moves:
            move = Move.to_hours(row.schedule, moving[row.schedule_id])
            moves[row.schedule_id] = (move, plan_of(move))
        move, plan = moves[row.schedule_id]
        start, minutes = place_of(move, row.slot, plan)
        if start != row.start or minutes != row.slot.minutes:
            span = (start, start + timedelta(minutes=minutes))
            found.append(Touched(row.pk, row.patient_id, row.status, row.start, span))
    return found


def _left(touched: list[Touched]) -> set[int]:
    """Appointments whose patient is elsewhere then, with all that moves moved."""
    if not touched:
        return set()
    moves = {one.pk: one.span for one in touched}
    first, last = min(one.span[0] for one in touched), max(one.span[1] for one in touched)
    times = PatientTime.objects.filter(patient__in={one.patient for one in touched}, during__overlap=(first, last))
    busy = defaultdict(list)
    for patient, source, source_id, during in times.values_list("patient", "source", "source_id", "during"):
        own = source_id if source == "appointment" else None
        busy[patient].append((own, moves.get(own, (during.lower, during.upper))))
    return {
        one.pk
        for one in touched
        if any(own != one.pk and start < one.span[1] and one.span[0] < end for own, (start, end) in busy[one.patient])
    }
