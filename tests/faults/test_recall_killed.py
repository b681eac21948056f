"""P4, X2: the worker killed in the middle of a recall: nothing moves twice, the next run ends it, booking goes on."""

from datetime import timedelta

import pytest
from celery import Celery

from appointments.models import Allotment, JobRun, Slot
from appointments.selectors import runs
from appointments.services import booking, supply
from hospital import clock
from tests.factories import PatientFactory, PoolFactory, UserFactory, add_numbers, open_schedule

from .jobs import ask, await_that, kill_family

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SCHEDULES, NUMBERS = 6, 400  # two schedules a batch
HOUR = timedelta(hours=1)
MOVED = "SELECT coalesce(sum(moved), 0)::int, count(*)::int FROM appointments_jobrun WHERE job = 'recall'"
PUBLIC = """
SELECT count(*)::int FROM appointments_slot s JOIN appointments_pool p ON p.id = s.pool_id
 WHERE p.kind = 'public' AND s.number > 1
"""
FACTS = "SELECT count(*)::int, count(DISTINCT key)::int FROM hospital_fact WHERE topic = 'supply.shared'"


def due(now):
    """Numbers whose recall was due an hour ago, each schedule with one public number besides."""
    schedules = [open_schedule(numbers=1, day=clock.today(now) + timedelta(days=9 + n)) for n in range(SCHEDULES)]
    pool = PoolFactory(organization=schedules[0].organization, kind="partner")
    for schedule in schedules:
        add_numbers(schedule, count=NUMBERS, pool=pool, minutes=1, opened=now - 9 * HOUR, shared=now - HOUR)
    Allotment.objects.update(opened_at=now)
    return schedules


def tick(jobs):
    """What beat says each minute."""
    Celery("beat", broker=jobs.environment["REDIS_URL"], set_as_current=False).send_task(
        "appointments.tasks.follow_up_supply"
    )


@pytest.mark.parametrize("slow_disk", ["UPDATE ON appointments_allotment"], indirect=True)
def test_a_worker_killed_while_recalling_moves_nothing_twice_and_the_next_run_ends_it(jobs, slow_disk):
    now = clock.now()
    schedules = due(now)
    worker = jobs.worker()
    tick(jobs)
    await_that(lambda: ask(MOVED)[0] >= supply.BATCH, seconds=60, because="the first batches are moved")
    kill_family(worker)

    moved, count = ask(MOVED)
    assert 0 < moved < SCHEDULES * NUMBERS, "killed too late to prove anything"
    assert (moved, count) == (ask(PUBLIC), 1), "the run says what was committed, no more and no less"
    await_that(
        lambda: set(runs.state_of([JobRun.objects.get().pk], now=clock.now()).values()) == {"died"},
        seconds=20,
        because="PostgreSQL notices that the worker is gone",
    )
    for schedule in schedules:  # moved already or not: the moment alone decides
        last = Slot.objects.filter(schedule=schedule).latest("number").number
        booked = booking.book(
            schedule=schedule, patient=PatientFactory(), channel="web", by=UserFactory(), request_key=None,
            number=last, confirmed=True, now=clock.now(),
        )  # fmt: skip
        assert booked.slot.number == last
    left = SCHEDULES * NUMBERS - moved - Slot.objects.filter(pool__kind="partner", status="booked").count()

    assert supply.follow_up(now=clock.now()) == left
    assert supply.follow_up(now=clock.now()) == 0

    assert ask(FACTS) == (SCHEDULES, SCHEDULES)
    assert not Allotment.objects.filter(shared_from__lt=now, moved_at=None).exists()
    assert ask(MOVED) == (moved + left, 2)
    killed, next_run = JobRun.objects.order_by("pk")
    assert (killed.done_at, killed.due_at, next_run.due_at) == (None, now - HOUR, now - HOUR)
    assert next_run.done_at is not None
