"""Offering a number to whoever is next: first come, first served inside a priority (B9).

The waitlist may take a number that rests (B14): it waits out its time only if nobody waits for it. Who can't be given
one now is passed over with the reason, keeps the place, and is asked again when the next number comes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from django.db import connection, transaction

from appointments.errors import WaitOver
from appointments.models import BookingRule, Schedule, Slot, WaitlistEntry, WaitlistOffer
from appointments.policies import waitlist as policy
from appointments.selectors import rules
from appointments.selectors import waitlist as selectors
from appointments.services import booking, walkin
from hospital import clock, outbox
from hospital.errors import Refused
from hospital.models import Patient

OFFERED = "waitlist.offered"

Status, Passed = WaitlistEntry.Status, WaitlistEntry.Passed

PICK = """
SELECT s.id, s.number
  FROM appointments_slot s
 WHERE s.schedule_id = %(schedule)s AND s.status IN ('free', 'resting') AND s.start > %(now)s
   AND s.pool_id = ANY (%(pools)s::bigint[])
   AND NOT (s.status = 'resting' AND s.hold_until > %(now)s AND s.hold_until = ANY (%(rested)s::timestamptz[]))
   AND NOT EXISTS (SELECT 1 FROM hospital_patienttime t
                    WHERE t.patient_id = %(patient)s
                      AND t.during && tstzrange(s.start, s.start + s.minutes * interval '1 minute'))
 ORDER BY s.number LIMIT 1
   FOR NO KEY UPDATE SKIP LOCKED
"""

WHY_NONE = """
SELECT count(*), count(*) FILTER (WHERE theirs), count(*) FILTER (WHERE theirs AND NOT rests)
  FROM (SELECT s.pool_id = ANY (%(pools)s::bigint[]) AS theirs,
               s.status = 'resting' AND s.hold_until > %(now)s
               AND s.hold_until = ANY (%(rested)s::timestamptz[]) AS rests
          FROM appointments_slot s
         WHERE s.schedule_id = %(schedule)s AND s.status IN ('free', 'resting') AND s.start > %(now)s) number
"""


class Turn(Enum):
    """What came of somebody's turn."""

    OFFERED = auto()
    PASSED = auto()
    OVER = auto()  # no number left, or not now: the others wait for the next round


@dataclass(frozen=True)
class Terms:
    """What an offer of this session made at `now` is held to."""

    schedule: Schedule
    rule: BookingRule
    now: datetime


def offer(*, schedule_id: int, now: datetime) -> int:
    """Offer what nobody has to those who wait, in their order. Returns how many offers went out.

    Each is a transaction of its own: the schedule, the number, the patient; whoever holds a patient already takes the
    next number and the next patient with SKIP LOCKED only. Twice at once is once: the schedule's row is waited for.
    """
    if not selectors.to_give(schedule_id, now=now):
        return 0
    made = 0
    for entry_id in list(selectors.line_of(schedule_id).values_list("pk", flat=True)):
        turn = _turn(entry_id, schedule_id=schedule_id, now=now)
        if turn is Turn.OVER:
            break
        made += turn is Turn.OFFERED
    return made


@transaction.atomic
def _turn(entry_id: int, *, schedule_id: int, now: datetime) -> Turn:
    schedules = Schedule.objects.select_for_update(no_key=True, of=["self"]).select_related("service")
    schedule = schedules.filter(pk=schedule_id).first()
    if schedule is None or schedule.status != Schedule.Status.OPEN or not selectors.to_give(schedule_id, now=now):
        return Turn.OVER
    entry = WaitlistEntry.objects.filter(pk=entry_id, status=Status.WAITING).first()
    if entry is None:
        return Turn.PASSED
    terms = Terms(schedule, rules.booking_rule_for(schedule, day=clock.today(now)), now)
    deadline = policy.deadline(terms.rule, closes=entry.closes_at, now=now)
    if deadline is None:
        return Turn.OVER
    return _offer_to(entry, terms, deadline=deadline)


def _offer_to(entry: WaitlistEntry, terms: Terms, *, deadline: datetime) -> Turn:
    """The caller holds the schedule."""
    looked = _looked(entry, terms)
    with connection.cursor() as cursor:
        cursor.execute(PICK, looked)
        picked = cursor.fetchone()
    if picked is None:
        why = _why_none(looked)
        return _pass_over(entry, why, now=terms.now) if why else Turn.OVER
    locked = Patient.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=entry.patient_id)
    patient = locked.first()
    if patient is None:  # somebody is at this very patient: nobody is overtaken for that, the next round comes
        return Turn.OVER
    slot, number = picked
    try:
        with transaction.atomic():
            Slot.objects.filter(pk=slot, status=Slot.Status.RESTING).update(hold_until=terms.now)
            _give(entry, patient, terms, number=number, deadline=deadline)
    except WaitOver:  # left this moment
        return Turn.PASSED
    except Refused as refusal:
        known = refusal.code in Passed.values
        return _pass_over(entry, refusal.code if known else Passed.OTHER, now=terms.now)
    return Turn.OFFERED


def _looked(entry: WaitlistEntry, terms: Terms) -> dict:
    """What PICK and WHY_NONE ask with: the pools are the claim's own answer for the entry's channel."""
    schedule, now = terms.schedule, terms.now
    pools = selectors.pools_of(schedule, channel=entry.channel, patient_id=entry.patient_id, now=now)
    asked = {"channel": entry.channel, "pools": pools, "patient_id": entry.patient_id, "now": now}
    _code, usable = selectors.ground(schedule, **asked)
    return {
        "schedule": schedule.pk,
        "patient": entry.patient_id,
        "pools": usable,
        "rested": entry.rested_until,
        "now": now,
    }


def _why_none(looked: dict) -> str | None:
    """Numbers stand there, but none for this entry; None: somebody is at the last ones, or they are gone."""
    with connection.cursor() as cursor:
        cursor.execute(WHY_NONE, looked)
        standing, theirs, ready = cursor.fetchone()
    if not standing:
        return None
    if not theirs:
        return Passed.CHANNEL
    return Passed.TIME_CONFLICT if ready else Passed.RESTS


def _pass_over(entry: WaitlistEntry, why: str, *, now: datetime) -> Turn:
    """Written when the reason is a new one, so that the same one every minute writes nothing."""
    rows = WaitlistEntry.objects.filter(pk=entry.pk, status=Status.WAITING)
    rows.exclude(passed=why).update(passed=why, passed_at=now)
    return Turn.PASSED


def _give(entry: WaitlistEntry, patient: Patient, terms: Terms, *, number: int, deadline: datetime) -> None:
    """The caller holds schedule, number and patient. Raises what booking raises, and WaitOver."""
    outcome = booking.give_number(
        schedule=terms.schedule,
        patient_id=patient.pk,
        channel=entry.channel,
        by=None,
        actor=entry.by_id,  # whose it is on the pages: who asked for it
        request_key=f"waitlist:{entry.pk}",
        number=number,
        hold=deadline - terms.now,
        visit_type=walkin.visit_type(patient, terms.schedule),
        now=terms.now,
    )
    WaitlistOffer.objects.create(entry=entry, appointment_id=outcome.appointment, made_at=terms.now, deadline=deadline)
    rows = WaitlistEntry.objects.filter(pk=entry.pk, status=Status.WAITING)
    if not rows.update(status=Status.OFFERED, passed="", passed_at=None):
        raise WaitOver(state="")
    outbox.publish(
        topic=OFFERED,
        key=f"waitlist:{entry.pk}",
        payload={
            "entry": entry.pk,
            "schedule": terms.schedule.pk,
            "appointment": outcome.appointment,
            "deadline": deadline.isoformat(),
        },
        now=terms.now,
    )
