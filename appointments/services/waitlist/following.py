"""What the waitlist does when something happened, and each minute: for whatever no fact told of.

Every step finds its own work by query and is written once, so it may come late, twice, or after a killed worker.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from appointments.models import Appointment, JobRun, Schedule, Slot, WaitlistEntry, WaitlistOffer
from appointments.policies import waitlist as policy
from appointments.selectors import rules
from appointments.selectors import waitlist as selectors
from appointments.services import runs
from hospital import clock
from hospital.models import Fact

from . import settling
from .offering import offer

BOOKED = "appointment.booked"
OF_APPOINTMENTS = (
    BOOKED,
    "appointment.cancelled",
    "appointment.dropped",
    "appointment.lapsed",
    "appointment.moved",
)
OF_SCHEDULES = ("supply.released", "supply.shared", "supply.added", "schedule.stopped", "schedule.reopened")
TOPICS = (*OF_APPOINTMENTS, *OF_SCHEDULES)
"""Facts that free a number, settle an offer, or end an entry."""

Status, Why, State = WaitlistEntry.Status, WaitlistEntry.Why, WaitlistOffer.State

TAKEN = (
    Appointment.Status.BOOKED,
    Appointment.Status.ARRIVED,
    Appointment.Status.FULFILLED,
    Appointment.Status.NOSHOW,
)


def wanted_topics() -> set[str]:
    """While nobody waits anywhere, these facts make no work."""
    return set(TOPICS) if selectors.anybody_waits() else set()


def follow(fact: Fact, *, now: datetime) -> None:
    """One of TOPICS happened: an offer is settled, who has a number waits no more, the next in line is offered one.

    In the handler's one transaction: the sessions are locked before any entry is written, as `offer` does elsewhere.
    """
    touched, frees = _touched(fact), fact.topic != BOOKED
    if frees:
        rows = Schedule.objects.select_for_update(no_key=True).filter(pk__in=touched)
        list(rows.order_by("pk").values_list("pk", flat=True))
    if appointment := fact.payload.get("appointment"):
        settling.settle(appointment_id=appointment, now=now)
    for schedule_id in touched:
        for entry, why in _over(now=now, schedule=schedule_id):
            settling.end(entry, status=Status.ENDED, why=why, now=now)
        if frees:
            offer(schedule_id=schedule_id, now=now)


def _touched(fact: Fact) -> list[int]:
    """Schedules of the fact, by id; a lapsed hold's fact names its appointment alone."""
    named = {fact.payload.get("schedule"), fact.payload.get("from_schedule")} - {None}
    if not named and "appointment" in fact.payload:
        rows = Appointment.objects.filter(pk=fact.payload["appointment"])
        named = set(rows.values_list("schedule", flat=True))
    return sorted(named)


def follow_up(*, now: datetime) -> int:
    """Each minute: settle, end, offer. Returns how many entries moved on. A minute without work leaves no row."""
    settled, over, schedules = _unsettled(), list(_over(now=now)), _with_numbers(now=now)
    if not (settled or over or schedules):
        return 0
    with runs.start(JobRun.Job.WAITLIST, due_at=_due(over, now=now), now=now) as run:
        for appointment in settled:
            with transaction.atomic():
                settling.settle(appointment_id=appointment, now=now)
                run.moved(1)
        for entry, why in over:
            with transaction.atomic():
                if settling.end(entry, status=Status.ENDED, why=why, now=now):
                    run.moved(1)
        for schedule_id in schedules:
            with transaction.atomic():
                if made := offer(schedule_id=schedule_id, now=now):
                    run.moved(made)
    return run.total


def _due(over: list[tuple[int, str]], *, now: datetime) -> datetime:
    """The earliest cut-off that had passed, or now."""
    closed = [entry for entry, why in over if why == Why.CUTOFF]
    moments = WaitlistEntry.objects.filter(pk__in=closed).values_list("closes_at", flat=True)
    return min(moments, default=now)


def _unsettled() -> list[int]:
    """Numbers of open offers that are not pending there any more."""
    moved = ~Q(appointment__schedule=F("entry__schedule"))
    rows = WaitlistOffer.objects.filter(~Q(appointment__status=Appointment.Status.PENDING) | moved, state=State.OPEN)
    return list(rows.order_by("appointment").values_list("appointment", flat=True))


def _over(*, now: datetime, schedule: int | None = None):
    """(entry, why) of those who need not wait any more: stopped, has a number of it, cut-off."""
    mine = Appointment.objects.filter(schedule=OuterRef("schedule"), patient=OuterRef("patient"), status__in=TAKEN)
    rows = WaitlistEntry.objects.filter(status=Status.WAITING).annotate(booked=Exists(mine))
    rows = rows.filter(Q(closes_at__lte=now) | Q(booked=True) | Q(schedule__status=Schedule.Status.STOPPED))
    if schedule is not None:
        rows = rows.filter(schedule=schedule)
    for pk, stopped, booked in rows.order_by("pk").values_list("pk", "schedule__status", "booked"):
        is_stopped = stopped == Schedule.Status.STOPPED
        yield pk, Why.STOPPED if is_stopped else Why.BOOKED if booked else Why.CUTOFF


def _with_numbers(*, now: datetime) -> list[int]:
    """Sessions that somebody waits for and that have a number nobody has, the soonest cut-off first; none at night."""
    slots = Slot.objects.filter(selectors.giveable(now=now), schedule=OuterRef("pk"))
    waiting = WaitlistEntry.objects.filter(schedule=OuterRef("pk"), status=Status.WAITING, closes_at__gt=now)
    rows = Schedule.objects.filter(Exists(waiting), Exists(slots), status=Schedule.Status.OPEN).order_by("day", "pk")
    today = clock.today(now)
    return [row.pk for row in rows if policy.offers_now(rules.booking_rule_for(row, day=today), now=now)]
