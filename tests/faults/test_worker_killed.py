"""X2: a worker killed with kill -9 while it delivers loses nothing and does nothing twice; a gap heals."""

from datetime import timedelta

import pytest

from appointments.services import booking
from hospital import clock
from hospital.models import Message
from tests.factories import (
    PatientFactory,
    UserFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

from .jobs import ask, await_that, kill_family

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

DONE = "SELECT count(*) FROM hospital_delivery WHERE done_at IS NOT NULL"
TOLD = "SELECT count(DISTINCT fact_id), count(*) FILTER (WHERE done_at IS NULL) FROM hospital_delivery"
BUSY = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""
UNSENT = "SELECT count(*) FROM hospital_message WHERE status = 'waiting'"


def confirmed(count: int, *, now) -> None:
    """`count` booked visits four weeks ahead, each with its fact."""
    by = UserFactory()
    day = clock.today(now) + timedelta(days=28)
    for _schedule in range(0, count, 100):
        schedule = open_schedule(numbers=100, minutes=1, day=day, opened=now)
        for _n in range(100):
            booking.book(
                schedule=schedule,
                patient=PatientFactory(),
                channel="consult",
                by=by,
                request_key=None,
                confirmed=True,
                now=now,
            )


def test_a_worker_killed_while_delivering_loses_nothing_and_does_nothing_twice(jobs):
    bookings = 200
    confirmed(bookings, now=clock.now())
    jobs.beat()
    for _round in range(2):
        worker, before = jobs.worker(), ask(DONE)
        await_that(lambda before=before: ask(DONE) > before + 20, seconds=150, because="the worker delivers")
        kill_family(worker)
        await_that(lambda: not ask(BUSY), seconds=20, because="what it had asked for is over")
        Message.objects.filter(next_try_at__gt=clock.now()).update(next_try_at=clock.now())  # its claims have run out
    assert ask(DONE) < bookings, "killed too late to prove anything"

    jobs.worker()
    everybody = (bookings, 0)
    await_that(lambda: ask(TOLD) == everybody and not ask(UNSENT), seconds=150, because="all is delivered and sent")

    once = "SELECT count(*) - count(DISTINCT (fact_id, handler)) FROM hospital_delivery"  # each handler of each fact
    assert ask(once) == 0
    assert ask("SELECT count(*), count(DISTINCT patient_id) FROM hospital_message WHERE channel = 'sms'") == (
        bookings,
        bookings,
    )
    assert ask("SELECT count(*) FROM hospital_message WHERE status <> 'sent'") == 0
    assert ask("SELECT count(*), count(DISTINCT request_id) FROM hospital_gatewayreceipt") == (bookings, bookings)


def test_what_fell_due_while_worker_and_beat_were_down_is_done_once_when_they_are_back(jobs):
    now = clock.now()
    day = clock.today(now) + timedelta(days=28)
    confirmed(100, now=now - timedelta(hours=3))
    held = open_schedule(numbers=3, day=day, opened=now - timedelta(days=1))
    for _n in range(3):
        booking.book(
            schedule=held,
            patient=PatientFactory(),
            channel="web",
            by=UserFactory(),
            request_key=None,
            now=now - timedelta(hours=2),
        )
    opened = open_schedule(numbers=4, day=day, opened=now - timedelta(hours=1))
    shared = open_schedule(numbers=1, day=day)
    add_numbers(shared, count=5, pool="partner", minutes=10, shared=now - timedelta(hours=1))
    missed = open_schedule(numbers=2, day=clock.today(now) - timedelta(days=1))
    appointment_row(missed, PatientFactory(), confirmed_at=now - timedelta(days=3))

    jobs.worker()
    jobs.beat()
    done = """
        SELECT (SELECT count(*) FROM appointments_noshow),
               (SELECT count(*) FROM appointments_appointment WHERE note = 'lapsed'),
               (SELECT count(*) FROM appointments_slot s JOIN appointments_pool p ON p.id = s.pool_id
                 WHERE p.kind = 'partner'),
               (SELECT count(*) FROM hospital_gatewayreceipt)
    """
    await_that(lambda: ask(done) == (1, 3, 0, 100), seconds=200, because="everything that was due is done")

    facts = "SELECT count(*), count(DISTINCT key) FROM hospital_fact WHERE topic = %s"
    assert ask(facts, "appointment.noshow") == (1, 1)
    assert ask(facts, "appointment.lapsed") == (3, 3)
    assert ask(facts, "supply.shared") == (1, 1)
    released = (
        "SELECT count(*), max(payload ->> 'pools') FROM hospital_fact WHERE topic = 'supply.released' AND key = %s"
    )
    assert ask(released, f"schedule:{opened.pk}") == (1, '{"public": 4}')
    late = "SELECT count(*), sum(moved), bool_and(started_at - due_at > '59 minutes' AND done_at > started_at)"
    assert ask(f"{late} FROM appointments_jobrun WHERE job = 'recall'") == (1, 5, True)
    assert ask("SELECT count(*) FROM appointments_allotment WHERE opened_at IS NULL AND opens_at <= now()") == 0
