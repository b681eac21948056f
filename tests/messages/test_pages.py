"""The development inbox and a person's own messages."""

import pytest
from django.test import Client

from hospital import messages
from hospital.models import Message
from tests.factories import NOW, PatientFactory, StaffFactory, UserFactory

from .test_messages import PARAMS

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def tell(patient, dedupe="fact:1"):
    messages.tell(patient=patient, template="appointment.booked", params=PARAMS, dedupe=dedupe, now=NOW)
    messages.send_waiting(now=NOW)


def test_staff_see_what_the_gateway_took_newest_first_with_masked_phones():
    tell(PatientFactory(name="李秀英"))

    page = signed_in(StaffFactory(roles="office")).get("/inbox/").content.decode()

    assert "李*英您好" in page
    assert "138****6210" in page
    assert "13800136210" not in page


def test_the_inbox_is_closed_to_strangers_and_to_accounts_without_a_role():
    assert Client().get("/inbox/").status_code == 302
    assert signed_in(UserFactory()).get("/inbox/").status_code == 403


def test_there_is_no_inbox_in_a_real_installation(settings):
    client = signed_in(StaffFactory(roles="office"))
    settings.DEMO = False

    assert client.get("/inbox/").status_code == 404


def test_the_inbox_has_pages():
    person = PatientFactory()
    for n in range(31):
        tell(person, dedupe=f"fact:{n}")
    client = signed_in(StaffFactory(roles="office"))

    assert 'href="?page=2"' in client.get("/inbox/").content.decode()
    assert client.get("/inbox/?page=2").content.decode().count("您好") == 1


def test_a_person_reads_messages_to_the_family_members_of_the_account_and_no_others():
    account = UserFactory()
    tell(PatientFactory(name="李秀英", account=account))
    tell(PatientFactory(name="周志明"), dedupe="fact:2")
    client = signed_in(account)

    page = client.get("/messages/").content.decode()
    assert "李*英" in page
    assert "周*明" not in page
    assert "1条未读" in page

    client.post("/messages/read")
    assert "未读" not in client.get("/messages/").content.decode()
    assert Message.objects.filter(read_at=None, channel="inapp").count() == 1
