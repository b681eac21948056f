"""Joining and leaving the line."""

from datetime import datetime

from django.db import transaction

from appointments.errors import NoSuchNumber, NoSuchPatient, TooManyWaits, WaitingAlready, WaitOver
from appointments.models import BookingRule, Schedule, Slot, WaitlistEntry
from appointments.models.waitlist import OPEN
from appointments.policies import special
from appointments.policies import waitlist as policy
from appointments.selectors import rules
from appointments.selectors import waitlist as selectors
from appointments.services.sql import database_now
from hospital import clock, outbox
from hospital.models import Patient, User

from . import settling

JOINED = "waitlist.joined"

Status = WaitlistEntry.Status


@transaction.atomic
def join(
    *, schedule_id: int, patient_id: int, by: User | None, channel: str, now: datetime | None = None
) -> WaitlistEntry:
    """加入候补, at the end of the line (of its priority). Only while the session is full for the channel, before the
    cut-off, and for whom booking would not refuse anyway. The same account asking again gets the entry that stands.

    The caller has made sure that `by` may act for the patient and that what must be agreed to first is.
    Raises NoWaitlistHere, Stopped, WaitlistClosed, NotOpen, PastNumber, Inactive, NoPrice, NeedsTeamReferral,
    StillNumbers, WaitingAlready, TooManyWaits, PatientSuspended, LimitReached, AlreadyBooked, TimeConflict,
    NoSuchNumber, NoSuchPatient. Publishes waitlist.joined.
    """
    schedule = Schedule.objects.select_related("service").filter(pk=schedule_id).first()
    if schedule is None:
        raise NoSuchNumber()
    patient = Patient.objects.select_for_update(no_key=True).filter(pk=patient_id, active=True).first()
    if patient is None:
        raise NoSuchPatient()
    moment = now or database_now()  # after the wait for the patient
    standing = list(WaitlistEntry.objects.filter(patient=patient, status__in=OPEN))
    if same := next((row for row in standing if row.schedule_id == schedule.pk), None):
        if by is not None and same.by_id == by.pk:
            return same
        raise WaitingAlready()
    refusal = selectors.may_join(schedule, channel=channel, now=moment, patient_id=patient.pk)
    refusal = refusal or selectors.refusals([patient.pk], schedule, channel=channel, now=moment)[patient.pk]
    if refusal:
        raise refusal
    rule = rules.booking_rule_for(schedule, day=clock.today(moment))
    entry = _write(schedule, patient, seat=_seat(standing, rule), rule=rule, by=by, channel=channel, now=moment)
    said = {"entry": entry.pk, "schedule": schedule.pk, "channel": channel}
    outbox.publish(topic=JOINED, key=f"waitlist:{entry.pk}", payload=said, actor=by, now=moment)
    return entry


def _seat(standing: list[WaitlistEntry], rule: BookingRule) -> int:
    """The lowest of the patient's that is free. The database holds one entry a seat; the caller holds the patient."""
    taken = {row.seat for row in standing}
    free = [seat for seat in range(1, rule.waitlist_most + 1) if seat not in taken]
    if not free or len(standing) >= rule.waitlist_most:
        raise TooManyWaits(most=rule.waitlist_most)
    return free[0]


def _write(schedule: Schedule, patient: Patient, *, seat: int, rule: BookingRule, by, channel, now) -> WaitlistEntry:
    group = special.is_special(birth_date=patient.birth_date, special=patient.special, today=clock.today(now))
    resting = Slot.objects.filter(schedule=schedule, status=Slot.Status.RESTING, hold_until__gt=now)
    return WaitlistEntry.objects.create(
        schedule=schedule,
        patient=patient,
        by=by,
        channel=channel,
        priority=WaitlistEntry.Priority.SPECIAL if group else WaitlistEntry.Priority.ORDINARY,
        seat=seat,
        most=rule.waitlist_most,
        joined_at=now,
        closes_at=policy.closes_at(schedule.day, rule),
        rested_until=list(resting.values_list("hold_until", flat=True)),
    )


@transaction.atomic
def leave(*, entry_id: int, by: User | None, now: datetime | None = None) -> WaitlistEntry:
    """取消候补: of whoever waits, or of a number offered meanwhile, which goes to the next in line. Twice is once.

    Raises WaitOver (filled or ended), NoSuchNumber. Publishes waitlist.ended.
    """
    moment = now or database_now()
    if settling.end(entry_id, status=Status.WITHDRAWN, by=by, now=moment):
        return WaitlistEntry.objects.get(pk=entry_id)
    entry = settling.entry_of(entry_id)
    if entry.status == Status.OFFERED:
        settling.let_go(entry, status=Status.WITHDRAWN, by=by, now=moment)
        entry = settling.entry_of(entry_id)
    if entry.status != Status.WITHDRAWN:
        raise WaitOver(state=entry.get_status_display())
    return entry
