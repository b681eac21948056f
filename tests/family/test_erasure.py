"""Closing an account (O4, article 47): what goes, what stays, who decides, and that twice is once."""

import pytest
from django.db import connection
from django.urls import reverse

from hospital import accounts, messages
from hospital.models import (
    AccountPhone,
    ApiToken,
    AuditEvent,
    Consent,
    DataRequest,
    GatewayReceipt,
    KnownDevice,
    Message,
    Patient,
    RelatedPerson,
)
from hospital.personal_data import ask, close_account, decide
from tests.factories import (
    NOW,
    ConsentFactory,
    NoticeFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

from .conftest import signed_in

pytestmark = pytest.mark.django_db

ERASURE = "/me/erasure/"


@pytest.fixture
def secadmin():
    return StaffFactory(roles="secadmin")


@pytest.fixture
def full(account):
    """An account with everything that an account has."""
    patient = PatientFactory(account=account, name="周志明")
    booked = appointment_row(open_schedule(), patient)
    ConsentFactory(account=account, notice=NoticeFactory(kind="health"), patient=patient)
    KnownDevice.objects.create(user=account, digest="d" * 64, first_seen_at=NOW, last_seen_at=NOW)
    ApiToken.issue(name="app", user=account, channel="app", scopes=["book"], expires_at=NOW)
    messages.tell(user=account, template="data.corrected", params={}, dedupe="old", now=NOW)
    return booked


def admin_page(row):
    return reverse("admin:hospital_datarequest_change", args=[row.pk])


def test_the_page_says_what_goes_what_stays_and_what_is_still_booked(client, account, full, published):
    page = client.get(ERASURE).content.decode()
    for words in ("会删除", "登录手机", "依法要保存", "15 年", "医疗机构病历管理规定", "注销不会自动退号", "周*明"):
        assert words in page
    assert "周志明" not in page


def test_asking_needs_the_tick_and_is_open_once(client, account):
    assert client.post(ERASURE, {"text": ""}).status_code == 422
    assert client.post(ERASURE, {"sure": "on", "text": "不用了"}).url == ERASURE
    assert "正在处理" in client.get(ERASURE).content.decode()
    assert client.post(ERASURE, {"sure": "on"}).status_code == 409
    assert DataRequest.objects.get().text == "不用了"
    account.refresh_from_db()
    assert account.is_active


def test_agreed_by_the_security_administrator_everything_of_the_account_goes(client, account, full, secadmin):
    """O4: before and after."""
    row = ask(account=account, kind="erasure", now=NOW)
    assert client.get("/me/privacy/").status_code == 200

    decide(row=row, agreed=True, answer="", by=secadmin, now=NOW)

    account.refresh_from_db()
    row.refresh_from_db()
    assert (account.is_active, row.status, row.decided_by) == (False, "done", secadmin)
    assert not AccountPhone.objects.filter(user=account).exists()
    assert RelatedPerson.objects.get().ended_at == NOW
    assert Consent.objects.get().withdrawn_at == NOW
    assert not KnownDevice.objects.exists()
    assert ApiToken.objects.get().revoked_at == NOW
    assert client.get("/me/privacy/").url.startswith("/sign-in/?next=")


def test_the_persons_records_and_bookings_stay(account, full, secadmin):
    close_account(account=account, by=secadmin, now=NOW)
    full.refresh_from_db()
    assert full.status == "booked"
    assert Patient.objects.get().name == "周志明"
    assert AuditEvent.objects.filter(action="account.erased").exists()


def test_messages_to_come_are_dropped_and_the_outcome_reaches_the_old_phone(account, full, secadmin):
    row = ask(account=account, kind="erasure", now=NOW)
    decide(row=row, agreed=True, answer="", by=secadmin, now=NOW)
    last = Message.objects.get(template="data.erased", channel="sms")
    assert last.to == "13800000001"
    assert Message.objects.get(dedupe="old:inapp").status == "dropped"

    messages.send_waiting(now=NOW)

    receipt = GatewayReceipt.objects.get()
    assert receipt.to == "138****0001"
    assert "账号注销已完成" in receipt.text
    last.refresh_from_db()
    assert (last.status, last.to) == ("sent", "")


def test_the_outcome_is_said_in_the_familys_language(account, secadmin):
    """V5: who reads the pages in English gets the last message in English."""
    PatientFactory(account=account, language="en")
    decide(row=ask(account=account, kind="erasure", now=NOW), agreed=True, answer="", by=secadmin, now=NOW)
    assert Message.objects.get(channel="sms").params == {"language": "en"}
    messages.send_waiting(now=NOW)
    assert GatewayReceipt.objects.exists()


def test_the_number_in_a_message_is_encrypted_at_rest(account, secadmin):
    decide(row=ask(account=account, kind="erasure", now=NOW), agreed=True, answer="", by=secadmin, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute('SELECT "to" FROM hospital_message WHERE channel = %s', ["sms"])
        assert "13800000001" not in cursor.fetchone()[0]


def test_closing_twice_is_once(account, full, secadmin):
    assert close_account(account=account, by=secadmin, now=NOW) is True
    assert close_account(account=account, by=secadmin, now=NOW) is False
    assert AuditEvent.objects.filter(action="account.erased").count() == 1


def test_other_open_requests_end_with_the_account(account, secadmin):
    correction = ask(account=account, kind="correction", patient=PatientFactory(), now=NOW)
    erasure = ask(account=account, kind="erasure", now=NOW)
    close_account(account=account, by=secadmin, now=NOW)
    correction.refresh_from_db()
    erasure.refresh_from_db()
    assert (correction.status, erasure.status) == ("refused", "done")


def test_the_phone_signs_in_to_a_fresh_account_afterwards(account, full, secadmin):
    close_account(account=account, by=secadmin, now=NOW)
    fresh = accounts.open_account(phone="13800000001", now=NOW)
    assert fresh != account
    assert not fresh.family.exists()


def test_of_a_child_with_two_accounts_one_closing_leaves_the_others_binding(account, secadmin):
    child = PatientFactory(account=account)
    other = RelatedPersonFactory(patient=child)
    close_account(account=account, by=secadmin, now=NOW)
    other.refresh_from_db()
    assert other.ended_at is None


def test_the_admin_shows_the_request_and_carries_the_decision_out(account, full, secadmin):
    row = ask(account=account, kind="erasure", now=NOW, text="不用了")
    desk = signed_in(secadmin)
    page = desk.get(admin_page(row)).content.decode()
    assert "不用了" in page
    assert "周*明" in page

    assert desk.post(admin_page(row), {"decision": "refuse", "answer": ""}).status_code == 200
    row.refresh_from_db()
    assert row.status == "asked"

    assert desk.post(admin_page(row), {"decision": "agree", "answer": ""}).status_code == 302
    row.refresh_from_db()
    account.refresh_from_db()
    assert (row.status, row.decided_by, account.is_active) == ("done", secadmin, False)
    assert b'name="decision"' not in desk.get(admin_page(row)).content


def test_the_office_looks_at_an_erasure_and_does_not_decide_it(account):
    row = ask(account=account, kind="erasure", now=NOW)
    desk = signed_in(StaffFactory(roles="office"))
    assert b'name="decision"' not in desk.get(admin_page(row)).content
    assert desk.post(admin_page(row), {"decision": "agree", "answer": ""}).status_code == 403
    account.refresh_from_db()
    assert account.is_active
