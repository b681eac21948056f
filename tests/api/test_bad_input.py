"""What a careless or hostile program sends. Every answer is JSON that says what is wrong; none is a 500."""

import json
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.test import Client

from appointments.models import Appointment
from hospital.models import ApiToken
from tests.api.conftest import Program, issue
from tests.factories import NOW, AccountFactory, DepartmentFactory, PatientFactory, appointment_row, open_schedule

pytestmark = pytest.mark.django_db
ANY = "/departments/"


def told(answer):
    """(status, code); the body is a refusal of the documented shape."""
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert {"code", "message", "next"} <= set(body) <= {"code", "message", "next", "fields"}
    assert body["message"]
    assert body["next"]
    return answer.status_code, body["code"]


@pytest.fixture
def schedule(db):
    return open_schedule(numbers=5)


@pytest.fixture
def book(program, schedule, patient):
    def send(body=None, **more):
        body = {"patient": patient.pk} if body is None else body
        return program.post(f"/schedules/{schedule.pk}/appointments/", body, **more)

    return send


PATHS = ["/departments/", "/schedules/", "/departments/1/availability/", "/schedules/1/slices/", "/appointments/"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nobody", "Basic YTpi", "Bearer \xff\xfe"])
def test_no_token_no_answer(stopped_clock, path, header):
    """O5."""
    headers = {} if header is None else {"Authorization": header}
    answer = Client().get(f"/api/v1{path}", headers=headers)

    assert told(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("free", ["null", "1", "True", "yes", "", "ja", "\x7f"])
def test_a_boolean_that_is_neither_true_nor_false_is_refused_by_its_name(program, free):
    answer = program.get("/schedules/", {"free": free})

    assert told(answer) == (422, "invalid")
    assert answer.json()["fields"] == {"free": ["只能是 true 或 false。"]}


@pytest.mark.parametrize("path", PATHS)
def test_a_token_ends_with_its_day_its_revocation_and_its_account(program, account, path, time_machine):
    pk = {"/departments/1/availability/": DepartmentFactory, "/schedules/1/slices/": open_schedule}
    path = path.replace("1", str(pk[path]().pk)) if path in pk else path
    assert program.get(path).status_code == 200
    account.is_active = False
    account.save()
    assert told(program.get(path)) == (401, "unauthorized")
    account.is_active = True
    account.save()
    ApiToken.objects.update(revoked_at=NOW)
    assert told(program.get(path)) == (401, "unauthorized")
    ApiToken.objects.update(revoked_at=None)
    time_machine.move_to(NOW + timedelta(days=30), tick=False)
    assert told(program.get(path)) == (401, "unauthorized")


def test_a_token_of_another_scope_is_refused_and_told_which(stopped_clock, schedule, account, patient):
    reader, booker = Program(issue(account, "read")), Program(issue(account, "book"))
    other = Program(issue(account, "integrate", organization=schedule.organization, system="HIS"))
    row = appointment_row(schedule, patient)
    needs_booking = [
        reader.get("/patients/"),
        reader.get("/appointments/"),
        reader.post(f"/schedules/{schedule.pk}/appointments/", {"patient": patient.pk}),
        reader.post(f"/appointments/{row.pk}/cancel/"),
        other.get("/patients/"),
    ]
    needs_reading = [
        booker.get("/departments/"),
        booker.get("/schedules/"),
        booker.get(f"/schedules/{schedule.pk}/slices/"),
        booker.get(f"/departments/{schedule.department_id}/availability/"),
        other.get("/doctors/"),
    ]

    assert {told(answer) for answer in needs_booking + needs_reading} == {(403, "out_of_scope")}
    assert "book" in needs_booking[0].json()["message"]
    assert "read" in needs_reading[0].json()["message"]
    assert Appointment.objects.get().status == "booked"


def test_another_accounts_numbers_tell_nothing(program, schedule):
    stranger = PatientFactory(account=AccountFactory())
    row = appointment_row(schedule, stranger)

    asked = [
        program.get(f"/appointments/{row.pk}/"),
        program.get("/appointments/999999999/"),
        program.post(f"/appointments/{row.pk}/cancel/"),
        program.post(f"/appointments/{row.pk}/confirm/"),
    ]
    assert {told(answer) for answer in asked} == {(404, "not_found")}
    ours = program.post(f"/schedules/{schedule.pk}/appointments/", {"patient": stranger.pk})
    nobody = program.post(f"/schedules/{schedule.pk}/appointments/", {"patient": 10**9})
    assert told(ours) == told(nobody) == (404, "no_patient")


NO_JSON = ["{", b"\xff\xfe", "nul", '{"patient": 1', '{"patient": NaN}']
DEEP = ["[" * 10_000, '{"a":' * 10_000]


@pytest.mark.parametrize("body", NO_JSON, ids=range(len(NO_JSON)))
def test_what_is_no_json_is_malformed_wherever_it_is_sent(program, book, schedule, patient, body):
    assert told(book(body)) == (422, "malformed")
    row = appointment_row(schedule, patient)
    for verb in ("cancel", "reschedule"):
        assert told(program.post(f"/appointments/{row.pk}/{verb}/", body)) == (422, "malformed")


@pytest.mark.parametrize("body", DEEP, ids=range(len(DEEP)))
def test_a_bottomless_body_brings_nothing_down(program, book, schedule, patient, body):
    row = appointment_row(schedule, patient)

    assert book(body).status_code == program.post(f"/appointments/{row.pk}/cancel/", body).status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "request"),
        ("text", "request"),
        (None, "request"),
        ({}, "patient"),
        ({"patient": "1"}, "patient"),
        ({"patient": 1.5}, "patient"),
        ({"patient": 0}, "patient"),
        ({"patient": -1}, "patient"),
        ({"patient": 2**63}, "patient"),
        ({"patient": 10**400}, "patient"),
        ({"patient": True}, "patient"),
        ({"patient": 1, "number": 40_000}, "number"),
        ({"patient": 1, "channel": "counter"}, "channel"),
        ({"patient": 1, "\x00": 1}, "\x00"),
        ({"patient": 1, "start": "tomorrow"}, "start"),
        ({"patient": 1, "start": "2026-12-21T08:00:00"}, "start"),
        ({"patient": 1, "start": "9999-12-31T23:59:59Z"}, "start"),
        ({"patient": 1, "start": "0001-01-01T00:00:00+14:00"}, "start"),
        ({"patient": 1, "start": 1_790_000_000}, "start"),
        ({"patient": 1, "start": "2026-12-21T08:00:00+08:00", "number": 1}, "number"),
    ],
    ids=str,
)
def test_what_is_not_as_described_is_refused_by_field(book, body, field):
    answer = book(json.dumps(body))

    assert told(answer) == (422, "invalid")
    assert list(answer.json()["fields"]) == [field]


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("cancel", {"reason": 1}, "reason"),
        ("cancel", {"reason": "x" * 201}, "reason"),
        ("cancel", {"reason": "a\x00b"}, "reason"),
        ("cancel", {"why": ""}, "why"),
        ("confirm", {"patient": 1}, "patient"),
        ("reschedule", {}, "schedule"),
        ("reschedule", {"schedule": 2**64}, "schedule"),
        ("reschedule", {"schedule": 1, "start": "2026-12-21T08:00:00"}, "start"),
        ("reschedule", {"schedule": 1, "patient": 1}, "patient"),
        ("reschedule", [1], "request"),
    ],
    ids=str,
)
def test_verbs_refuse_by_field_as_well(program, patient, schedule, verb, body, field):
    row = appointment_row(schedule, patient)

    answer = program.post(f"/appointments/{row.pk}/{verb}/", body)

    assert told(answer) == (422, "invalid")
    assert list(answer.json()["fields"]) == [field]
    row.refresh_from_db()
    assert row.status == "booked"


def test_half_a_character_is_not_stored(program, patient, schedule):
    row = appointment_row(schedule, patient)

    answer = program.post(f"/appointments/{row.pk}/cancel/", '{"reason": "\\ud800"}')

    assert answer.status_code == 422


@pytest.mark.parametrize("key", ["", " ", "x" * 81, "a b", "键", "a\x00b"])
def test_a_key_is_short_and_visible(program, patient, schedule, key):
    row = appointment_row(schedule, patient)

    for path in (f"/schedules/{schedule.pk}/appointments/", f"/appointments/{row.pk}/cancel/"):
        answer = program.client.post(
            f"/api/v1{path}",
            data=json.dumps({"patient": patient.pk}),
            content_type="application/json",
            headers=program._headers({"Idempotency-Key": key}),
        )
        assert told(answer) == (422, "invalid")
        assert list(answer.json()["fields"]) == ["Idempotency-Key"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_only_json_is_read(program, book, schedule, patient, kind):
    row = appointment_row(schedule, patient)

    assert told(book('{"patient": 1}', content_type=kind)) == (415, "unsupported_media_type")
    assert told(program.post(f"/appointments/{row.pk}/cancel/", '{"reason": ""}', content_type=kind)) == (
        415,
        "unsupported_media_type",
    )


def test_only_json_is_answered(program, schedule):
    for path in ("/departments/", f"/schedules/{schedule.pk}/slices/", "/appointments/"):
        assert told(program.get(path, Accept="text/html")) == (406, "not_acceptable")
        for accept in ("*/*", "application/json", "text/html, application/json;q=0.9", "application/*"):
            assert program.get(path, Accept=accept).status_code == 200


class Unread:
    """A body of ten megabytes that must not be touched."""

    def read(self, *_args):
        pytest.fail("read")

    readline = read


@pytest.mark.parametrize("path", ["/schedules/1/appointments/", "/appointments/1/cancel/", "/nowhere/"])
def test_ten_megabytes_are_refused_unread(program, path):
    answer = program.client.generic(
        "POST",
        f"/api/v1{path}",
        content_type="application/json",
        headers=program._headers({"Idempotency-Key": "k"}),
        **{"CONTENT_LENGTH": str(10 * 2**20), "wsgi.input": Unread()},
    )

    assert told(answer) == (413, "too_large")


def test_the_refusal_of_a_long_body_is_in_the_callers_language_whoever_was_served_before(program):
    """V5: it is said before the language is asked for."""
    long = {"CONTENT_LENGTH": str(10 * 2**20), "content_type": "application/json"}
    said = []
    for language in ("en", "zh-hans", "en"):
        answer = program.client.generic("POST", "/api/v1/nowhere/", headers={"Accept-Language": language}, **long)
        said.append(answer.json()["message"].isascii())

    assert said == [True, False, True]


@pytest.mark.parametrize("length", ["", "0", "-1"])
def test_a_length_that_is_none_is_no_body(program, length):
    answer = program.client.generic(
        "POST",
        "/api/v1/schedules/1/appointments/",
        headers=program._headers({"Idempotency-Key": "k"}),
        CONTENT_LENGTH=length,
        CONTENT_TYPE="application/json",
    )

    assert told(answer) == (422, "malformed")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": "a\x00"}, "q"),
        ({"q": "x" * 41}, "q"),
        ({"campus": "x"}, "campus"),
        ({"campus": 2**63}, "campus"),
        ({"campus": "1e400"}, "campus"),
        ({"campus": -1}, "campus"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 201}, "page_size"),
        ({"page_size": "٣"}, "page_size"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "x:y"}, "cursor"),
        ({"cursor": "\x00"}, "cursor"),
        ({"chanel": "app"}, "chanel"),
    ],
    ids=str,
)
def test_parameters_that_make_no_sense_are_refused_by_name(program, query, field):
    answer = program.get(ANY, query)

    assert told(answer) == (422, "invalid")
    assert list(answer.json()["fields"]) == [field]


def test_a_cursor_that_was_changed_or_is_another_lists_is_refused(program):
    for _n in range(2):
        DepartmentFactory()
        open_schedule()
    link = program.get(ANY, {"page_size": 1}).json()["next"]
    cursor = link.partition("cursor=")[2].partition("&")[0]
    cursor = unquote(cursor)

    assert program.get(ANY, {"cursor": cursor}).status_code == 200
    assert told(program.get(ANY, {"cursor": "A" + cursor[1:]})) == (422, "invalid")
    assert told(program.get(ANY, {"cursor": cursor[:-1]})) == (422, "invalid")
    assert told(program.get("/schedules/", {"cursor": cursor})) == (422, "invalid")


def test_other_methods_are_refused_with_those_that_are_taken(program, schedule, patient):
    row = appointment_row(schedule, patient)
    wrong = [
        ("DELETE", "/departments/", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/departments/1/", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", f"/schedules/{schedule.pk}/slices/", {"GET", "HEAD", "OPTIONS"}),
        ("GET", f"/schedules/{schedule.pk}/appointments/", {"POST", "OPTIONS"}),
        ("GET", f"/appointments/{row.pk}/cancel/", {"POST", "OPTIONS"}),
        ("TRACE", f"/appointments/{row.pk}/", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/schema/", {"GET", "HEAD"}),
    ]
    for method, path, allowed in wrong:
        answer = program.client.generic(method, f"/api/v1{path}", headers=program._headers({}))
        assert told(answer) == (405, "method_not_allowed"), path
        assert set(answer.headers["Allow"].split(", ")) == allowed, path


def test_head_answers_as_get_without_a_body_and_options_names_the_methods(program, schedule):
    for path in ("/departments/", f"/schedules/{schedule.pk}/slices/"):
        head = program.client.head(f"/api/v1{path}", headers=program._headers({}))
        assert (head.status_code, head.content) == (200, b"")
        options = program.client.options(f"/api/v1{path}")
        assert (options.status_code, options.content) == (204, b"")
        assert "GET" in options.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/nowhere/", "/departments/x/", "/departments/%00/", "/schedules/-1/", "/departments"]
)
def test_an_address_that_is_none_says_so_in_json(program, path):
    answer = program.get(path)

    assert answer.status_code == 301 if path == "/departments" else told(answer) == (404, "not_found")


def test_a_host_that_is_not_ours_hears_so_in_json(program):
    answer = program.client.get("/api/v1/departments/", headers={"Host": "evil.example"})

    assert told(answer) == (422, "malformed")


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "令牌无效或已过期。"), ("en", "token")])
def test_sentences_come_in_the_programs_language(stopped_clock, language, words):
    """V5."""
    for path in ("/departments/", "/schedules/1/slices/"):
        answer = Client().get(f"/api/v1{path}", headers={"Accept-Language": language})
        assert words in answer.json()["message"]
