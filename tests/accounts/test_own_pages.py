"""我的账号 (O4, O5, V2, V5): fresh codes for sensitive pages, another phone, edition and language."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from hospital import accounts
from hospital.models import AccountPhone, CodeSent, Patient
from tests.factories import NOW, AccountFactory, PatientFactory, StaffFactory

from .acts import PHONE, last_code, other_than, sign_in

pytestmark = pytest.mark.django_db
NEW = "13600000008"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def account(client, clock):
    """Signed in by code, just now."""
    account = AccountFactory(phone=PHONE)
    sign_in(client)
    clock.shift(timedelta(minutes=2))
    return account


def test_a_sensitive_page_asks_for_a_code_again_after_a_quarter_of_an_hour(client, account, clock):
    assert client.get("/me/phone/").status_code == 200
    clock.shift(timedelta(minutes=14))
    assert client.get("/me/phone/").headers["Location"] == "/sign-in/again/?next=/me/phone/"

    page = client.get("/sign-in/again/?next=/me/phone/").content.decode()
    assert ("139****5678" in page, PHONE in page, "id_code" in page) == (True, False, False)
    sent = client.post("/sign-in/again/?next=/me/phone/", {"again": "1"})
    assert sent.headers["Location"] == "/sign-in/again/?next=%2Fme%2Fphone%2F"
    assert "id_code" in client.get(sent.headers["Location"]).content.decode()

    assert client.post("/sign-in/again/", {"code": other_than(last_code()), "next": "/me/phone/"}).status_code == 422
    right = client.post("/sign-in/again/", {"code": last_code(), "next": "/me/phone/"})
    assert right.headers["Location"] == "/me/phone/"
    assert client.get("/me/phone/").status_code == 200


def test_a_session_made_without_a_code_is_not_fresh(client):
    client.force_login(AccountFactory())
    assert client.get("/me/phone/").headers["Location"].startswith("/sign-in/again/")


def test_a_stranger_and_staff_are_turned_away_from_the_account_pages():
    for path in ("/me/", "/me/phone/", "/me/phone/code/", "/sign-in/again/"):
        stranger, staff = Client(), Client()
        staff.force_login(StaffFactory(roles="office"))
        assert stranger.get(path).headers["Location"].startswith("/sign-in/?next=")
        assert staff.get(path).status_code == 403


def change(client, phone=NEW):
    client.post("/me/phone/", {"phone": phone})
    return client.post("/me/phone/code/", {"code": last_code()})


def test_another_phone_signs_in_after_both_answered_a_code(client, account):
    elsewhere = Client()
    elsewhere.force_login(account)
    PatientFactory(account=account, phone=PHONE)
    PatientFactory(account=account, phone="13700000000")

    assert change(client).headers["Location"] == "/me/"

    assert accounts.phone_of(account) == NEW
    assert list(Patient.objects.order_by("pk").values_list("phone", flat=True)) == [NEW, "13700000000"]
    assert client.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302
    sign_in(old := Client())
    assert old.session["_auth_user_id"] != str(account.pk)


def test_a_phone_of_another_account_is_not_taken_over(client, account):
    AccountFactory(phone=NEW)
    refused = change(client)
    assert (refused.status_code, "已经是另一个账号" in refused.content.decode()) == (409, True)
    assert accounts.phone_of(account) == PHONE
    assert AccountPhone.objects.count() == 2
    assert client.get("/me/").status_code == 200


def test_a_code_of_the_old_phone_does_not_prove_the_new_one(client, account):
    client.post("/sign-in/again/", {"again": "1"})
    code = last_code()
    client.post("/me/phone/", {"phone": NEW})
    assert client.post("/me/phone/code/", {"code": code}).status_code == 422 or code == last_code()
    assert accounts.phone_of(account) == PHONE
    assert set(CodeSent.objects.values_list("purpose", flat=True)) == {"sign_in", "confirm", "change"}


@pytest.mark.parametrize(
    ("chosen", "shown"), [("elderly", 'data-edition="elderly"'), ("largest", 'data-edition="largest"')]
)
def test_an_edition_is_remembered_by_the_browser_and_leads_back(client, chosen, shown):
    """V2: from any page, signed in or not."""
    response = client.post("/edition/", {"edition": chosen, "next": "/sign-in/?next=/book/"})
    assert response.headers["Location"] == "/sign-in/?next=/book/"
    cookie = response.cookies["edition"]
    assert (cookie["max-age"], cookie["samesite"]) == (365 * 86400, "Lax")
    assert shown in client.get("/sign-in/").content.decode()

    client.post("/edition/", {"edition": "standard"})
    assert "data-edition" not in client.get("/sign-in/").content.decode()


def test_an_edition_that_there_is_not_changes_nothing(client):
    response = client.post("/edition/", {"edition": "<script>", "next": "https://evil.example/"})
    assert (response.status_code, "edition" in response.cookies) == (422, False)
    assert client.post("/edition/", {"edition": "elderly", "next": "https://evil.example/"}).headers["Location"] == "/"


def test_a_broken_edition_cookie_is_the_standard_one(client):
    client.cookies["edition"] = 'x" onload="'
    assert "data-edition" not in client.get("/sign-in/").content.decode()


def test_the_language_is_that_of_the_pages_and_of_what_the_own_people_are_told(client, account):
    """V5."""
    mine, other = PatientFactory(account=account), PatientFactory()
    client.post("/me/language/", {"language": "en", "next": "/me/"})
    assert client.cookies["django_language"].value == "en"
    assert [Patient.objects.get(pk=row.pk).language for row in (mine, other)] == ["en", "zh-hans"]
    client.post("/me/language/", {"language": "xx", "next": "/me/"})
    assert Patient.objects.get(pk=mine.pk).language == "en"


def test_the_staffs_door_is_reached_by_signing_out(client, account):
    out = client.post("/accounts/logout/", {"next": "/accounts/login/"})
    assert out.headers["Location"] == "/accounts/login/"
    assert "员工登录" in client.get("/accounts/login/").content.decode()


def test_the_account_page_costs_as_many_queries_for_five_people_as_for_one(client, account, django_assert_num_queries):
    for _ in range(5):
        PatientFactory(account=account)
    client.get("/me/")
    with django_assert_num_queries(4):  # session, account, phone, people
        client.get("/me/")
