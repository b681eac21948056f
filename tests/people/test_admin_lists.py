"""The lists of the admin stay as quick in a hospital of millions of rows: queries don't grow, searches use indexes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment, Encounter, NoShow
from hospital.models import AuditEvent, Fact, User
from tests.factories import NOW, PatientFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db
LISTS = (
    "appointments/appointment", "appointments/encounter", "appointments/slot", "appointments/schedule",
    "appointments/allotment", "appointments/noshow", "hospital/fact", "hospital/auditevent", "hospital/message",
)  # fmt: skip


@pytest.fixture
def chief(client):
    client.force_login(
        User.objects.create_superuser(username="chief", password=None),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def asked(client, path):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def booked(count):
    return [appointment_row(open_schedule(numbers=1), PatientFactory()) for _row in range(count)]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_as_much_for_two_rows_as_for_eight(chief, name):
    path = f"/admin/{name}/"
    rows = booked(2)
    _seen(rows)
    asked(chief, path)
    few = asked(chief, path)

    _seen(booked(6))

    assert asked(chief, path) == few


def _seen(rows):
    """Each left a visit, a fact, a trace."""
    for n, row in enumerate(rows):
        actor = User.objects.create(username=f"u{row.pk}")
        Encounter.objects.create(
            appointment=row, schedule=row.schedule, department=row.department, patient=row.patient, checked_in_at=NOW
        )
        NoShow.objects.create(appointment=row, patient=row.patient, day=row.day, marked_at=NOW)
        Fact.objects.create(topic=f"t{n}", key=f"appointment:{row.pk}", happened_at=NOW, actor=actor)
        AuditEvent.objects.create(at=NOW, action="look", actor=actor, patient=row.patient)


@pytest.mark.parametrize("word", ["id", "schedule", "number", "small_number"])
def test_a_search_finds_exactly_and_by_an_index(chief, word):
    row, _other = booked(2)
    number = row.patient.medical_number
    text = {"id": row.pk, "schedule": row.schedule_id, "number": number, "small_number": number.lower()}[word]

    with CaptureQueriesContext(connection) as queries:
        page = chief.get("/admin/appointments/appointment/", {"q": text})

    assert row in page.context["cl"].result_list
    assert not any("UPPER(" in query["sql"] for query in queries)


@pytest.mark.parametrize("word", ["x", "9" * 30, "-1", "¹", "M404"])
def test_what_is_no_number_finds_nothing(chief, word):
    booked(1)

    page = chief.get("/admin/appointments/appointment/", {"q": word})

    assert page.status_code == 200
    assert list(page.context["cl"].result_list) == []
    assert Appointment.objects.count() == 1


def test_facts_are_sifted_by_the_topics_of_the_newest(chief):
    for topic in ("b.two", "a.one"):
        Fact.objects.create(topic=topic, key="k:1", happened_at=NOW)

    page = chief.get("/admin/hospital/fact/", {"topic": "a.one"})

    assert [fact.topic for fact in page.context["cl"].result_list] == ["a.one"]
    assert list(page.context["cl"].filter_specs[0].lookup_choices) == ["a.one", "b.two"]
