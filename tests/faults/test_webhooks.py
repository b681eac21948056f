"""X2, O1: events to another system arrive at least once and in order per booking, whatever is killed or down."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from appointments.services import visit
from hospital import clock, outbox
from hospital.integration import webhooks
from hospital.models import Fact, Webhook, WebhookDelivery
from tests.factories import OrganizationFactory, PatientFactory, appointment_row, open_schedule
from tests.integration.ends import SECRET, End

from .jobs import Jobs, Redis, ask, await_that, kill_family

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

TOPICS = ["encounter.checked_in", "encounter.called", "encounter.started", "encounter.finished"]
SENT = "SELECT count(*) FROM hospital_webhookdelivery WHERE status = 'sent'"
WAITING = "SELECT count(*) FROM hospital_webhookdelivery WHERE tries > 0 AND status = 'waiting'"


@pytest.fixture
def end(tmp_path):
    end = End(tmp_path)
    Webhook.objects.create(
        organization=OrganizationFactory(),
        name="his",
        url=end.url,
        secret=SECRET,
        topics=[*TOPICS, "appointment.noshow"],
    )
    yield end
    end.stop()


def finished_visits(count: int) -> None:
    """`count` visits of this very day, each with its four facts."""
    now = clock.now()
    schedule = open_schedule(day=clock.today(now), numbers=count, minutes=1, opened=now)
    for number in range(1, count + 1):
        row = appointment_row(schedule, PatientFactory(), number=number)
        encounter = visit.check_in(appointment=row, by=None, now=now)
        visit.finish(encounter=visit.start(encounter=encounter, by=None, now=now), by=None, now=now)


def everything_is_due() -> None:
    WebhookDelivery.objects.filter(status="waiting").update(next_try_at=clock.now())


def assert_all_arrived_in_order(end: End, visits: int) -> None:
    """Repeats are allowed (a receiver knows their ids), gaps and overtaking are not."""
    told = {}
    for event in end.events():
        told.setdefault(event["data"]["appointment"], []).append((int(event["id"]), event["topic"]))
    assert len(told) == visits
    for events in told.values():
        first = list(dict.fromkeys(events))
        assert [topic for _id, topic in first] == TOPICS
        assert first == sorted(first)


def test_many_senders_never_overtake_each_other(end):
    finished_visits(12)
    outbox.fan_out(now=clock.now())
    while outbox.deliver(now=clock.now()):
        pass
    end.behave(first=9)
    end.start()

    def sender(_n):
        try:
            for _round in range(4):
                webhooks.send_due()
        finally:
            connection.close()

    for _round in range(12):
        with ThreadPoolExecutor(4) as crowd:
            list(crowd.map(sender, range(4)))
        everything_is_due()

    assert_all_arrived_in_order(end, 12)
    assert len(end.events()) == 48  # nobody died: exactly once


def test_a_worker_killed_while_it_posts_and_a_receiver_that_was_down_lose_nothing(end, tmp_path):
    visits = 30
    redis = Redis(tmp_path)
    redis.start()
    jobs = Jobs(folder=tmp_path, redis=redis)
    try:
        finished_visits(visits)
        end.behave(delay=0.01)
        end.start()
        jobs.beat()
        worker = jobs.worker()
        await_that(lambda: ask(SENT) > 12, seconds=150, because="the worker posts")
        kill_family(worker)
        end.stop()  # and the receiver goes down, too
        assert ask(SENT) < 4 * visits, "killed too late to prove anything"

        jobs.worker()
        await_that(lambda: ask(WAITING) > 0, seconds=150, because="the receiver is found down")
        end.start()
        asked = 0.0

        def all_sent():
            nonlocal asked
            if time.monotonic() > asked + 2:  # the pauses are minutes: the test doesn't wait for them
                asked = time.monotonic()
                everything_is_due()
            return ask(SENT) == 4 * visits

        await_that(all_sent, seconds=150, because="every event is taken")
    finally:
        jobs.stop()
        redis.kill()

    assert_all_arrived_in_order(end, visits)
    assert Fact.objects.filter(fanned_out=False).count() == 0
