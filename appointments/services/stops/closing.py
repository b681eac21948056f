"""A session's numbers, holds and sittings when it is stopped or given to another doctor, and when it is open again.

Every function here is called with the schedule locked (`lock`): schedule first, then its numbers by id, so that a
booking that is half-way is waited for and seen.
"""

from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from appointments.errors import NoSuchNumber, SubstituteElsewhere, SubstituteUnfit
from appointments.models import Appointment, Schedule, ScheduleParticipant, Slot, Substitution
from appointments.services import changes, clashes
from hospital import clock, outbox
from hospital.models import Practitioner, Room, User

RELATED = ("role__practitioner", "service", "department", "room", "team", "organization")
TAKEABLE = (Slot.Status.FREE, Slot.Status.RESTING, Slot.Status.HELD)


def lock(schedule_id: int) -> Schedule:
    """The schedule, then its numbers by id. Read only after the wait: PostgreSQL looks again at the row it locked, but
    not at what was joined to it, and a doctor changed meanwhile would be none."""
    if not Schedule.objects.select_for_update(no_key=True).filter(pk=schedule_id).values_list("pk", flat=True):
        raise NoSuchNumber()  # laid out anew meanwhile
    schedule = Schedule.objects.select_related(*RELATED).get(pk=schedule_id)
    list(schedule.slots.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    return schedule


def close(schedule: Schedule, *, by: User | None, reason: str, now: datetime, asked: bool = False) -> list[int]:
    """No number can be taken any more; holds are let go; the doctor and the room are free. Publishes schedule.stopped
    with the booked appointments, whom it returns. `asked`: each of them gets a question, and no bare notice."""
    schedule.status, schedule.stop_reason = Schedule.Status.STOPPED, reason
    schedule.save(update_fields=["status", "stop_reason"])
    let_go_of_holds(schedule, by=by, now=now)
    schedule.slots.filter(status__in=TAKEABLE).update(status=Slot.Status.BLOCKED, hold_until=None)
    ScheduleParticipant.objects.filter(schedule=schedule).update(active=False)
    affected = booked(schedule)
    payload = {"schedule": schedule.pk, "affected": affected} | ({"asked": True} if asked else {})
    outbox.publish(topic="schedule.stopped", key=f"schedule:{schedule.pk}", payload=payload, actor=by, now=now)
    return affected


def booked(schedule: Schedule) -> list[int]:
    rows = schedule.appointments.filter(status=Appointment.Status.BOOKED)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def let_go_of_holds(schedule: Schedule, *, by: User | None, now: datetime) -> None:
    """In the order of their patients: this transaction may wait for several."""
    held = schedule.appointments.filter(status=Appointment.Status.PENDING).order_by("patient_id", "pk")
    for row in held:
        changes.drop(appointment=row, by=by, now=now)


def reopen_numbers(schedule: Schedule, *, but: list[int]) -> None:
    """What the stop closed can be taken again, with what patients gave back meanwhile; not what was closed before
    (`but`), and no add-on number that was a patient's, which ended with them. The caller saw the session stopped."""
    closed = schedule.slots.filter(status=Slot.Status.BLOCKED).exclude(pk__in=but)
    theirs = Appointment.objects.filter(~Q(status=Appointment.Status.CANCELLED) | Q(extra=True), schedule=schedule)
    closed.exclude(pk__in=theirs.values("slot")).update(status=Slot.Status.FREE)


def active_sittings(schedule: Schedule) -> list[int]:
    rows = ScheduleParticipant.objects.filter(schedule=schedule, active=True)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def seat(
    schedule: Schedule,
    *,
    sittings: list[int],
    instead_of: int | None = None,
    who: Practitioner | None = None,
    room=None,
) -> None:
    """These sittings hold again; with `who`, that doctor in `room` instead of the practitioner `instead_of`.

    The database decides who is free (EXCLUDE on ScheduleParticipant, contract): what stands in the way is named.
    Raises SubstituteElsewhere, SubstituteUnfit.
    """
    rows = ScheduleParticipant.objects.filter(schedule=schedule)
    try:
        with transaction.atomic():
            rows.filter(active=True).update(active=False)
            again = rows.filter(pk__in=sittings)
            if who is not None:
                again = again.exclude(practitioner=instead_of)
            again.update(active=True)
            if who is not None:
                during = (schedule.starts_at, schedule.ends_at)
                ScheduleParticipant.objects.create(schedule=schedule, practitioner=who, room=room, during=during)
    except DatabaseError as error:
        raise _named(error, schedule, sittings=sittings, who=who, room=room) from error


def _named(error: DatabaseError, schedule: Schedule, *, sittings: list[int], who, room):
    """The refusal for the constraint that was broken; anything else goes on as it is."""
    broken = clashes.code_of(error)
    if broken is None:
        return error
    if broken == "outside_contract":
        return SubstituteUnfit(who=str(who or schedule.actor_name), why=_("合约不包括这一天"))
    return SubstituteElsewhere(**in_the_way(schedule, sittings=sittings, who=who, room=room))


def in_the_way(
    schedule: Schedule, *, sittings: list[int], who: Practitioner | None, room: Room | None
) -> dict[str, str]:
    """Who has the doctor or the room then, in words."""
    wanted = ScheduleParticipant.objects.filter(pk__in=sittings)
    doctors = {who.pk} if who else set(wanted.values_list("practitioner", flat=True))
    rooms = {room.pk} if room else set(wanted.values_list("room", flat=True))
    others = ScheduleParticipant.objects.filter(active=True, during__overlap=(schedule.starts_at, schedule.ends_at))
    others = others.exclude(schedule=schedule).select_related(
        "practitioner", "room", "schedule__department", "schedule__role__practitioner", "schedule__team"
    )
    doctor = others.filter(practitioner__in=doctors).first()
    if doctor:
        return {"who": str(doctor.practitioner), "where": _place(doctor)}
    other = others.filter(room__in=rooms).first()
    return {"who": str(other.room), "where": _place(other)} if other else {"who": str(who or room), "where": "–"}


def _place(sitting: ScheduleParticipant) -> str:
    day = sitting.schedule.day
    begins = sitting.schedule.starts_at.astimezone(clock.ZONE)
    return f"{sitting.schedule.department} {sitting.schedule.actor_name} {sitting.room} {day:%m-%d} {begins:%H:%M}"


def root_of(row: Substitution) -> Substitution:
    """The first of a chain of stops and substitutes: it knows where the first doctor sat."""
    while row.replaces_id:
        row = row.replaces
    return row
