"""Tokens of programs: issued and revoked by the security administrator, shown once (O5)."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from hospital.models import ApiToken, AuditEvent
from hospital.models.token import digest
from tests.api.conftest import Program
from tests.factories import NOW, AccountFactory, OrganizationFactory, PatientFactory, StaffFactory

pytestmark = pytest.mark.django_db
ADD = "admin:hospital_apitoken_add"


@pytest.fixture
def security(client, stopped_clock):
    client.force_login(StaffFactory(roles="secadmin"))
    return client


def form(user, **fields):
    return {
        "name": "微信小程序",
        "user": user.pk,
        "channel": "app",
        "scopes": ["read", "book"],
        "expires_at_0": "2027-05-01",
        "expires_at_1": "00:00:00",
        **fields,
    }


def test_a_token_is_issued_shown_once_and_works(security):
    account = AccountFactory()
    patient = PatientFactory(account=account)

    page = security.post(reverse(ADD), form(account))

    secret = re.search(r"<code>([\w-]{43})</code>", page.content.decode())[1]
    token = ApiToken.objects.get()
    assert token.digest == digest(secret)
    assert "no-store" in page.headers["Cache-Control"]
    assert secret not in "".join(cookie.value for cookie in security.cookies.values())
    for address in (
        reverse("admin:hospital_apitoken_change", args=[token.pk]),
        reverse("admin:hospital_apitoken_changelist"),
    ):
        text = security.get(address).content.decode()
        assert secret not in text
        assert token.digest not in text
    assert [row["id"] for row in Program(secret).rows("/patients/")] == [patient.pk]
    assert AuditEvent.objects.filter(action="admin.added", subject=f"apitoken:{token.pk}").count() == 1


def test_a_token_is_revoked_at_once_and_for_good(security):
    token, secret = ApiToken.issue(
        name="app", user=AccountFactory(), channel="app", scopes=["read"], expires_at=NOW + timedelta(days=1)
    )
    program = Program(secret)
    assert program.get("/departments/").status_code == 200

    security.post(reverse("admin:hospital_apitoken_changelist"), {"action": "revoke", "_selected_action": [token.pk]})

    assert program.get("/departments/").status_code == 401
    assert AuditEvent.objects.filter(action="admin.revoked").count() == 1


def test_what_was_issued_is_never_changed(security):
    token, _secret = ApiToken.issue(
        name="app", user=AccountFactory(), channel="app", scopes=["read"], expires_at=NOW + timedelta(days=1)
    )

    security.post(reverse("admin:hospital_apitoken_change", args=[token.pk]), form(token.user, scopes=["book_anyone"]))

    token.refresh_from_db()
    assert (token.scopes, token.name) == (["read"], "app")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"scopes": ["integrate"]}, "要写明机构和对方系统"),
        ({"scopes": ["book_anyone"]}, "只能为本账号的就诊人预约"),
        ({"scopes": []}, "请选择“权限”"),
        ({"channel": "telepathy"}, "选择一个有效的选项"),
        ({"expires_at_0": "2026-11-22"}, "到期时间须在今后400天内"),
        ({"expires_at_0": "2036-11-22"}, "到期时间须在今后400天内"),
    ],
    ids=str,
)
def test_a_token_that_makes_no_sense_is_not_issued(security, fields, sentence):
    page = security.post(reverse(ADD), form(AccountFactory(), **fields))

    assert sentence in page.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_of_an_integration_names_its_house_and_system(security):
    house = OrganizationFactory()
    user = StaffFactory()

    security.post(reverse(ADD), form(user, scopes=["integrate"], organization=house.pk, system="HIS"))

    assert ApiToken.objects.get().system == "HIS"


@pytest.mark.parametrize("role", ["sysadmin", "auditor", "office", "doctor"])
def test_nobody_else_issues_tokens(client, role):
    client.force_login(StaffFactory(roles=role))

    assert client.get(reverse(ADD)).status_code in {302, 403}
    assert client.post(reverse(ADD), form(AccountFactory())).status_code in {302, 403}
    assert not ApiToken.objects.exists()
