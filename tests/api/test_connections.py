"""Kept connections: checked by a look at the socket, so that a booking pays no round trip for it."""

import psycopg2
import pytest
from django.db import connection
from django.test import Client


def kill(pid: int) -> None:
    """As a restart of the server does to every session."""
    settings = connection.get_connection_params()
    other = psycopg2.connect(**{**settings, "cursor_factory": None})
    other.autocommit = True
    other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.fixture
def new_request():
    """What Django does between two requests of one thread."""

    def begin():
        connection.health_check_enabled = True
        connection.close_if_unusable_or_obsolete()

    return begin


@pytest.mark.django_db(transaction=True)
def test_a_living_connection_is_kept(new_request):
    first = backend()
    new_request()

    assert backend() == first


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_closed_is_replaced_before_the_first_query(new_request):
    first = backend()
    kill(first)
    new_request()

    assert backend() != first


@pytest.mark.django_db(transaction=True)
def test_no_question_is_asked_of_a_silent_connection(new_request, monkeypatch):
    backend()
    monkeypatch.setattr(connection, "is_usable", lambda: pytest.fail("a round trip"))
    new_request()

    backend()


@pytest.mark.django_db
def test_a_program_gets_no_session_and_its_request_is_logged_and_protected():
    response = Client().post("/api/v1/schedules/1/appointments/", data="{}", content_type="application/json")

    assert response.status_code == 401
    assert not response.cookies
    assert response["X-Request-ID"]
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_program_hears_its_language(language):
    response = Client().post("/api/v1/schedules/1/appointments/", headers={"Accept-Language": language})

    assert response["Content-Language"] == language
