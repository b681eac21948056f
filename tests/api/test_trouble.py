"""What a program hears when something broke: JSON with the next step, never a page and never a bare 500."""

import json

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError
from django.test import RequestFactory

from hospital.middleware import DatabaseGone
from hospital.views.errors import server_error


def told(error: Exception):
    request = RequestFactory().post("/api/v1/schedules/1/appointments/")
    try:
        raise error
    except Exception:
        response = server_error(request)
    return response.status_code, json.loads(response.content)["code"]


@pytest.mark.parametrize("error", [OperationalError(), DatabaseError("no message from the libpq")])
def test_a_connection_that_was_cut_is_a_503_to_come_back_from(error):
    """X2: PostgreSQL that dies in the middle of an answer leaves a DatabaseError of no kind of its own."""
    assert told(error) == (503, "unavailable")
    assert DatabaseGone(lambda request: None).process_exception(RequestFactory().get("/api/"), error).status_code == 503


@pytest.mark.parametrize("error", [IntegrityError(), ValueError()])
def test_a_fault_of_ours_is_told_in_json(error):
    assert told(error) == (500, "error")
