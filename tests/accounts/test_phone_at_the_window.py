"""窗口换手机 (O4, O5): with the document in hand, the phone of record and the person's own account follow."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from hospital import accounts
from hospital.identity import BadPhone
from hospital.models import AccountPhone, AuditEvent, Patient
from tests.factories import NOW, AccountFactory, PatientFactory, StaffFactory

from .acts import PHONE, sign_in

pytestmark = pytest.mark.django_db
NEW = "13600000008"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def desk():
    return StaffFactory(roles="counter")


@pytest.fixture
def account():
    return AccountFactory(phone=PHONE)


@pytest.fixture
def herself(account):
    return PatientFactory(account=account, phone=PHONE)


def give(patient, desk, phone=NEW) -> bool:
    return accounts.give_phone(patient=patient, phone=phone, by=desk, now=NOW)


def test_the_new_phone_signs_in_to_the_same_account_and_the_old_one_no_longer_does(account, herself, desk):
    assert give(herself, desk) is True

    sign_in(client := Client())
    sign_in(new := Client(), NEW)
    assert client.session["_auth_user_id"] != str(account.pk)
    assert new.session["_auth_user_id"] == str(account.pk)
    assert Patient.objects.get(pk=herself.pk).phone == NEW
    assert list(AuditEvent.objects.filter(actor=desk).values_list("action", flat=True)) == [
        "patient.phone_changed",
        "account.phone_changed",
    ]


def test_an_account_that_lost_its_phone_to_a_new_owner_gets_one_again(account, herself, desk, client):
    accounts.release_phone(user=account, now=NOW)
    assert give(herself, desk) is True
    sign_in(client, NEW)
    assert client.session["_auth_user_id"] == str(account.pk)


def test_who_was_just_seen_at_the_window_is_not_asked_again_whether_it_is_still_them(account, herself, desk, client):
    long_ago = NOW - timedelta(days=200)
    AccountPhone.objects.update(verified_at=long_ago)
    type(account).objects.filter(pk=account.pk).update(date_joined=long_ago, last_login=long_ago)
    give(herself, desk)
    assert sign_in(client, NEW).headers["Location"] == "/"


def test_only_the_persons_own_account_follows_not_that_of_the_family(account, herself, desk):
    child = PatientFactory(account=account, phone=PHONE)
    assert give(child, desk) is True
    assert accounts.phone_of(account) == PHONE
    assert Patient.objects.get(pk=child.pk).phone == NEW


def test_a_phone_that_signs_in_elsewhere_is_written_on_the_record_only(account, herself, desk):
    other = AccountFactory(phone=NEW)
    assert give(herself, desk) is False
    assert (accounts.phone_of(account), accounts.phone_of(other)) == (PHONE, NEW)
    assert Patient.objects.get(pk=herself.pk).phone == NEW


def test_what_is_no_phone_is_refused(herself, desk):
    with pytest.raises(BadPhone):
        give(herself, desk, "12345")
    assert Patient.objects.get(pk=herself.pk).phone == PHONE


def test_a_role_for_a_patients_account_is_refused_with_a_sentence_in_the_admin(account, client):
    """O5: PostgreSQL refuses it anyway; the security administrator hears why."""
    client.force_login(StaffFactory(roles="secadmin", is_staff=True))
    organization = account.pk and StaffFactory(roles="office").role_assignments.get().organization_id
    page = client.post(
        "/admin/hospital/roleassignment/add/", {"user": account.pk, "role": "office", "organization": organization}
    )
    assert "用手机号登录的患者账号" in page.content.decode()
    assert account.role_assignments.count() == 0
