"""The two health pages: a load balancer and the person on call believe them."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.db import connections

from hospital import heartbeats
from hospital.tasks import heartbeat

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped_clock():
    caches[heartbeats.CACHE].delete_many(["heartbeat:worker", "heartbeat:beat"])
    with time_machine.travel(NOW, tick=False):
        yield
    caches[heartbeats.CACHE].delete_many(["heartbeat:worker", "heartbeat:beat"])


@pytest.fixture
def no_redis(settings):
    gone = {"LOCATION": "unix:///nowhere/valkey.sock"}
    settings.CACHES = {alias: cache | gone for alias, cache in settings.CACHES.items()}


def test_live_asks_neither_database_nor_redis(client, no_redis):
    """pytest-django refuses any query in a test without its mark."""
    answer = client.get("/healthz/live")

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_ready_is_ok_when_worker_and_beat_gave_a_sign(client):
    heartbeats.beat("worker", now=NOW - timedelta(seconds=3))
    heartbeats.beat("beat", now=NOW - timedelta(seconds=2))

    answer = client.get("/healthz/ready")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["worker"] == {"status": "ok", "age_seconds": 3.0}
    assert answer.json()["beat"] == {"status": "ok", "age_seconds": 2.0}


@pytest.mark.django_db
def test_a_worker_that_does_no_work_is_named_and_the_site_stays_in_service(client):
    heartbeats.beat("worker", now=NOW - timedelta(seconds=heartbeats.LATE_AFTER + 1))
    heartbeats.beat("beat", now=NOW)

    answer = client.get("/healthz/ready")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["worker"] == {"status": "degraded", "age_seconds": 46.0}
    assert answer.json()["beat"]["status"] == "ok"


@pytest.mark.django_db
def test_without_any_sign_worker_and_beat_are_degraded_without_an_age(client):
    answer = client.get("/healthz/ready").json()

    assert answer["worker"] == answer["beat"] == {"status": "degraded", "age_seconds": None}


@pytest.mark.django_db
def test_without_redis_the_site_stays_in_service_and_worker_and_beat_are_unknown(client, no_redis):
    answer = client.get("/healthz/ready")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["redis"] == {"status": "degraded"}
    assert answer.json()["worker"] == answer.json()["beat"] == {"status": "unknown", "age_seconds": None}


@pytest.mark.django_db(transaction=True)
def test_without_the_database_the_site_goes_out_of_service_and_says_why(client):
    connection = connections["default"]
    given = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(HOST="/nowhere", PORT="")
    try:
        answer = client.get("/healthz/ready")
    finally:
        connection.settings_dict.update(given)

    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["database"] == {"status": "down"}
    assert answer.json()["redis"]["status"] == "ok"


def test_health_needs_no_https_and_no_sign_in(client, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/healthz/live").status_code == 200


def test_running_the_task_is_the_workers_sign_of_life():
    heartbeat.delay()

    assert heartbeats.ages(now=NOW)["worker"] == 0.0
