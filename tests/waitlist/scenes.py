"""A session that is full, people who wait for a number of it, and the worker's rounds."""

from datetime import date, datetime, time, timedelta

from appointments.models import WaitlistEntry
from appointments.services import changes, supply, waitlist
from hospital import clock, messages, outbox
from hospital.models import Message
from tests.factories import NOW, TODAY, PatientFactory, appointment_row, open_schedule

ADULT = date(1985, 5, 1)  # of no special group
DAY = TODAY + timedelta(days=7)
EVE = clock.at(DAY - timedelta(days=1), time(18))
"""The cut-off of a session of DAY."""


def full(numbers=2, *, day=DAY, **more):
    """A session whose numbers are all booked, one visit a patient."""
    schedule = open_schedule(numbers=numbers, day=day, **more)
    for number in range(1, numbers + 1):
        appointment_row(schedule, PatientFactory(), number=number)
    return schedule


def join(schedule, patient=None, *, channel="web", by=None, now=NOW) -> WaitlistEntry:
    patient = patient or PatientFactory(birth_date=ADULT)
    return waitlist.join(schedule_id=schedule.pk, patient_id=patient.pk, by=by, channel=channel, now=now)


def give_back(schedule, number=1, *, now=NOW):
    """Whoever has this number cancels; returns the number."""
    slot = schedule.slots.get(number=number)
    row = slot.appointments.exclude(status="cancelled").get()
    changes.cancel(appointment=row, by=None, channel="counter", now=now)
    slot.refresh_from_db()
    return slot


def work(now: datetime = NOW) -> None:
    """The worker's rounds: holds that have run out, facts to their handlers, the minute's job, messages out."""
    supply.lapse_holds(now=now)
    hear(now)
    waitlist.follow_up(now=now)
    hear(now)
    messages.send_waiting(now=now)


def hear(now: datetime = NOW) -> None:
    """Facts to their handlers, and nothing else."""
    for _round in range(4):
        outbox.fan_out(now=now)
        while outbox.deliver(now=now):
            pass


def states(*entries) -> list[str]:
    """status, or status:why of what has ended."""
    found = WaitlistEntry.objects.in_bulk([entry.pk for entry in entries])
    rows = [found[entry.pk] for entry in entries]
    return [f"{row.status}:{row.why}" if row.why else row.status for row in rows]


def told(patient) -> list[str]:
    rows = Message.objects.filter(patient=patient, channel="sms", status="sent", template__startswith="waitlist")
    return list(rows.order_by("pk").values_list("template", flat=True))
