"""加号 and a bare 停诊: what changes a schedule's numbers while patients are booking them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from appointments.errors import HoldLapsed, NoSuchNumber
from appointments.models import Allotment, Appointment, Encounter, Pool, Schedule, Slot
from appointments.policies import booking as policy
from appointments.selectors import extras as selectors
from appointments.selectors import rules
from hospital import clock
from hospital.models import Fact, Patient, User

from . import booking, changes, sql
from .stops import closing


@transaction.atomic
def add_extra(
    *,
    schedule: Schedule,
    patient: Patient,
    by: User,
    reason: str,
    request_key: str,
    channel: str = "consult",
    encounter: Encounter | None = None,
    basket=None,
    now: datetime | None = None,
) -> Appointment:
    """加号 (B10): one number more, confirmed at once for this patient: one that the office added for the consult room
    and nobody has, else the next after the schedule's last.

    The schedule row is locked, so two add-ons never take the same number. Raises ExtraLimit, NeedsReason, Stopped,
    NoSuchNumber, PastNumber, TooFarAhead, and what booking raises.
    """
    schedule = _locked(schedule)
    body = booking.fingerprint("extra", schedule.pk, patient.pk)
    done = changes.repeated(by=by, request_key=request_key, body=body)
    if done:
        return _same_answer(done)
    moment = now or sql.database_now()
    _check_extra(schedule, reason=reason, now=moment)
    slot = selectors.prepared(schedule) or _next_number(schedule, now=moment)
    outcome = booking.give_number(
        schedule=schedule,
        patient_id=patient.pk,
        channel=channel,
        by=by,
        request_key=request_key,
        number=slot.number,
        now=now,
        pools=[slot.pool_id],
        team=slot.pool_id,
        confirm=True,
        extra=True,
        allow_past=True,
        note=reason.strip(),
        body=body,
        visit_type=Appointment.VisitType.FOLLOWUP,
        encounter=encounter.pk if encounter else None,
        basket=basket,
    )
    return Appointment.objects.select_related("slot", "schedule").get(pk=outcome.appointment)


def _locked(schedule: Schedule) -> Schedule:
    rows = Schedule.objects.select_for_update(no_key=True, of=["self"]).select_related("service")
    row = rows.filter(pk=schedule.pk).first()
    if row is None:  # laid out anew meanwhile
        raise NoSuchNumber()
    return row


def _check_extra(schedule: Schedule, *, reason: str, now: datetime) -> None:
    rule = rules.booking_rule_for(schedule, day=clock.today(now))
    given = selectors.given_extras(schedule)
    refusal = policy.refusal_to_add_extra(schedule, extras=given, reason=reason, rule=rule, now=now)
    if refusal:
        raise refusal


def _same_answer(fact: Fact) -> Appointment:
    row = Appointment.objects.select_related("slot", "schedule").get(pk=fact.payload["appointment"])
    if not row.live:
        raise HoldLapsed()
    return row


def _next_number(schedule: Schedule, *, now: datetime) -> Slot:
    """The caller holds the schedule. The extra pool opens for this schedule with its first add-on."""
    pool = extra_pool(schedule.organization_id)
    Allotment.objects.get_or_create(
        schedule=schedule,
        pool=pool,
        defaults={"department_id": schedule.department_id, "day": schedule.day, "opens_at": now, "opened_at": now},
    )
    [slot] = next_numbers([schedule], pool=pool, count=1, now=now)
    return slot


def extra_pool(organization_id: int) -> Pool:
    pool, _created = Pool.objects.get_or_create(
        organization_id=organization_id,
        kind=Pool.Kind.EXTRA,
        partner=None,
        group=None,
        defaults={"name": str(Pool.Kind.EXTRA.label)},
    )
    return pool


def next_numbers(schedules: Sequence[Schedule], *, pool: Pool, count: int, now: datetime) -> list[Slot]:
    """So many numbers of each schedule, written: those of add-ons that were undone before anybody had them, then new
    ones after the last. The caller holds the schedules."""
    latest = Slot.objects.filter(schedule__in=schedules).order_by("schedule_id", "-number").distinct("schedule_id")
    last = {slot.schedule_id: slot for slot in latest}
    undone: dict[int, list[Slot]] = defaultdict(list)
    for slot in selectors.undone(schedules, now=now):
        undone[slot.schedule_id].append(slot)
    again = [slot for schedule in schedules for slot in undone[schedule.pk][:count]]
    for slot in again:
        slot.pool, slot.status = pool, Slot.Status.FREE
    Slot.objects.bulk_update(again, ["pool", "status"])
    made = [
        slot
        for schedule in schedules
        for slot in _after(schedule, last.get(schedule.pk), pool, count - len(undone[schedule.pk][:count]))
    ]
    return [*again, *Slot.objects.bulk_create(made)]


def _after(schedule: Schedule, last: Slot | None, pool: Pool, count: int) -> list[Slot]:
    number = last.number if last else 0
    minutes = last.minutes if last else 10
    start = last.start + timedelta(minutes=last.minutes) if last else schedule.starts_at
    return [
        Slot(
            schedule=schedule,
            number=number + n + 1,
            start=start + timedelta(minutes=minutes * n),
            minutes=minutes,
            pool=pool,
        )
        for n in range(count)
    ]


@transaction.atomic
def suspend(*, schedule: Schedule, by: User | None, reason: str, now: datetime | None = None) -> list[int]:
    """停诊 without a 停诊单, e.g. taken over from another system: no number can be taken any more, holds are let go,
    booked patients are named in the fact. services.stops asks each of them; this tells them.

    Stopping twice changes nothing. Returns the ids of the booked appointments that are affected.
    """
    schedule = closing.lock(schedule.pk)
    if schedule.status == Schedule.Status.STOPPED:
        return closing.booked(schedule)
    return closing.close(schedule, by=by, reason=reason, now=now or sql.database_now())
