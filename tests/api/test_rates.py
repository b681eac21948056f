"""How often an account may book and change (B16): kept in Redis, and bookings go on without it."""

import pytest

from hospital.cache import ForgivingRedisCache
from tests.api.conftest import Program, issue
from tests.factories import AccountFactory, PatientFactory, open_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_an_hour(settings, stopped_clock):
    settings.API_RATE = (3, 3600)
    ForgivingRedisCache.gone_until = 0.0


def ask(program, schedule, patient, times):
    path = f"/schedules/{schedule.pk}/appointments/"
    return [program.post(path, {"patient": patient.pk}) for _n in range(times)]


def test_an_account_that_books_without_pause_is_told_to_wait(program, patient):
    schedule = open_schedule(numbers=1)

    answers = ask(program, schedule, patient, 4)

    assert [answer.status_code for answer in answers] == [201, 409, 409, 429]
    assert answers[-1].json()["code"] == "too_many"
    seconds = int(answers[-1].headers["Retry-After"])
    assert 1100 < seconds <= 1200  # one comes back every twenty minutes
    assert f"{seconds}秒" in answers[-1].json()["next"]


def test_verbs_count_as_well_and_other_accounts_do_not(program, patient):
    schedule = open_schedule(numbers=2)
    ask(program, schedule, patient, 3)
    held = program.rows("/appointments/")[0]["id"]
    neighbour = AccountFactory()

    assert program.post(f"/appointments/{held}/cancel/").status_code == 429
    assert program.get("/appointments/").status_code == 200
    other = Program(issue(neighbour, "book"))
    assert ask(other, schedule, PatientFactory(account=neighbour), 1)[0].status_code == 201


def test_a_hospitals_own_programme_speaks_for_thousands_and_is_not_counted(stopped_clock):
    desk = Program(issue(AccountFactory(), "book_anyone", channel="phone"))
    schedule = open_schedule(numbers=9)

    answers = [ask(desk, schedule, PatientFactory(), 1)[0] for _n in range(5)]

    assert {answer.status_code for answer in answers} == {201}


def test_the_bucket_refills_evenly(program, patient, settings):
    """Redis's own clock runs on while the hospital's is stopped."""
    settings.API_RATE = (2, 1)
    schedule = open_schedule(numbers=1)
    answers = ask(program, schedule, patient, 12)

    waits = {answer.headers.get("Retry-After") for answer in answers if answer.status_code == 429}
    assert waits <= {"1"}


def test_without_redis_bookings_go_on(program, patient, settings):
    """X2: the rate is courtesy; what a person may hold is limited in PostgreSQL."""
    settings.CACHES = {
        "default": {
            "BACKEND": "hospital.cache.ForgivingRedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 0.2},
        }
    }
    schedule = open_schedule(numbers=1)

    answers = ask(program, schedule, patient, 5)

    assert [answer.status_code for answer in answers] == [201, 409, 409, 409, 409]
    ForgivingRedisCache.gone_until = 0.0
