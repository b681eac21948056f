"""Sessions that get other hours or another room while people hold numbers of them (O8, P2): numbers, bookings,
patients' time, sittings and openings go together, of many sessions at once.

Locks in the house's order: the caller holds the sessions and their numbers by id, `lock_waiting` takes the patients
by id and then their appointments. So bookings under way are waited for and seen, and no patient's time can be taken
while it is looked at.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from appointments.models import Appointment, Schedule, Slot
from appointments.services import clashes, shares
from hospital.models import Patient, PatientTime

Status = Appointment.Status
WAITING = (Status.PENDING, Status.BOOKED, Status.ARRIVED)
"""Whom a change would touch: a number on hold counts as well."""

TOLD = (Status.BOOKED, Status.ARRIVED)
"""Who gets a message. A number that is only held has its new time on the page that confirms it."""

Span = tuple[datetime, datetime]
Place = tuple[datetime, int]
"""Where a number lies: its start and its minutes."""


@dataclass(frozen=True)
class Move:
    """One session and all of it that may change while each patient keeps the number."""

    schedule: Schedule
    span: Span
    minutes: int | None  # of each number; None: equal parts
    room: int | None  # None: whoever sits where, stays
    campus: int
    template: int | None

    @classmethod
    def to_hours(cls, row: Schedule, span: Span) -> "Move":
        return cls(row, span, row.minutes, None, row.campus_id, row.template_id)

    @classmethod
    def to_plan(cls, row: Schedule, new: Schedule, *, template: int) -> "Move":
        return cls(row, (new.starts_at, new.ends_at), new.minutes, new.room_id, new.campus_id, template)


# ---- where the numbers go ----


def plan_of(move: Move) -> list[tuple[int, int]] | None:
    """(minute after the start, length) of each number; None when they don't fit."""
    return _plan(move.schedule.capacity, move.span, move.minutes)


def _plan(capacity: int, span: Span, minutes: int | None) -> list[tuple[int, int]] | None:
    total = int((span[1] - span[0]).total_seconds()) // 60
    if total < capacity * (minutes or 1):
        return None
    return shares.minutes_of(capacity=capacity, total=total, minutes=minutes)


def place_of(move: Move, slot: Slot, plan: list[tuple[int, int]]) -> Place:
    """Where a number goes. An add-on keeps its distance from the last of the session's own numbers."""
    row = move.schedule
    if slot.number <= row.capacity:
        after, minutes = plan[slot.number - 1]
        return move.span[0] + timedelta(minutes=after), minutes
    was = _last_end(row.capacity, (row.starts_at, row.ends_at), row.minutes)
    return slot.start - was + _last_end(row.capacity, move.span, move.minutes), slot.minutes


def _last_end(capacity: int, span: Span, minutes: int | None) -> datetime:
    plan = _plan(capacity, span, minutes)
    return span[0] + timedelta(minutes=sum(plan[-1])) if plan else span[1]


def places_of(moves: Iterable[Move], slots: Iterable[Slot]) -> dict[int, Place]:
    """Of every number of the sessions. The caller knows that they fit."""
    by_schedule = {move.schedule.pk: (move, plan_of(move)) for move in moves}
    found = {}
    for slot in slots:
        move, plan = by_schedule[slot.schedule_id]
        found[slot.pk] = place_of(move, slot, plan)
    return found


# ---- whom it touches ----


def lock_waiting(schedules: list[int], *, only: Collection[int] | None = None) -> list[Appointment]:
    """Who waits for these sessions: the patients of all of them by id, then the appointments. One session after the
    other would wait out of order."""
    rows = Appointment.objects.filter(schedule__in=schedules, status__in=WAITING)
    rows = rows if only is None else rows.filter(pk__in=only)
    patients = Patient.objects.select_for_update(no_key=True).filter(pk__in=rows.values("patient"))
    list(patients.order_by("pk").values_list("pk", flat=True))
    return list(rows.select_for_update(no_key=True).order_by("pk"))


def elsewhere(live: Iterable[Appointment], places: dict[int, Place]) -> set[int]:
    """Appointments that must stay because their patient is elsewhere then. A patient's other numbers that move along
    stand at their new places, unless they stay themselves. One query."""
    live = list(live)
    spans = {row.pk: _span(places[row.slot_id]) for row in live}
    if not spans:
        return set()
    around = (min(start for start, _end in spans.values()), max(end for _start, end in spans.values()))
    times = PatientTime.objects.filter(patient__in={row.patient_id for row in live}, during__overlap=around)
    busy = defaultdict(list)
    for patient, source, source_id, during in times.values_list("patient", "source", "source_id", "during"):
        own = source_id if source == "appointment" else None
        busy[patient].append((own, (during.lower, during.upper)))
    left: set[int] = set()
    while True:
        moving = {pk: span for pk, span in spans.items() if pk not in left}
        more = {row.pk for row in live if row.pk in moving and _clashes(row.pk, moving, busy[row.patient_id])}
        if not more:
            return left
        left |= more


def _span(place: Place) -> Span:
    start, minutes = place
    return start, start + timedelta(minutes=minutes)


def _clashes(pk: int, moving: dict[int, Span], busy: list[tuple[int | None, Span]]) -> bool:
    starts, ends = moving[pk]
    for own, was in busy:
        start, end = moving.get(own, was)
        if own != pk and start < ends and starts < end:
            return True
    return False


# ---- writing it ----

PARK = "UPDATE appointments_scheduleparticipant SET during = 'empty' WHERE schedule_id = ANY (%s)"
SIT = """
UPDATE appointments_scheduleparticipant p
   SET during = tstzrange(v.starts_at, v.ends_at),
       room_id = CASE WHEN p.room_id IS NOT NULL THEN coalesce(v.room, p.room_id) END
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[])
       AS v (schedule, starts_at, ends_at, room)
 WHERE p.schedule_id = v.schedule
"""
"""The laws of the sittings are asked row by row. With all that move lifted out of their places first, two that swap
and three that rotate never meet half-way: refused is only what collides at the end."""

NUMBERS = """
UPDATE appointments_slot s SET start = v.start, minutes = v.minutes
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[]) AS v (id, start, minutes) WHERE s.id = v.id
"""
BOOKINGS = """
UPDATE appointments_appointment a SET start = s.start FROM appointments_slot s
 WHERE s.id = a.slot_id AND a.id = ANY (%s)
"""
CLEAR_TIMES = """
DELETE FROM hospital_patienttime WHERE source = 'appointment' AND source_id = ANY (%s) RETURNING source_id
"""
WRITE_TIMES = """
INSERT INTO hospital_patienttime (patient_id, during, source, source_id)
SELECT a.patient_id, tstzrange(s.start, s.start + s.minutes * interval '1 minute'), 'appointment', a.id
  FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id WHERE a.id = ANY (%s)
"""
OPENINGS = """
UPDATE appointments_allotment a
   SET shared_from = CASE WHEN a.moved_at IS NULL AND a.shared_from = s.starts_at
                          THEN v.starts_at ELSE a.shared_from END,
       opens_at = CASE WHEN a.opened_at IS NULL AND a.opens_at = s.starts_at THEN v.starts_at ELSE a.opens_at END
  FROM unnest(%s::bigint[], %s::timestamptz[]) AS v (schedule, starts_at)
  JOIN appointments_schedule s ON s.id = v.schedule AND s.starts_at <> v.starts_at
 WHERE a.schedule_id = v.schedule
   AND (a.moved_at IS NULL AND a.shared_from = s.starts_at OR a.opened_at IS NULL AND a.opens_at = s.starts_at)
"""
"""What opens or is shared when the session starts does so at its new start."""

SESSIONS = """
UPDATE appointments_schedule s
   SET starts_at = v.starts_at, ends_at = v.ends_at, minutes = v.minutes, campus_id = v.campus,
       room_id = coalesce(v.room, s.room_id), template_id = v.template
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[])
       AS v (schedule, starts_at, ends_at, minutes, room, campus, template)
 WHERE s.id = v.schedule
"""


def sit(moves: Collection[Move]) -> str | None:
    """All of them in their new places at once, or none: the code of what is not free. The database decides."""
    if not moves:
        return None
    columns = _columns((move.schedule.pk, *move.span, move.room) for move in moves)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(PARK, columns[:1])
            cursor.execute(SIT, columns)
    except IntegrityError as error:
        code = clashes.code_of(error)
        if code is None:
            raise
        return code
    return None


def carry(moves: Collection[Move], places: dict[int, Place], moving: Collection[Appointment]) -> None:
    """The numbers of `places`, who holds them (`moving`), the openings and the sessions. The caller has seated them."""
    move_numbers(places, moving)
    with connection.cursor() as cursor:
        cursor.execute(OPENINGS, _columns((move.schedule.pk, move.span[0]) for move in moves))
        rows = ((m.schedule.pk, *m.span, m.minutes, m.room, m.campus, m.template) for m in moves)
        cursor.execute(SESSIONS, _columns(rows))


def move_numbers(places: dict[int, Place], moving: Collection[Appointment]) -> None:
    """Patients' times are all cleared first: one's next number may take the place of the one before."""
    ids = [row.pk for row in moving]
    with connection.cursor() as cursor:
        if places:
            cursor.execute(NUMBERS, _columns((slot, *place) for slot, place in places.items()))
        if ids:
            cursor.execute(BOOKINGS, [ids])
            cursor.execute(CLEAR_TIMES, [ids])
            cursor.execute(WRITE_TIMES, [[pk for (pk,) in cursor.fetchall()]])


def _columns(rows: Iterable[tuple]) -> list[list]:
    return [list(column) for column in zip(*rows, strict=True)]
