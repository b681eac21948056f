"""手机换了主人 (O4): nothing of an account is shown to a new browser after a long quiet before it was asked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client

from hospital import accounts, devices
from hospital.errors import Refused
from hospital.models import AccountPhone, AuditEvent, KnownDevice, Patient, RelatedPerson, User
from tests.factories import NOW, AccountFactory, IdentifierFactory, PatientFactory

from .acts import PHONE, answer, ask, last_code, sign_in

pytestmark = pytest.mark.django_db
CARD = "11010519491231002X"
QUIET = timedelta(days=61)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def account(clock):
    """An account of two people, used last 61 days ago."""
    account = AccountFactory(phone=PHONE, last_login=NOW, date_joined=NOW)
    mother = PatientFactory(name="欧阳秀英", account=account, phone=PHONE)
    IdentifierFactory(patient=mother, number=CARD)
    PatientFactory(name="欧阳小海", account=account, phone="13700000000")
    clock.shift(QUIET)
    return account


def is_in(client) -> bool:
    return client.get("/me/").status_code == 200


def whose(client) -> str | None:
    return client.session.get("_auth_user_id")


def test_a_new_browser_after_a_long_quiet_is_asked_and_sees_nothing_until_then(client, account):
    assert sign_in(client, after="/bookings/").headers["Location"] == "/sign-in/person/"
    page = client.get("/sign-in/person/").content.decode()
    assert "还是您本人吗" in page
    for secret in ("欧阳", "秀英", "0000", "002X", account.username):
        assert secret not in page
    assert not is_in(client)


def test_a_document_of_one_of_the_people_lets_in_where_the_person_wanted(client, account):
    sign_in(client, after="/bookings/")
    response = client.post("/sign-in/person/", {"same": "1", "number": " 110105 19491231 002x "})
    assert response.headers["Location"] == "/bookings/"
    assert whose(client) == str(account.pk)


def test_a_wrong_document_is_counted_for_a_day_in_any_browser(client, account, clock):
    sign_in(client)
    said = [client.post("/sign-in/person/", {"same": "1", "number": f"X{n}"}).content.decode() for n in range(3)]
    assert "还可以试 4 次" in said[0]

    clock.shift(timedelta(minutes=2))
    other = Client()
    sign_in(other)
    tries = [other.post("/sign-in/person/", {"same": "1", "number": f"Y{n}"}).status_code for n in range(2)]
    assert tries == [422, 429]
    assert other.post("/sign-in/person/", {"same": "1", "number": CARD}).status_code == 429
    assert not is_in(other)

    clock.shift(timedelta(days=1))
    sign_in(other)
    assert other.post("/sign-in/person/", {"same": "1", "number": CARD}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_wrong_documents_at_once_are_counted_one_by_one(account):
    def wrong(n):
        try:
            accounts.check_person(user=account, number=f"X{n}", now=NOW + QUIET)
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as crowd:
        said = list(crowd.map(wrong, range(10)))
    assert (said.count("not_this_person"), said.count("too_many_persons")) == (4, 6)
    assert AuditEvent.objects.filter(action="account.person_refused").count() == 5


def test_somebody_elses_document_does_not_open_it(client, account):
    IdentifierFactory(patient=PatientFactory(name="路人"), number="E12345678", kind="passport")
    sign_in(client)
    assert client.post("/sign-in/person/", {"same": "1", "number": "E12345678"}).status_code == 422


def test_a_person_who_left_the_account_no_longer_opens_it(client, account):
    RelatedPerson.objects.filter(account=account, place=1).update(ended_at=NOW)
    sign_in(client)
    assert client.post("/sign-in/person/", {"same": "1", "number": CARD}).status_code == 422


def test_the_new_owner_of_the_number_gets_a_fresh_account(client, account):
    old_browser = Client()
    old_browser.force_login(account)
    assert is_in(old_browser)
    User.objects.filter(pk=account.pk).update(last_login=NOW)

    sign_in(client, after="/bookings/")
    response = client.post("/sign-in/person/", {"new": "1", "sure": "on"})

    assert response.headers["Location"] == "/bookings/"
    fresh = User.objects.get(pk=whose(client))
    assert fresh.pk != account.pk
    assert (accounts.phone_of(fresh), accounts.phone_of(account), fresh.family.count()) == (PHONE, "", 0)
    assert not is_in(old_browser)
    assert "欧阳" not in client.get("/me/").content.decode()
    assert AuditEvent.objects.filter(action="account.phone_released", subject=f"user:{account.pk}").count() == 1


def test_the_old_account_stays_for_the_office_and_its_people_are_told_nothing_on_that_phone(client, account):
    sign_in(client)
    client.post("/sign-in/person/", {"new": "1", "sure": "on"})

    account.refresh_from_db()
    assert (account.is_active, account.family.filter(ended_at=None).count()) == (True, 2)
    assert list(Patient.objects.order_by("pk").values_list("phone", "phone_hash")) == [
        ("", ""),
        ("13700000000", Patient.objects.latest("pk").phone_hash),
    ]
    assert not KnownDevice.objects.filter(user=account).exists()


def test_the_new_owner_has_to_say_so(client, account):
    sign_in(client)
    page = client.post("/sign-in/person/", {"new": "1"})
    assert (page.status_code, "请先勾选确认" in page.content.decode()) == (422, True)
    assert AccountPhone.objects.get().user == account


def test_the_page_alone_without_a_code_before_it_leads_nowhere(client, account):
    for data in ({"same": "1", "number": CARD}, {"new": "1", "sure": "on"}):
        assert client.post("/sign-in/person/", data).headers["Location"] == "/sign-in/"
    ask(client)
    assert client.post("/sign-in/person/", {"same": "1", "number": CARD}).headers["Location"] == "/sign-in/"
    assert AccountPhone.objects.get().user == account


def test_the_question_does_not_wait_for_ever(client, account, clock):
    sign_in(client)
    clock.shift(timedelta(minutes=16))
    assert client.post("/sign-in/person/", {"same": "1", "number": CARD}).headers["Location"] == "/sign-in/"


@pytest.mark.parametrize("why", ["known browser", "used lately", "nobody in it"])
def test_nobody_is_asked_without_need(client, account, why):
    if why == "known browser":
        sign_in(client)
        client.post("/sign-in/person/", {"same": "1", "number": CARD})
        client.post("/accounts/logout/")
        User.objects.filter(pk=account.pk).update(last_login=NOW)
        KnownDevice.objects.update(last_seen_at=NOW)
        AccountPhone.objects.update(verified_at=NOW)
        with time_machine.travel(NOW + 2 * QUIET):
            assert sign_in(client).headers["Location"] == "/"
        return
    if why == "used lately":
        devices.remember(user=account, device="another", now=NOW + QUIET - timedelta(days=59))
    if why == "nobody in it":
        RelatedPerson.objects.update(ended_at=NOW)
    assert sign_in(client).headers["Location"] == "/"


def test_the_staffs_door_is_open_again_after_going_back(client, account):
    sign_in(client)
    client.get("/sign-in/")
    assert client.get("/accounts/login/").status_code == 200


def test_who_signs_in_again_with_the_old_code_is_refused(client, account):
    ask(client)
    code = last_code()
    answer(client, code)
    assert answer(client, code).headers["Location"] == "/sign-in/"
