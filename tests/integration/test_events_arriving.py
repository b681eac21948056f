"""An event is sent until it arrives (O1): in order per booking, at least once, to plain addresses outside only."""

import json
from datetime import timedelta

import pytest

from appointments.services import visit
from hospital import clock
from hospital.integration import targets, webhooks
from hospital.models import Fact, Webhook, WebhookDelivery
from tests.factories import NOW

from .ends import SECRET, End, certificate_for
from .hooks import due_again, fan_out, happened, send, waiting_for, webhook

pytestmark = [pytest.mark.django_db, pytest.mark.of_today]


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
