"""CSP, cookies, 日志: nothing inline, nothing personal (O4, O5)."""

import io
import json
import logging
import re
import subprocess
import sys

import pytest
import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from hospital import logs
from hospital.models import Patient
from hospital.patients import register_patient, search
from tests.factories import NOW, PatientFactory, StaffFactory

pytestmark = pytest.mark.django_db

SECRETS = ["欧阳志明", "欧阳", "13900139876", "11010519491231002X", "ouyangzhiming", "9876"]


@pytest.fixture
def lines():
    """What the house writes to its log, through its own formatter, at the finest level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    made = logs.configuration(level="DEBUG")
    formatter = made["formatters"]["json"]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"]
        )
    )
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(before)


def assert_nothing_personal(lines):
    assert lines
    text = json.dumps(lines, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in text] == []


def test_search_and_registration_leave_no_name_phone_or_document_in_the_log(client, lines):
    client.force_login(StaffFactory(roles="counter"))
    for text in SECRETS:
        client.get("/desk/", {"q": text})
        client.get("/consult/search/", {"q": text})
        client.get(f"/nowhere/?q={text}")
    form = {
        "kind": "id_card",
        "number": SECRETS[3],
        "name": SECRETS[0],
        "phone": SECRETS[2],
        "insurance": "none",
        "sex": "U",
    }
    client.post("/desk/patients/new/", form)
    client.post("/accounts/login/", {"login": SECRETS[0], "password": SECRETS[3]})

    requests = [line for line in lines() if line["event"] == "request_finished"]
    assert {line["request"] for line in requests} >= {"GET /desk/", "GET /nowhere/", "POST /accounts/login/"}
    assert all(line["request_id"] for line in requests)
    assert_nothing_personal(lines())


def test_a_service_that_fails_leaves_no_row_of_the_database_in_the_log(lines):
    patient = register_patient(name=SECRETS[0], documents=[("id_card", SECRETS[3])], phone=SECRETS[2], by=None, now=NOW)
    search(SECRETS[0])
    try:
        with transaction.atomic():
            Patient.objects.filter(pk=patient.pk).update(sex=None)  # "Failing row contains (…, 欧阳志明, …)"
    except IntegrityError:
        logging.getLogger("somebody").exception("could not keep the patient")
        structlog.get_logger("ours").exception("could_not_keep")
    foreign, ours = lines()[-2:]
    for line in (foreign, ours):
        assert line["error"].startswith("IntegrityError < NotNullViolation")
        assert any("test_headers_and_logs.py" in frame for frame in line["where"])
    assert_nothing_personal(lines())


def test_an_exception_whose_words_are_in_the_message_is_named_by_its_class(lines):
    try:
        raise ValueError(f"bad phone {SECRETS[2]}")
    except ValueError as error:
        logging.getLogger("celery.app.trace").error("Task x raised unexpected: %r", error, exc_info=True)
    assert lines()[-1]["event"] == "Task x raised unexpected: ValueError"
    assert_nothing_personal(lines())


def test_a_model_in_a_log_line_is_named_by_its_class(lines):
    structlog.get_logger("ours").warning("odd", patient=PatientFactory(name=SECRETS[0]))
    assert lines()[-1]["patient"] == "<Patient>"


def test_a_crash_in_a_page_is_logged_with_the_id_that_the_answer_carries(client, lines, monkeypatch):
    from hospital.views import home

    def crash(user):
        raise RuntimeError(f"about {SECRETS[0]}")

    client.force_login(StaffFactory(roles="doctor"))
    client.raise_request_exception = False
    monkeypatch.setattr(home.permissions, "assignments", crash)
    response = client.get(f"/?q={SECRETS[0]}")

    assert response.status_code == 500
    failed = [line for line in lines() if line["event"] == "request_failed"]
    assert [line["request"] for line in failed] == ["GET /"]
    assert failed[0]["request_id"] == response.headers["X-Request-ID"]
    assert_nothing_personal(lines())


@pytest.mark.parametrize("path", ["/accounts/login/", "/healthz/live", "/nowhere/", "/admin/"])
def test_the_policy_lets_nothing_inline_in(client, path):
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert {"default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))


def test_no_template_has_inline_script_style_or_handler():
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)|javascript:")
    found = [
        f"{path.name}: {match.group()}"
        for path in sorted((settings.BASE_DIR / "templates").rglob("*.html"))
        for match in inline.finditer(path.read_text())
    ]
    assert found == []


def test_session_and_csrf_cookies_are_kept_from_scripts_and_other_sites(client):
    StaffFactory(username="w1", roles="doctor")
    client.post("/accounts/login/", {"login": "w1", "password": "correct horse battery"})
    session = client.cookies["sessionid"]
    assert (session["httponly"], session["samesite"], session["expires"]) == (True, "Lax", "")


def test_a_real_installation_passes_djangos_deployment_check(tmp_path):
    environment = {
        "PATH": "/usr/bin:/bin", "HOSPITAL_HOME": str(tmp_path), "HOSPITAL_DEMO": "0", "DEBUG": "0",
        "SECRET_KEY": "k3v9" * 16 + "AzQ!", "FIELD_KEYS": settings.FIELD_KEYS[0], "HASH_KEY": "h" * 40,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "ALLOWED_HOSTS": "yy.example.org",
        "LANG": "C.UTF-8",
    }  # fmt: skip
    check = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert check.returncode == 0, check.stderr


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_before_the_page_is_reached_is_said_as_such(client):
    client.force_login(StaffFactory(roles="doctor"))
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        mine = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [mine])
    other.close()
    response = client.get("/")
    connection.close()

    assert (response.status_code, response.headers["Retry-After"]) == (503, "3")
    assert "暂时连不上数据库" in response.content.decode()
    assert client.get("/").status_code == 200
