"""One session in one transaction: stopped, given to another doctor, or back to what it was (B13).

Safe to repeat: a session that this order has carried out already is left as it is.
"""

from datetime import datetime

from django.db import transaction

from appointments.errors import NotReopened, SubstituteElsewhere, SubstituteUnfit
from appointments.models import Schedule, Slot, Substitution, Suspension
from appointments.policies import stops as policy
from appointments.selectors.stops import scope, substitutes
from hospital import outbox
from hospital.models import PractitionerRole, Room, User

from . import cases, closing, offers, telling


@transaction.atomic
def stop(*, order: Suspension, schedule: int, by: User | None, now: datetime) -> Substitution | None:
    """停诊. None when the session is stopped already: stopping twice is once. Raises SessionOver."""
    row = closing.lock(schedule)
    done = _carried_out(order, row)
    if done or row.status == Schedule.Status.STOPPED:
        return done
    refusal = policy.refusal_to_stop(row, now=now)
    if refusal:
        raise refusal
    before = _replaced(row, now=now)
    stopped = Substitution.objects.create(
        suspension=order,
        schedule=row,
        original=before.original if before else row.role,
        replaces=before,
        sittings=closing.active_sittings(row),
        room=row.room,
        closed=_closed_numbers(row),
        carried_out_at=now,
    )
    affected = closing.close(row, by=by, reason=str(order.get_cause_display()), now=now, asked=True)
    cases.open_for(stopped, appointments=affected, now=now)
    return stopped


@transaction.atomic
def substitute(
    *, order: Suspension, schedule: int, role: int, room: int | None, by: User | None, now: datetime
) -> Substitution:
    """替诊: the session's role becomes the substitute's. Booked patients keep number, time and fee, and are asked;
    a session that was stopped is open again.

    Raises SubstituteElsewhere, SubstituteUnfit, NoSubstituteHere, SessionOver.
    """
    row = closing.lock(schedule)
    done = _carried_out(order, row)
    if done:
        return done
    new = _fit(row, role, now=now)
    before = _replaced(row, now=now)
    first = closing.root_of(before) if before else None
    sittings = first.sittings if first else closing.active_sittings(row)
    original = before.original if before else row.role
    place = Room.objects.get(pk=room) if room else row.room
    closing.seat(row, sittings=sittings, instead_of=original.practitioner_id, who=new.practitioner, room=place)
    given = Substitution.objects.create(
        suspension=order,
        schedule=row,
        original=original,
        substitute=new,
        replaces=before,
        sittings=sittings,
        room=first.room if first else row.room,
        closed=before.closed if before else _closed_numbers(row),
        carried_out_at=now,
    )
    _hand_over(row, role=new, room=place, by=by, closed=given.closed, now=now)
    if before:
        before.offers.update(substitution=given)
    cases.open_for(given, appointments=closing.booked(row), now=now)
    telling.ask_to_step_in(given, now=now)
    return given


def _fit(row: Schedule, role: int, *, now: datetime) -> PractitionerRole:
    """The substitute's role, asked of the policy."""
    new = PractitionerRole.objects.select_related("practitioner__user", "service").get(pk=role)
    leads, away = substitutes.leads_a_team(new.practitioner_id), substitutes.is_away(new.practitioner_id, row)
    refusal = policy.refusal_to_substitute(row, new, leads=leads, away=away, now=now)
    if refusal:
        raise refusal
    return new


def _hand_over(row: Schedule, *, role: PractitionerRole, room: Room, by: User | None, closed, now: datetime) -> None:
    """Holds that were made for the other doctor are let go; the numbers of a stopped session open again."""
    closing.let_go_of_holds(row, by=by, now=now)
    was, was_stopped = row.role_id, row.status == Schedule.Status.STOPPED
    row.role, row.room, row.status, row.stop_reason = role, room, Schedule.Status.OPEN, ""
    row.save(update_fields=["role", "room", "status", "stop_reason"])
    if was_stopped:
        closing.reopen_numbers(row, but=closed)
    _publish("schedule.substituted", row, was=was, by=by, now=now)


@transaction.atomic
def reopen(*, row: Substitution, by: User | None, now: datetime) -> bool:
    """恢复: the first doctor (or the substitute before a stop) sees patients again. False: it was undone already, or
    another stop in force covers the session, which then stays stopped under that one.

    Patients who moved or cancelled stay where they are; the others' numbers stand, and who had been told otherwise is
    told so. Raises NotReopened by name when the doctor or the room is taken meanwhile, SessionOver.
    """
    schedule = closing.lock(row.schedule_id)
    row = Substitution.objects.select_related("replaces", "original__practitioner", "suspension").get(pk=row.pk)
    if not row.stands:
        return False
    refusal = policy.refusal_to_stop(schedule, now=now)
    if refusal:
        raise refusal
    other = None if row.substitute_id else scope.others_over(schedule, but=row.suspension).first()
    if other and not other.sessions.filter(schedule=schedule).exists():
        Substitution.objects.filter(pk=row.pk).update(suspension=other)
        return False
    back_to = row.replaces if row.replaces and not row.substitute_id else None
    try:
        closing.seat(schedule, sittings=row.sittings)
    except (SubstituteElsewhere, SubstituteUnfit) as refusal:
        raise NotReopened(why=refusal.sentence) from refusal
    Substitution.objects.filter(pk=row.pk).update(stands=False, ended_at=now, problem="")
    if back_to:
        Substitution.objects.filter(pk=back_to.pk).update(stands=True, ended_at=None)
    was, was_stopped = schedule.role_id, schedule.status == Schedule.Status.STOPPED
    schedule.role = back_to.substitute if back_to and back_to.substitute_id else row.original
    schedule.room, schedule.status, schedule.stop_reason = row.room, Schedule.Status.OPEN, ""
    schedule.save(update_fields=["role", "room", "status", "stop_reason"])
    if was_stopped:
        closing.reopen_numbers(schedule, but=row.closed)
    cases.close_undone(row, now=now)
    offers.give_back(row)
    if row.substitute_id:
        telling.ask_to_step_in(row, now=now, off=True)
    _publish("schedule.reopened", schedule, was=was, by=by, now=now)
    return True


def _carried_out(order: Suspension, schedule: Schedule) -> Substitution | None:
    return Substitution.objects.filter(suspension=order, schedule=schedule).first()


def _replaced(schedule: Schedule, *, now: datetime) -> Substitution | None:
    """What stood for this session until now: it ends, and is remembered."""
    before = Substitution.objects.select_related("original__practitioner", "replaces", "substitute__practitioner__user")
    before = before.filter(schedule=schedule, stands=True).first()
    if before:
        Substitution.objects.filter(pk=before.pk).update(stands=False, ended_at=now)
        if before.substitute_id:
            telling.ask_to_step_in(before, now=now, off=True)
    return before


def _closed_numbers(schedule: Schedule) -> list[int]:
    return list(schedule.slots.filter(status=Slot.Status.BLOCKED).values_list("pk", flat=True))


def _publish(topic: str, schedule: Schedule, *, was: int | None, by: User | None, now: datetime) -> None:
    """`was`: the role until now, if it was another."""
    payload = {"schedule": schedule.pk, "role": schedule.role_id, "was": was if was != schedule.role_id else None}
    payload["booked"] = closing.booked(schedule)
    outbox.publish(topic=topic, key=f"schedule:{schedule.pk}", payload=payload, actor=by, now=now)
