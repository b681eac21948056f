"""Redis is gone, or hangs: booking goes on at its usual pace; messages wait, and go when Redis is back."""

import signal
from datetime import timedelta

import pytest

from hospital import clock
from hospital.models import ApiToken
from tests.factories import PatientFactory, StaffFactory, UserFactory, open_schedule

from .jobs import Redis, ask, await_that
from .letters import partner

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

USUAL, SLOWEST = 0.5, 3.0  # seconds for booking and confirming on a busy machine; a time-out a request would show
BOOKINGS = 20
LETTERS = 4
TOLD = "SELECT count(*) FROM hospital_message WHERE template = 'referral.to_office' AND user_id = %s"
RECEIPTS = "SELECT count(*), count(DISTINCT request_id) FROM hospital_gatewayreceipt"


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path)
    yield server
    if server.process:
        server.signal(signal.SIGCONT)
    server.kill()


@pytest.fixture
def counter():
    """A program at the counter, and who it books for on which schedule."""
    now = clock.now()
    schedule = open_schedule(numbers=BOOKINGS, day=clock.today(now) + timedelta(days=5), opened=now - timedelta(days=1))
    _row, token = ApiToken.issue(
        name="窗口",
        user=UserFactory(),
        channel="counter",
        scopes=[ApiToken.Scope.BOOK_ANYONE],
        expires_at=now + timedelta(days=1),
    )
    return schedule.pk, [PatientFactory().pk for _n in range(BOOKINGS)], token


@pytest.mark.parametrize("how", ["gone", "hanging"])
def test_booking_and_referring_go_on_without_redis_and_messages_go_when_it_is_back(redis, jobs, counter, how):
    """X2, R1"""
    community, office = partner(LETTERS), StaffFactory(roles="referral")
    if how == "hanging":
        redis.start()
        redis.signal(signal.SIGSTOP)

    answer = jobs.book(*counter)

    assert answer["answers"] == [201] * BOOKINGS
    assert answer["usual"] < USUAL
    assert answer["slowest"] < SLOWEST
    assert answer["page"] == 200
    assert ask("SELECT count(*) FROM appointments_appointment WHERE status = 'booked'") == BOOKINGS
    assert ask(RECEIPTS) == (0, 0)
    answer = jobs.send([letter for letter, _patient in community["letters"]], community["token"])
    assert answer["answers"] == [[200, "sent"]] * LETTERS
    assert answer["slowest"] < SLOWEST

    redis.signal(signal.SIGCONT) if how == "hanging" else redis.start()
    jobs.worker()
    jobs.beat()
    await_that(lambda: ask(RECEIPTS)[0] >= BOOKINGS, seconds=150, because="the messages go")
    assert ask(RECEIPTS) == (BOOKINGS, BOOKINGS)
    await_that(lambda: ask(TOLD, office.pk) >= LETTERS, seconds=150, because="the referral office hears of each")
    assert ask(TOLD, office.pk) == LETTERS


def test_a_worker_that_loses_redis_finds_it_again_by_itself(redis, jobs, counter):
    redis.start()
    jobs.worker()
    jobs.beat()
    await_that(lambda: jobs.book(*counter[:1], counter[1][:1], counter[2])["answers"] == [201], seconds=100)
    await_that(lambda: ask(RECEIPTS) == (1, 1), seconds=150, because="worker and beat run")

    redis.kill()
    assert jobs.book(counter[0], counter[1][1:], counter[2])["answers"] == [201] * (BOOKINGS - 1)
    redis.start()

    await_that(lambda: ask(RECEIPTS)[0] >= BOOKINGS, seconds=150, because="the messages go")
    assert ask(RECEIPTS) == (BOOKINGS, BOOKINGS)


def test_a_booking_wakes_the_worker_before_beats_next_round(redis, jobs, counter):
    """Beat does not run here at all."""
    redis.start()
    jobs.worker()
    schedule, patients, token = counter
    jobs.book(schedule, patients[:5], token)

    await_that(lambda: ask("SELECT count(*) FROM hospital_message") >= 2, seconds=100, because="the worker was woken")
