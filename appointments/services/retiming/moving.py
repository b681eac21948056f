"""One session moved to other hours, in one transaction, with the record that it was (services.moving says how)."""

from datetime import datetime

from django.db import transaction

from appointments.models import BulkAct, BulkChange, Schedule, Slot
from appointments.services import moving
from appointments.services.moving import TOLD, Move, Span
from hospital import outbox
from hospital.models import User

TOPIC = "schedule.retimed"
TABLE = "session"  # with everything in it: the undo of single rows knows nothing of it


@transaction.atomic
def move(*, act: BulkAct, pk: int, span: Span | None, by: User | None, now: datetime) -> str:
    """ "moved", "skipped" (nothing to do any more), or why not. Only the first two leave their record: the rest may
    be possible once another session has moved. `span` None: nothing is known of where it should go."""
    schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=pk).first()
    over = schedule is None or schedule.status != Schedule.Status.OPEN or schedule.starts_at <= now
    if over or span is None or span == (schedule.starts_at, schedule.ends_at):
        record(act, pk, {}, {"skipped": True})
        return "skipped"
    step = Move.to_hours(schedule, span)
    if moving.plan_of(step) is None:
        return "too_many_numbers"
    slots = list(Slot.objects.select_for_update(no_key=True).filter(schedule=pk).order_by("pk"))
    if why := moving.sit([step]):
        return why
    places = moving.places_of([step], slots)
    live = moving.lock_waiting([pk])
    left = moving.elsewhere(live, places)
    going = [row for row in live if row.pk not in left]
    staying = {row.slot_id for row in live if row.pk in left}
    moving.carry([step], {slot: place for slot, place in places.items() if slot not in staying}, going)
    told = [
        (row.pk, row.start.isoformat()) for row in going if row.status in TOLD and places[row.slot_id][0] != row.start
    ]
    before = {"starts_at": schedule.starts_at.isoformat(), "ends_at": schedule.ends_at.isoformat()}
    after = {"starts_at": span[0].isoformat(), "ends_at": span[1].isoformat()}
    record(act, pk, before, after | {"left": sorted(left), "told": len(told)})
    publish(act, pk, told, by=by, now=now)
    return "moved"


@transaction.atomic
def move_left(*, change: BulkChange, by: User | None, now: datetime) -> None:
    """Once everything else has moved: those who stayed because of another session that has moved since."""
    Schedule.objects.select_for_update(no_key=True).get(pk=change.row)
    schedule = Schedule.objects.get(pk=change.row)
    step = Move.to_hours(schedule, (schedule.starts_at, schedule.ends_at))
    waiting = schedule.appointments.filter(pk__in=change.after["left"], status__in=moving.WAITING)
    slots = Slot.objects.select_for_update(no_key=True).filter(pk__in=waiting.values_list("slot", flat=True))
    slots = [slot for slot in slots.order_by("pk") if slot.number <= schedule.capacity]
    places = moving.places_of([step], slots)
    live = [row for row in moving.lock_waiting([change.row], only=change.after["left"]) if row.slot_id in places]
    left = moving.elsewhere(live, places)
    going = [row for row in live if row.pk not in left]
    if not going:
        return
    moving.move_numbers({row.slot_id: places[row.slot_id] for row in going}, going)
    told = [(row.pk, row.start.isoformat()) for row in going if row.status in TOLD]
    change.after["left"] = [pk for pk in change.after["left"] if pk not in {row.pk for row in going}]
    change.after["told"] += len(told)
    change.save(update_fields=["after"])
    publish(change.act, schedule.pk, told, by=by, now=now)


def record(act: BulkAct, pk: int, before: dict, after: dict) -> None:
    BulkChange.objects.create(act=act, table=TABLE, row=pk, before=before, after=after)


def publish(act: BulkAct, schedule: int, told: list, *, by: User | None, now: datetime) -> None:
    """One fact a session, in the transaction that moved it: each patient is told once, by its handler."""
    payload = {"schedule": schedule, "act": act.pk, "told": [list(one) for one in told]}
    outbox.publish(topic=TOPIC, key=f"schedule:{schedule}", payload=payload, actor=by, now=now)
