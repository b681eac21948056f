"""候补 of the last hours (B9): who waits for the sessions that people fill first, and what came of numbers given back.

Who joins, who gives a number back and who answers is drawn; places, offers and ends are the services' own. Nothing is
left open but places in line: an offer would be over before the demo is looked at.
"""

import random
from contextlib import suppress
from datetime import datetime, time, timedelta
from itertools import islice

from django.db.models import Count, Q, QuerySet

from appointments.demo import behaviour
from appointments.demo.ledger import DAY
from appointments.demo.scale import SEED
from appointments.errors import StillNumbers
from appointments.models import Appointment, Pool, Schedule, Slot, WaitlistEntry
from appointments.models.rules import Channel
from appointments.selectors import waitlist as selectors
from appointments.services import booking, changes, waitlist
from hospital import clock
from hospital.errors import Refused
from hospital.models import Patient, RelatedPerson

AHEAD = 2, 7  # days until the sessions in question
LOOKED_AT = 12  # sessions, the fullest first
RUSH = 8  # numbers of a session that the last to come still find
SESSIONS = 6  # that somebody waits for
MOST = 5  # who wait for one
CROWD = 200  # patients to draw from
SERVED = 3  # sessions of which a number comes back
LATELY = timedelta(hours=5)
FREED, ANSWERED = timedelta(hours=3), timedelta(minutes=100)  # how long ago, and how long the slowest thought
BY_DAY = time(10), time(21)  # so that numbers are offered FREED before, too
SOON = timedelta(seconds=30)  # the worker's next round


def live(*, now: datetime) -> None:
    """A handful: the office's drawer and a shown family's bookings have some. At night the evening before is meant."""
    dice, now = random.Random(f"{SEED}waiting"), _by_day(now)
    family = RelatedPerson.objects.filter(ended_at=None).select_related("patient").order_by("pk")
    shown = [row.patient for row in family]
    crowd = list(Patient.objects.filter(active=True).exclude(pk__in=family.values("patient")).order_by("pk")[:CROWD])
    full = (row for row in _sought_after(now=now) if _fill(row, crowd, dice, now=now))
    sessions = list(islice(full, SESSIONS))
    for place, schedule in enumerate(sessions):
        people = dice.sample(crowd, min(len(crowd), dice.randint(1, MOST)))
        people += shown[place - SERVED : place - SERVED + 1] if place >= SERVED else []
        for patient in people:
            _join(schedule, patient, now=now - LATELY * dice.random())
    for schedule in sessions[:SERVED]:
        _serve(schedule, dice, now=now)


def _by_day(now: datetime) -> datetime:
    """This moment, or the last one by day."""
    there = now.astimezone(clock.ZONE)
    first, last = BY_DAY
    if there.time() < first:
        return clock.at(there.date() - DAY, last)
    return min(now, clock.at(there.date(), last))


def _sought_after(*, now: datetime) -> list[Schedule]:
    """Sessions with the fewest numbers left to the public."""
    today = clock.today(now)
    rows = Schedule.objects.filter(
        day__range=(today + AHEAD[0] * DAY, today + AHEAD[1] * DAY),
        status=Schedule.Status.OPEN,
        gate_team=None,
        substitutions=None,
        waitlist=None,
    ).select_related("service")
    free = Count("slots", filter=Q(slots__status=Slot.Status.FREE, slots__pool__kind=Pool.Kind.PUBLIC))
    return list(rows.annotate(free=free).filter(free__lte=RUSH).order_by("free", "day", "pk")[:LOOKED_AT])


def _fill(schedule: Schedule, crowd: list[Patient], dice: random.Random, *, now: datetime) -> bool:
    """Some of the crowd take what is left on the web; whether the session is full for it then."""
    moment = now - LATELY
    for patient in dice.sample(crowd, min(len(crowd), 2 * RUSH)):
        if not isinstance(selectors.may_join(schedule, channel=Channel.WEB, now=moment), StillNumbers):
            break
        with suppress(Refused):  # this one is elsewhere, or has booked enough
            booking.book(
                schedule=schedule, patient=patient, channel=Channel.WEB, by=None, request_key=None, confirmed=True,
                now=moment,
            )  # fmt: skip
    return selectors.may_join(schedule, channel=Channel.WEB, now=now) is None


def _join(schedule: Schedule, patient: Patient, *, now: datetime) -> None:
    with suppress(Refused):  # has a number there already, or waits for three
        account = RelatedPerson.objects.filter(patient=patient, ended_at=None).select_related("account").first()
        by = account.account if account else None
        waitlist.join(schedule_id=schedule.pk, patient_id=patient.pk, by=by, channel=Channel.WEB, now=now)


def _serve(schedule: Schedule, dice: random.Random, *, now: datetime) -> None:
    """Somebody gives a number back; whoever is first answers, or lets it pass."""
    gone = _bookings(schedule).filter(created_at__lt=now - LATELY).order_by("pk").first()
    if gone is None:
        return
    freed = now - FREED
    with suppress(Refused):
        changes.cancel(appointment=gone, by=None, channel=Channel.WEB, now=freed)
        waitlist.offer(schedule_id=schedule.pk, now=freed + SOON)
    for entry in WaitlistEntry.objects.filter(schedule=schedule, status=WaitlistEntry.Status.OFFERED):
        answered = freed + SOON + min(ANSWERED, behaviour.thinks_it_over(dice))
        answer = waitlist.decline if behaviour.stays_silent(dice) else waitlist.accept
        answer(entry_id=entry.pk, by=entry.by, now=answered)


def _bookings(schedule: Schedule) -> QuerySet[Appointment]:
    return schedule.appointments.filter(
        status=Appointment.Status.BOOKED, channel__in=(Channel.WEB, Channel.APP), waitlist_offer=None
    )
