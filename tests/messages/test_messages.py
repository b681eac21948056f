"""V1, O11: what people are told: once, in their language, tried again, dropped when no longer true."""

import re
from datetime import timedelta

import pytest
from django.db import connection

from hospital import messages
from hospital.channels import sms
from hospital.messages import sending
from hospital.models import GatewayReceipt, Message
from tests.factories import NOW, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db

PARAMS = {
    "appointment": 1,
    "hospital": "江州市中心医院",
    "phone": "0510-12345678",
    "department": "心血管内科",
    "doctor": "周志明",
    "start": "2026-11-25T00:30:00+00:00",
    "number": 5,
    "place": "本部院区 门诊楼三层 5诊室",
    "transit": "地铁2号线中心医院站A口",
    "until": "2026-11-24T07:00:00+00:00",
}


def tell(patient, *, dedupe="fact:1", template="appointment.booked", now=NOW, **params):
    messages.tell(patient=patient, template=template, params={**PARAMS, **params}, dedupe=dedupe, now=now)


def patient(**fields):
    return PatientFactory(name="李秀英", **fields)


def test_a_patient_hears_it_in_the_app_and_by_sms():
    tell(patient())

    assert messages.send_waiting(now=NOW) == 2
    assert set(Message.objects.values_list("channel", "status")) == {("inapp", "sent"), ("sms", "sent")}
    receipt = GatewayReceipt.objects.get()
    assert receipt.to == "138****6210"
    assert receipt.text == (
        "【江州市中心医院】李*英您好，已为您预约11月25日 星期三 08:30 心血管内科 周志明（5号）。"
        "就诊地点：本部院区 门诊楼三层 5诊室。乘车：地铁2号线中心医院站A口。如不能来，请在11月24日 星期二 15:00前退号。"
    )


def test_the_same_thing_said_twice_is_said_once():
    person = patient()
    tell(person)
    messages.send_waiting(now=NOW)
    tell(person)

    assert messages.send_waiting(now=NOW) == 0
    assert Message.objects.count() == 2


def test_nothing_personal_is_kept_with_the_message():
    tell(patient())

    assert "秀英" not in str(list(Message.objects.values()))


def test_who_has_no_phone_gets_no_sms_but_the_message():
    tell(patient(phone=""))
    messages.send_waiting(now=NOW)

    assert set(Message.objects.values_list("channel", "status")) == {("inapp", "sent"), ("sms", "dropped")}


def test_a_member_of_staff_hears_it_in_the_app_alone():
    messages.tell(user=UserFactory(), template="appointment.cancelled", params=PARAMS, dedupe="x", now=NOW)

    assert Message.objects.get().channel == "inapp"


def test_a_gateway_that_fails_is_tried_again_with_growing_pauses_and_then_given_up(monkeypatch):
    def broken(**_kwargs):
        raise ConnectionError("13800136210")

    monkeypatch.setattr(sms, "_gateway", lambda: broken)
    tell(patient())
    now, pauses = NOW, []
    while (row := Message.objects.get(channel="sms")).status == "waiting":
        messages.send_waiting(now=now)
        row.refresh_from_db()
        pauses.append((row.next_try_at - now).total_seconds())
        now = row.next_try_at

    assert pauses[:4] == [30, 60, 120, 240]
    assert (row.status, row.tries, max(pauses)) == ("failed", sending.TRIES, 3600)
    assert Message.objects.get(channel="inapp").status == "sent"


def test_without_a_gateway_nothing_is_pretended(settings):
    settings.SMS_GATEWAY = ""
    tell(patient())
    messages.send_waiting(now=NOW)

    assert Message.objects.get(channel="sms").status == "waiting"


def test_a_sender_that_died_after_the_gateway_took_it_sends_it_again_and_the_gateway_drops_the_repeat():
    tell(patient())
    messages.send_waiting(now=NOW)
    Message.objects.filter(channel="sms").update(status="waiting", sent_at=None)  # killed before it could write so

    assert messages.send_waiting(now=NOW + sending.CLAIM) == 1
    assert GatewayReceipt.objects.count() == 1


def test_a_message_in_another_senders_hands_is_left_to_it():
    tell(patient())
    sending._claim(10, now=NOW)

    assert messages.send_waiting(now=NOW + sending.CLAIM - timedelta(seconds=1)) == 0
    assert messages.send_waiting(now=NOW + sending.CLAIM) == 2


def test_the_gateway_is_spoken_to_outside_any_transaction(monkeypatch):
    """A slow gateway must hold no row."""
    inside = []

    def gateway(**_kwargs):
        inside.append(len(connection.savepoint_ids))

    monkeypatch.setattr(sms, "_gateway", lambda: gateway)
    before = len(connection.savepoint_ids)
    tell(patient())
    messages.send_waiting(now=NOW)

    assert inside == [before]


def test_what_is_no_longer_true_is_dropped_instead_of_sent(monkeypatch):
    monkeypatch.setitem(sending._conditions, "appointment.booked", lambda message: False)
    tell(patient())

    assert messages.send_waiting(now=NOW) == 0
    assert set(Message.objects.values_list("status", flat=True)) == {"dropped"}
    assert not GatewayReceipt.objects.exists()


def test_more_messages_than_one_claim_are_all_sent():
    person = patient()
    for n in range(30):
        tell(person, dedupe=f"fact:{n}")

    assert messages.send_waiting(now=NOW) == 60


@pytest.mark.parametrize(
    "template",
    ["appointment.booked", "appointment.cancelled", "appointment.moved", "appointment.reminder", "schedule.stopped"],
)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_template_has_a_title_and_a_body_without_gaps(template, language):
    tell(patient(language=language), template=template, was="2026-11-23T00:30:00+00:00")
    wording = messages.wording_of(Message.objects.first())

    assert wording.title
    assert "李*英" in wording.body
    assert "{" not in wording.body
    assert "\n" not in wording.body


def test_english_sentences_stand_apart_and_times_are_the_hospitals():
    """V5."""
    tell(patient(language="en"))
    body = messages.wording_of(Message.objects.first()).body

    assert "Wed 25 Nov 2026, 08:30" in body
    assert not re.search(r"[.:][A-Z]", body), body
