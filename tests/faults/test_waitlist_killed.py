"""B9, X2: the worker killed while it offers numbers: nobody gets two, no number goes twice, the next run ends it."""

from datetime import time, timedelta

import pytest
from celery import Celery

from appointments import invariants
from appointments.models import BookingRule, Schedule, WaitlistEntry, WaitlistOffer
from appointments.services import waitlist
from hospital import clock
from hospital.models import Fact
from tests.factories import PatientFactory, open_schedule

from .jobs import ask, await_that, kill_family

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SESSIONS, NUMBERS, WAITING = 4, 2, 3
OFFERS = "SELECT count(*)::int FROM appointments_waitlistoffer"
MOVED = "SELECT coalesce(sum(moved), 0)::int FROM appointments_jobrun WHERE job = 'waitlist'"


def lines(now) -> list[list[WaitlistEntry]]:
    """Sessions that were full a moment ago: people wait, and numbers have come back."""
    made = []
    for n in range(SESSIONS):
        schedule = open_schedule(numbers=NUMBERS, day=clock.today(now) + timedelta(days=9 + n), opened=now)
        fields = {"schedule": schedule, "channel": "web", "seat": 1, "most": 3, "closes_at": now + timedelta(days=5)}
        line = [
            WaitlistEntry.objects.create(patient=PatientFactory(), joined_at=now - timedelta(minutes=9 - m), **fields)
            for m in range(WAITING)
        ]
        made.append(line)
    BookingRule.objects.update(waitlist_from=time(0), waitlist_until=time(23, 59, 59))  # whenever the test runs
    return made


@pytest.mark.parametrize("slow_disk", ["INSERT ON appointments_waitlistoffer"], indirect=True)
def test_a_worker_killed_while_offering_offers_nothing_twice_and_the_next_run_ends_it(jobs, slow_disk):
    now = clock.now()
    made = lines(now)
    worker = jobs.worker()
    Celery("beat", broker=jobs.environment["REDIS_URL"], set_as_current=False).send_task(
        "appointments.tasks.follow_up_waitlist"
    )
    await_that(lambda: ask(OFFERS) >= NUMBERS, seconds=60, because="the first numbers are offered")
    kill_family(worker)

    done = ask(OFFERS)
    assert 0 < done < SESSIONS * NUMBERS, "killed too late to prove anything"
    assert ask(MOVED) == done, "the run says what was committed, no more and no less"
    waitlist.follow_up(now=clock.now())
    assert waitlist.follow_up(now=clock.now()) == 0

    for line in made:
        rows = WaitlistEntry.objects.in_bulk([entry.pk for entry in line])
        assert [rows[entry.pk].status for entry in line] == ["offered"] * NUMBERS + ["waiting"]
    offers = WaitlistOffer.objects.all()
    assert offers.values("appointment__slot").distinct().count() == offers.count() == SESSIONS * NUMBERS
    assert Fact.objects.filter(topic="waitlist.offered").count() == SESSIONS * NUMBERS
    assert ask(MOVED) == SESSIONS * NUMBERS
    assert invariants.violations(now=clock.now()) == []
    assert not Schedule.objects.filter(slots__status="free").exists()
