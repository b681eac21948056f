"""What happens here is told to the systems that asked (O1): signed, in order per booking, until it arrives."""

import json
import subprocess
from datetime import timedelta

import pytest

from appointments.selectors import events
from appointments.services import booking, changes, extras, visit
from hospital import clock, outbox
from hospital.integration import signing, targets, webhooks
from hospital.models import ApiToken, Delivery, ExternalRecord, Fact, Webhook, WebhookDelivery
from tests.factories import (
    NOW,
    TODAY,
    CampusFactory,
    OrganizationFactory,
    PatientFactory,
    RoleFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)

from .documented import write_examples
from .ends import SECRET, End, certificate_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def end(tmp_path):
    end = End(tmp_path).start()
    yield end
    end.stop()


@pytest.fixture
def hook(db, end):
    return webhook(end.url)


def webhook(url, *, topics=events.TOPICS, organization=None, **fields):
    return Webhook.objects.create(
        organization=organization or OrganizationFactory(), name="his", url=url, secret=SECRET,
        topics=list(topics), **fields,
    )  # fmt: skip


def happened(key="appointment:1", topic="appointment.booked", **payload) -> Fact:
    return outbox.publish(topic=topic, key=key, payload=payload, now=NOW)


def fan_out():
    """The real time from here on: the receiver checks how old a message is."""
    outbox.fan_out(now=clock.now())
    while outbox.deliver(now=clock.now()):
        pass


def waiting_for(hook, fact) -> WebhookDelivery:
    webhooks.enqueue(fact, organization_id=hook.organization_id, now=clock.now())
    return WebhookDelivery.objects.get(webhook=hook, fact=fact)


@pytest.fixture
def booked(db):
    """A booking on this morning's schedule of doctor P-77, with its fact."""
    schedule = open_schedule(day=TODAY, role=RoleFactory(practitioner__code="P-77", department__code="CARD"))

    def book(**fields):
        return booking.book(
            schedule=schedule, patient=PatientFactory(name="周志明", **fields), channel="counter", by=UserFactory(),
            request_key=None, confirmed=True, now=NOW,
        )  # fmt: skip

    return book


def send(now=clock.now):
    return webhooks.send_due(now=now)


def due_again():
    WebhookDelivery.objects.filter(status="waiting").update(next_try_at=clock.now())


# ---- from the fact to the event ----


def test_a_booking_is_told_by_ids_and_codes_and_never_by_name(hook, end, booked):
    row = booked(phone="13800136210")
    fan_out()

    assert send() == 1
    [note] = end.heard()
    event = json.loads(note["body"])
    fact = Fact.objects.get(topic="appointment.booked")
    assert note["genuine"]
    assert (note["path"], note["headers"]["X-Event-Id"], event["id"]) == ("/events", str(fact.pk), str(fact.pk))
    assert (event["topic"], event["organization"]) == ("appointment.booked", "H1")
    assert event["happened_at"] == "2026-11-23T10:00:00+08:00"
    said = event["data"]
    assert (said["appointment"], said["status"], said["visit_status"]) == (row.pk, "booked", None)
    assert (said["doctor"], said["department"], said["service"], said["day"]) == (
        "P-77", "CARD", "general", "2026-11-23",
    )  # fmt: skip
    assert (said["channel"], said["fee"], said["number"]) == ("counter", "20.00", row.slot.number)
    assert said["start"] == row.start.astimezone(clock.ZONE).isoformat()
    for word in ("周", "13800136210", row.patient.medical_number):
        assert word not in note["body"]


def test_their_own_numbers_are_told_and_nobody_else_s(hook, end, booked):
    row = booked()
    house = {"user": UserFactory(), "channel": "counter", "scopes": ["integrate"], "expires_at": NOW}
    ApiToken.issue(name="his", organization=OrganizationFactory(), system="his", **house)
    ApiToken.issue(name="away", organization=OrganizationFactory(code="H2", name="第二医院"), system="away", **house)
    for system in ("his", "away"):
        for kind, number, subject in (("patient", "1001", ""), ("visit", "V1", f"appointment:{row.pk}")):
            ExternalRecord.objects.create(system=system, kind=kind, number=number, patient=row.patient,
                subject=subject, digest="", changed_at=NOW, received_at=NOW)  # fmt: skip
    fan_out()
    send()

    [event] = end.events()
    assert event["data"]["patients"] == [{"system": "his", "number": "1001"}]
    assert event["data"]["visits"] == [{"system": "his", "number": "V1"}]


def test_every_step_of_a_visit_is_told_as_it_was_not_as_it_is_now(hook, end, booked):
    row = booked()
    encounter = visit.check_in(appointment=row, by=None, now=NOW)
    encounter = visit.start(encounter=encounter, by=None, now=NOW)
    visit.finish(encounter=encounter, by=None, now=NOW)
    fan_out()

    assert send() == 5
    told = [(event["topic"], event["data"]["status"], event["data"]["visit_status"]) for event in end.events()]
    assert told == [
        ("appointment.booked", "booked", None),
        ("encounter.checked_in", "arrived", "waiting"),
        ("encounter.called", "arrived", "called"),
        ("encounter.started", "arrived", "in_room"),
        ("encounter.finished", "fulfilled", "finished"),
    ]


def test_a_change_and_a_cancellation_name_the_place_of_their_own_moment(hook, end, booked):
    row = booked()
    other = open_schedule(role=RoleFactory(practitioner__code="P-88"))
    booking.reschedule(appointment=row, schedule=other, by=None, channel="counter", request_key=None, now=NOW)
    changes.cancel(appointment=row, by=None, channel="counter", now=NOW)
    fan_out()
    send()

    told = [(event["topic"], event["data"]["doctor"], event["data"]["fee"]) for event in end.events()]
    assert told == [
        ("appointment.booked", "P-77", None),  # the fee belongs to where it is now
        ("appointment.moved", "P-88", "20.00"),
        ("appointment.cancelled", "P-88", "20.00"),
    ]


def test_a_stopped_clinic_names_the_bookings_that_need_another_time(hook, end, booked):
    row = booked()
    extras.suspend(schedule=row.schedule, by=None, reason="临时停诊", now=NOW)
    fan_out()
    send()

    stopped = end.events()[-1]
    assert (stopped["topic"], stopped["data"]["appointments"]) == ("schedule.stopped", [row.pk])
    assert "临时停诊" not in json.dumps(stopped, ensure_ascii=False)


@pytest.mark.parametrize("topic", events.APPOINTMENT_TOPICS)
def test_every_topic_that_is_offered_can_be_told(hook, end, topic):
    row = appointment_row(open_schedule(), PatientFactory(), status="booked")
    payload = {} if topic in {"appointment.lapsed", "appointment.noshow"} else {"schedule": row.schedule_id}
    body = webhooks.body_of(happened(f"appointment:{row.pk}", topic, **payload), organization="H1")

    data = json.loads(body)["data"]
    assert (data["appointment"], data["start"]) == (row.pk, row.start.astimezone(clock.ZONE).isoformat())


def test_only_the_house_that_asked_hears_and_only_what_it_asked_for(end, booked):
    mine = webhook(end.url, topics=["appointment.booked"])
    webhook(end.url, topics=["appointment.cancelled"])
    webhook(end.url, active=False)
    webhook(end.url, organization=OrganizationFactory(code="H2", name="第二医院"))
    row = booked()
    visit.check_in(appointment=row, by=None, now=NOW)
    fan_out()

    assert list(WebhookDelivery.objects.values_list("webhook", "fact__topic")) == [(mine.pk, "appointment.booked")]


def test_without_webhooks_a_fact_makes_no_work(db, booked):
    booked()
    fan_out()
    assert not Delivery.objects.filter(handler="appointments.handlers.push").exists()


def test_another_house_s_fact_is_found_by_its_schedule(db):
    house = OrganizationFactory(code="H2", name="第二医院")
    schedule = open_schedule(organization=house, campus=CampusFactory(organization=house))
    row = appointment_row(schedule, PatientFactory())

    assert events.organization_of(happened(f"appointment:{row.pk}", "appointment.lapsed")) == house.pk
    assert events.organization_of(happened("schedule:9", "schedule.stopped", schedule=schedule.pk)) == house.pk


# ---- until it arrives ----


def test_a_receiver_that_fails_is_asked_again_and_a_younger_event_waits(hook, end, booked):
    end.behave(first=2)
    row = booked()
    visit.check_in(appointment=row, by=None, now=NOW)
    fan_out()

    assert send() == 0
    first = WebhookDelivery.objects.order_by("fact").first()
    assert (first.status, first.tries, first.answered) == ("waiting", 1, 500)
    assert send() == 0  # nothing is due: the younger one does not overtake
    due_again()
    assert send() == 0
    due_again()
    assert send() == 2
    assert [event["topic"] for event in end.events()] == ["appointment.booked", "encounter.checked_in"]
    assert [note["answered"] for note in end.heard()] == [500, 500, 200, 200]
    assert len({note["headers"]["X-Event-Id"] for note in end.heard()[:3]}) == 1


def test_a_silent_receiver_costs_one_wait_and_the_others_go_on(hook, end, booked, tmp_path):
    gone = webhook("http://127.0.0.1:9/")  # nobody listens there
    for _n in range(3):
        booked()
    fan_out()

    assert send() == 3
    assert WebhookDelivery.objects.filter(webhook=gone, tries=1).count() == 1
    assert WebhookDelivery.objects.filter(webhook=gone, tries=0).count() == 2


@pytest.mark.parametrize("how", [{"delay": 5}, {"drip": True}], ids=["no answer", "drop by drop"])
def test_a_slow_receiver_is_cut_off(hook, end, booked, monkeypatch, how):
    monkeypatch.setattr(targets, "SECONDS", 0.4)
    end.behave(**how)
    booked()
    fan_out()

    assert send() == 0
    assert WebhookDelivery.objects.get().answered is None
    end.behave()
    due_again()
    assert send() == 1
    assert len(end.heard()) == 2  # at least once: the first had reached it


def test_pauses_grow_to_twelve_hours_and_then_it_is_given_up_and_seen(hook, end, booked):
    end.behave(status=503)
    booked()
    fan_out()
    pauses = []
    while (delivery := WebhookDelivery.objects.get()).status == "waiting":
        moment = delivery.next_try_at
        send(lambda moment=moment: moment)
        pauses.append((WebhookDelivery.objects.get().next_try_at - moment) // timedelta(minutes=1))

    assert pauses[:-1] == [1, 2, 5, 15, 30, 60, 120, 240, 480, 720]
    assert (delivery.status, delivery.tries, delivery.answered) == ("failed", 11, 503)


def test_after_one_was_given_up_the_later_ones_of_its_booking_follow(hook, end, booked):
    row = booked()
    visit.check_in(appointment=row, by=None, now=NOW)
    fan_out()
    WebhookDelivery.objects.filter(fact__topic="appointment.booked").update(status="failed")

    assert send() == 1
    assert [event["topic"] for event in end.events()] == ["encounter.checked_in"]


def test_a_redirect_is_not_followed(hook, end, booked):
    end.behave(status=307, location=f"http://127.0.0.1:{end.port}/elsewhere")
    booked()
    fan_out()

    assert send() == 0
    assert [note["path"] for note in end.heard()] == ["/events"]
    assert WebhookDelivery.objects.get().answered == 307


def test_gone_switches_the_webhook_off_and_what_waits_stays(hook, end, booked):
    end.behave(status=410)
    booked(), booked()
    fan_out()
    send()

    hook.refresh_from_db()
    assert not hook.active
    assert sorted(WebhookDelivery.objects.values_list("status", flat=True)) == ["failed", "waiting"]
    end.behave()
    assert send() == 0
    Webhook.objects.update(active=True)
    assert send() == 1


def test_a_sender_that_died_is_followed_by_another_when_its_claim_has_run_out(hook, end, booked):
    booked()
    fan_out()
    moment = clock.now()
    webhooks._claim(hook.pk, now=moment)  # and no more was heard of it

    assert send(lambda: moment + webhooks.CLAIM - timedelta(seconds=1)) == 0
    assert send(lambda: moment + webhooks.CLAIM) == 1


def test_an_event_sent_again_by_hand_is_the_same_event(hook, end, booked):
    booked()
    fan_out()
    send()
    assert webhooks.redeliver(WebhookDelivery.objects.all(), now=clock.now()) == 1
    send()

    first, second = end.heard()
    assert first["headers"]["X-Event-Id"] == second["headers"]["X-Event-Id"]
    assert WebhookDelivery.objects.get().status == "sent"


def test_what_arrived_long_ago_is_forgotten_and_what_failed_is_not(hook, end, booked):
    booked(), booked()
    fan_out()
    send()
    WebhookDelivery.objects.filter(pk=WebhookDelivery.objects.first().pk).update(status="failed")

    assert webhooks.forget_sent(now=clock.now() + timedelta(days=189)) == 0
    assert webhooks.forget_sent(now=clock.now() + timedelta(days=191)) == 1
    assert WebhookDelivery.objects.get().status == "failed"


def test_one_event_that_can_t_be_told_stops_nobody(hook, end, booked):
    happened("appointment:999999999")
    broken = happened("appointment:no-number")
    waiting_for(hook, Fact.objects.get(key="appointment:999999999"))
    waiting_for(hook, broken)
    booked()
    fan_out()
    send()
    send()

    assert len(end.events()) == 1
    assert WebhookDelivery.objects.get(fact=broken).status == "waiting"
    assert WebhookDelivery.objects.get(fact__key="appointment:999999999").status == "sent"  # nothing to tell


def test_sending_costs_few_queries(hook, end, booked, django_assert_max_num_queries):
    for _n in range(5):
        booked()
    fan_out()
    with django_assert_max_num_queries(6 + 5 * 9):
        assert send() == 5


def test_no_row_of_a_delivery_says_who(hook, end, booked):
    end.behave(first=1)
    booked(phone="13800136210")
    fan_out()
    send()

    kept = json.dumps(list(WebhookDelivery.objects.values()), default=str, ensure_ascii=False)
    for word in ("周", "13800136210", SECRET):
        assert word not in kept


# ---- where it may go ----


@pytest.mark.parametrize(
    "url",
    [
        "https://10.1.2.3/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://localhost/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:10.1.2.3]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[2002:0a01:0203::1]/",
        "https://100.64.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
    ],
)
def test_the_house_s_own_network_is_not_reached_through_a_webhook(settings, url):
    settings.WEBHOOK_NETWORKS = []
    with pytest.raises(targets.BadTarget):
        targets.addresses(targets.read(url))


def test_networks_that_are_named_are_open_and_no_others(settings):
    settings.WEBHOOK_NETWORKS = ["10.8.0.0/16"]
    assert targets.addresses(targets.read("https://10.8.3.4/")) == ["10.8.3.4"]
    with pytest.raises(targets.BadTarget):
        targets.addresses(targets.read("https://10.9.3.4/"))


@pytest.mark.parametrize(
    "url",
    [
        "http://his.example/",
        "ftp://his.example/",
        "https:///path",
        "https://user:word@his.example/",
        "https://his.example:port/",
        "https://his.example/#part",
        "https://his.example/a b",
        "https://his.example/\r\nX: 1",
        "https://医院.example/",
        "his.example",
        "",
    ],
)
def test_an_address_that_is_not_plain_https_is_refused(settings, url):
    settings.WEBHOOK_PLAIN_HTTP = False
    with pytest.raises(targets.BadTarget):
        targets.read(url)


def test_a_target_that_became_an_inner_one_is_not_posted_to(hook, end, booked, settings):
    booked()
    fan_out()
    settings.WEBHOOK_NETWORKS = []

    assert send() == 0
    assert end.heard() == []
    assert WebhookDelivery.objects.get().answered is None


@pytest.mark.parametrize(
    ("host", "trusted", "sent"),
    [("localhost", True, 1), ("localhost", False, 0), ("elsewhere", True, 0)],
    ids=["the host's own", "of nobody we know", "of another host"],
)
def test_only_the_host_s_own_certificate_opens_the_way(
    db, booked, tmp_path, monkeypatch, settings, host, trusted, sent
):
    settings.WEBHOOK_PLAIN_HTTP = False
    certificate = certificate_for(host, tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    end = End(tmp_path, certificate=certificate).start()
    try:
        webhook(end.secure_url)
        booked()
        fan_out()
        assert send() == sent
        assert len(end.heard()) == sent
    finally:
        end.stop()


# ---- the document's own examples ----


def test_the_shell_example_signs_as_we_do(tmp_path):
    script = write_examples(tmp_path)["verify.sh"]
    body = tmp_path / "body"
    body.write_bytes('{"a":"中文"}'.encode())
    command = ["sh", str(script), SECRET, "1795485012", str(body)]

    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    assert out == signing.event_signature(secret=SECRET, timestamp="1795485012", body=body.read_bytes())


def test_the_python_example_refuses_what_was_changed_or_is_old(tmp_path):
    scope = {}
    exec(write_examples(tmp_path)["verify.py"].read_text(), scope)
    body = b'{"id":"1"}'
    headers = {
        "X-Timestamp": "1795485012",
        "X-Signature": signing.event_signature(secret=SECRET, timestamp="1795485012", body=body),
    }
    genuine = scope["is_genuine"]

    assert genuine(SECRET, headers, body, now=1795485012 + 299)
    assert not genuine(SECRET, headers, body, now=1795485012 + 301)
    assert not genuine(SECRET, headers, body + b" ", now=1795485012)
    assert not genuine("other", headers, body, now=1795485012)
    assert not genuine(SECRET, {**headers, "X-Timestamp": "1795485013"}, body, now=1795485013)
