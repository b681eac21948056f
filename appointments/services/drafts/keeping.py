"""Of a draft: clinics that get another room or other hours while their patients keep their numbers and are told (P2).
services.moving says how they move."""

from collections.abc import Collection
from datetime import datetime

from appointments.models import Appointment, Slot
from appointments.services import moving
from appointments.services.moving import TOLD, Move, Place
from hospital import outbox
from hospital.models import User

from .compare import Line

TOPIC = "schedule.changed"


def move_of(line: Line) -> Move:
    return Move.to_plan(line.schedule, line.planned.schedule, template=line.template)


def kept_away(lines: Collection[Line], live: Collection[Appointment]) -> set[Line]:
    """Lines of which a patient is elsewhere at the new time: the clinic stays whole, and then so do the numbers that
    its patients have there. `live`: who waits, of these lines at least."""
    by_schedule = {line.schedule.pk: line for line in lines if line.moves}
    live = [row for row in live if row.schedule_id in by_schedule]
    places = _places(by_schedule.values(), Slot.objects.filter(pk__in=[row.slot_id for row in live]))
    found: set[Line] = set()
    while more := moving.elsewhere([row for row in live if by_schedule[row.schedule_id] not in found], places):
        found |= {by_schedule[row.schedule_id] for row in live if row.pk in more}
    return found


def waiting_of(lines: Collection[Line]) -> list[Appointment]:
    """Nothing is locked: for a look."""
    schedules = [line.schedule.pk for line in lines if line.moves and line.patients]
    return list(Appointment.objects.filter(schedule__in=schedules, status__in=moving.WAITING).order_by("pk"))


def move(lines: Collection[Line], live: Collection[Appointment], *, by: User, now: datetime) -> int | str:
    """All at once, in the caller's transaction, which holds schedules, numbers, patients and `live`.

    Returns how many patients are told, or the code of what is not free. Publishes schedule.changed for each clinic
    with each booked appointment and its time until now.
    """
    moves = [move_of(line) for line in lines]
    if why := moving.sit(moves):
        return why
    schedules = [line.schedule.pk for line in lines]
    live = [row for row in live if row.schedule_id in set(schedules)]
    moving.carry(moves, _places(lines, Slot.objects.filter(schedule__in=schedules)), live)
    told: dict[int, list] = {schedule: [] for schedule in schedules}
    for row in live:
        if row.status in TOLD:
            told[row.schedule_id].append([row.pk, row.start.isoformat()])
    for line in lines:
        pk = line.schedule.pk
        payload = {"schedule": pk, "told": told[pk], "was_room": str(line.schedule.room)}
        outbox.publish(topic=TOPIC, key=f"schedule:{pk}", payload=payload, actor=by, now=now)
    return sum(map(len, told.values()))


def _places(lines: Collection[Line], slots) -> dict[int, Place]:
    return moving.places_of([move_of(line) for line in lines], slots.order_by("pk"))
