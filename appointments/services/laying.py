"""Writing planned schedules: schedules, who sits there, numbers, allotments, in bulk.

The database refuses a doctor in two places and a room taken twice. A batch that is refused is halved until the
refused schedule stands alone, so that one conflict costs a few statements and skips only itself.
"""

from datetime import datetime

from django.db import IntegrityError, connection, transaction

from appointments.errors import DoctorElsewhere, OutsideContract, RoomHasClinic
from appointments.models import Schedule, ScheduleParticipant
from hospital.models import Organization

from . import clashes
from .allocation import Allocation
from .timetable import Conflict, Planned, refused

BATCH = 400
"""Schedules in one transaction: about 10,000 numbers, a few tenths of a second."""

LOCK = "SELECT pg_advisory_xact_lock(hashtext('lay_out'), %s)"

NUMBERS = """
INSERT INTO appointments_slot (schedule_id, number, start, minutes, pool_id, status)
SELECT s.id, n, s.starts_at + make_interval(mins => coalesce((n - 1) * s.minutes, (n - 1) * t.total / s.capacity)),
       coalesce(s.minutes, n * t.total / s.capacity - (n - 1) * t.total / s.capacity),
       p.pools[n], 'free'
  FROM unnest(%(schedules)s::bigint[], %(patterns)s::int[]) AS wanted (schedule, pattern)
  JOIN appointments_schedule s ON s.id = wanted.schedule
  JOIN (SELECT place, pools::bigint[] FROM unnest(%(pools)s::text[]) WITH ORDINALITY AS each (pools, place)) p
    ON p.place = wanted.pattern
 CROSS JOIN LATERAL (SELECT (extract(epoch FROM s.ends_at - s.starts_at) / 60)::int AS total) t
 CROSS JOIN LATERAL generate_series(1, s.capacity) AS n
 ORDER BY s.id, n
"""
"""Each number has its own minute: the schedule's own slice length, or else whole minutes from
floor(n × total / capacity), see shares.minutes_of."""

ALLOTMENTS = """
INSERT INTO appointments_allotment (schedule_id, pool_id, department_id, day, opens_at, shared_from, opened_at)
SELECT *, CASE WHEN opens_at <= %s THEN opens_at END
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::date[], %s::timestamptz[], %s::timestamptz[])
       AS a (schedule_id, pool_id, department_id, day, opens_at, shared_from)
"""
"""What is open from the first moment on needs no release afterwards."""

REFUSALS = {"doctor_elsewhere": DoctorElsewhere, "room_taken": RoomHasClinic, "outside_contract": OutsideContract}


def lay(planned: list[Planned], *, organization: Organization, allocation: Allocation, now: datetime):
    """Write what is not there yet. Returns (schedules written, conflicts, how many stood already)."""
    written: list[Schedule] = []
    conflicts: list[Conflict] = []
    standing = 0
    for place in range(0, len(planned), BATCH):
        batch = planned[place : place + BATCH]
        with transaction.atomic():
            one_planner_at_a_time(organization)
            missing = _missing(batch)
            standing += len(batch) - len(missing)
            _lay_or_halve(missing, allocation, written, conflicts, now=now)
    return written, conflicts, standing


def lay_single(planned: Planned, *, allocation: Allocation, now: datetime) -> Schedule:
    """One schedule outside the templates, or nothing. Raises DoctorElsewhere, RoomHasClinic, OutsideContract."""
    try:
        with transaction.atomic():
            _write([planned], allocation, now=now)
    except IntegrityError as error:
        code = clashes.code_of(error)
        if code is None:
            raise
        who, where = names_of(planned, code)
        raise REFUSALS[code](who=who, where=where) from error
    return planned.schedule


def one_planner_at_a_time(organization: Organization) -> None:
    """The nightly job and a command started by hand wait for each other, batch by batch."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [organization.pk])


def _missing(batch: list[Planned]) -> list[Planned]:
    if not batch:
        return []
    templates = {each.template.pk for each in batch}
    span = (batch[0].schedule.day, batch[-1].schedule.day)
    rows = Schedule.objects.filter(template__in=templates, day__range=span)
    there = set(rows.values_list("template_id", "day"))
    return [each for each in batch if (each.template.pk, each.schedule.day) not in there]


def _lay_or_halve(
    batch: list[Planned], allocation: Allocation, written: list, conflicts: list, *, now: datetime
) -> None:
    if not batch:
        return
    try:
        with transaction.atomic():
            _write(batch, allocation, now=now)
    except IntegrityError as error:
        code = clashes.code_of(error)
        if code is None:
            raise
        for each in batch:
            each.schedule.pk = None
            each.schedule._state.adding = True
        if len(batch) == 1:
            conflicts.append(_conflict(batch[0], code))
            return
        half = len(batch) // 2
        _lay_or_halve(batch[:half], allocation, written, conflicts, now=now)
        _lay_or_halve(batch[half:], allocation, written, conflicts, now=now)
    else:
        written.extend(each.schedule for each in batch)


def _write(batch: list[Planned], allocation: Allocation, *, now: datetime) -> None:
    Schedule.objects.bulk_create([each.schedule for each in batch])
    ScheduleParticipant.objects.bulk_create(row for each in batch for row in _participants(each))
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, _numbers(batch, allocation))
        cursor.execute(ALLOTMENTS, [now, *_allotments(batch, allocation)])


def _participants(planned: Planned) -> list[ScheduleParticipant]:
    """A doctor sits in the room. A team holds the room once and each member's time; a plain clinic the room alone."""
    schedule = planned.schedule
    during = (schedule.starts_at, schedule.ends_at)
    if schedule.role_id:
        (doctor,) = planned.sitters
        places = [(doctor, schedule.room_id)]
    else:
        places = [(None, schedule.room_id), *((doctor, None) for doctor in planned.sitters)]
    return [
        ScheduleParticipant(schedule=schedule, practitioner_id=doctor, room_id=room, during=during)
        for doctor, room in places
    ]


def _numbers(batch: list[Planned], allocation: Allocation) -> dict:
    places: dict[tuple[int, ...], int] = {}
    patterns = []
    for each in batch:
        pattern = allocation.pools_by_number(each.schedule)
        patterns.append(places.setdefault(pattern, len(places) + 1))
    pools = ["{" + ",".join(map(str, pattern)) + "}" for pattern in places]
    return {"schedules": [each.schedule.pk for each in batch], "patterns": patterns, "pools": pools}


def _allotments(batch: list[Planned], allocation: Allocation) -> list[list]:
    rows = [
        (schedule.pk, opening.pool, schedule.department_id, schedule.day, opening.opens_at, opening.shared_from)
        for schedule in (each.schedule for each in batch)
        for opening in allocation.openings(schedule)
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _conflict(planned: Planned, code: str) -> Conflict:
    who, where = names_of(planned, code)
    words = {
        "doctor_elsewhere": "is already at",
        "room_taken": "is already taken by",
        "outside_contract": "has no contract with",  # taken back since the timetable was read
    }[code]
    return refused(planned.template, planned.schedule.day, code, f"{who} {words} {where}", who, where)


def names_of(planned: Planned, code: str, *, own: int | None = None) -> tuple[str, str]:
    """Which doctor or room, and what stands there already, or which house. `own`: a schedule in nobody's way."""
    schedule = planned.schedule
    if code == "outside_contract":
        return schedule.actor_name, str(schedule.organization)
    taken = ScheduleParticipant.objects.filter(active=True, during__overlap=(schedule.starts_at, schedule.ends_at))
    taken = taken.exclude(schedule=own) if own else taken
    if code == "doctor_elsewhere":
        taken = taken.filter(practitioner__in=planned.sitters)
    else:
        taken = taken.filter(room=schedule.room_id)
    related = ("practitioner", "room", "schedule__role__practitioner", "schedule__team", "schedule__service")
    other = taken.select_related(*related, "schedule__department").order_by("id").first()
    if other is None:  # it went a moment ago
        return schedule.actor_name if code == "doctor_elsewhere" else str(schedule.room), "–"
    what = other.practitioner if code == "doctor_elsewhere" else other.room
    return str(what), f"{other.schedule.department} {other.schedule}"
