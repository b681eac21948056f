"""短信验证码 (O5): limits that hold, codes that work once, and nothing pretended when something is missing."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from structlog.testing import capture_logs

from hospital import codes, devices, identity
from hospital.errors import Refused
from hospital.models import AccountRule, CodeSent, GatewayReceipt, KnownDevice, User
from hospital.tasks import tidy
from tests.factories import NOW, AccountFactory

from .acts import PHONE, answer, ask, last_code, other_than

pytestmark = pytest.mark.django_db
SIGN_IN = CodeSent.Purpose.SIGN_IN


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def rule(db):
    return AccountRule.objects.create(
        effective_from=NOW.date(), codes_pause_seconds=0, codes_per_phone=3, codes_per_device=4, codes_per_address=6
    )


def send(phone=PHONE, *, device="d", address="10.0.0.1", now=NOW, purpose=SIGN_IN) -> int:
    return codes.send(purpose=purpose, phone=phone, device=device, address=address, now=now)


def how_many_go(calls) -> int:
    """Codes that went out before the first refusal."""
    gone = 0
    for call in calls:
        try:
            call()
        except codes.TooManyCodes:
            break
        gone += 1
    return gone


def test_a_phone_gets_so_many_codes_a_day_from_whatever_browser_and_network(rule):
    tries = [lambda n=n: send(device=f"d{n}", address=f"10.0.0.{n}") for n in range(9)]
    assert how_many_go(tries) == 3
    assert send(now=NOW + timedelta(days=1, seconds=1))


def test_a_browser_gets_so_many_codes_a_day_for_whatever_phones(rule):
    tries = [lambda n=n: send(f"1390000000{n}", address=f"10.0.0.{n}") for n in range(9)]
    assert how_many_go(tries) == 4


def test_a_network_gets_so_many_codes_an_hour_for_whatever_phones_and_browsers(rule):
    tries = [lambda n=n: send(f"1390000000{n}", device=f"d{n}") for n in range(9)]
    assert how_many_go(tries) == 6
    assert send(now=NOW + timedelta(hours=1, seconds=1))


def test_a_flood_from_many_networks_ends_at_the_houses_ceiling_and_sounds_the_alarm(rule):
    """O5: each SMS costs. The alarm names no phone."""
    AccountRule.objects.update(codes_per_hour=10)
    tries = [lambda n=n: send(f"139000000{n:02}", device=f"d{n}", address=f"10.0.{n}.1") for n in range(15)]

    with capture_logs() as said:
        assert how_many_go(tries) == 8  # four fifths: the rest is kept for browsers that signed in before

    assert [(line["event"], line["log_level"]) for line in said] == [("codes_ceiling_reached", "error")]
    assert "139000" not in str(said)
    assert send("13900000099", device="x", address="10.1.0.1", now=NOW + timedelta(hours=1, seconds=1))


def test_in_a_flood_a_browser_that_signed_in_before_still_gets_its_code(rule):
    AccountRule.objects.update(codes_per_hour=10)
    account = AccountFactory(phone=PHONE)
    KnownDevice.objects.create(user=account, digest="own", first_seen_at=NOW, last_seen_at=NOW)
    how_many_go([lambda n=n: send(f"139000000{n:02}", device=f"d{n}", address=f"10.0.{n}.1") for n in range(9)])

    assert send(PHONE, device="own", address="10.2.0.1")
    assert send("13900000077", device="y", address="10.3.0.1", now=NOW + timedelta(hours=2))
    with pytest.raises(codes.TooManyCodes):
        send("13900000078", device="z", address="10.4.0.1")


def test_requests_without_an_address_share_one_limit(rule):
    tries = [lambda n=n: send(f"1390000000{n}", device=f"d{n}", address=None) for n in range(9)]
    assert how_many_go(tries) == 6


def test_a_subscriber_of_ipv6_has_one_limit_for_all_his_addresses(rule):
    tries = [lambda n=n: send(f"1390000000{n}", device=f"d{n}", address=f"2001:db8:1:2:{n}::7") for n in range(9)]
    assert how_many_go(tries) == 6
    assert send("13900000019", device="x", address="2001:db8:1:3::7")


def test_a_stranger_with_fresh_browsers_does_not_lock_the_owner_out(rule):
    """B16: whoever signed in from a browser before has an allowance of their own there."""
    owner = AccountFactory(phone=PHONE)
    KnownDevice.objects.create(user=owner, digest="own", first_seen_at=NOW, last_seen_at=NOW)
    assert how_many_go([lambda n=n: send(device=f"fresh{n}") for n in range(5)]) == 3
    assert how_many_go([lambda: send(device="own") for _n in range(4)]) == 3


def test_strangers_on_the_same_network_do_not_lock_the_owner_out(rule):
    """B16: a carrier gives one address to thousands of phones."""
    owner = AccountFactory(phone=PHONE)
    KnownDevice.objects.create(user=owner, digest="own", first_seen_at=NOW, last_seen_at=NOW)
    assert how_many_go([lambda n=n: send(f"1390000000{n}", device=f"d{n}") for n in range(9)]) == 6
    assert how_many_go([lambda: send(device="own") for _n in range(4)]) == 3
    with pytest.raises(codes.TooManyCodes):
        send("13900000077", device="own")  # of another's phone it is as unknown as any


def test_all_purposes_count_together(rule):
    purposes = [purpose for purpose in CodeSent.Purpose for _ in range(2)]
    assert how_many_go([lambda purpose=purpose: send(purpose=purpose) for purpose in purposes]) == 3


def test_between_two_codes_there_is_a_pause_that_the_page_names(client, clock):
    ask(client)
    clock.shift(timedelta(seconds=20))
    refused = client.post("/sign-in/code/", {"again": "1"})
    assert (refused.status_code, "请等 41 秒" in refused.content.decode()) == (429, True)
    clock.shift(timedelta(seconds=41))
    assert client.post("/sign-in/code/", {"again": "1"}).status_code == 302


@pytest.mark.parametrize(
    "limit",
    [{"codes_per_phone": 3}, {"codes_per_device": 3}, {"codes_per_address": 3}],
    ids=lambda limit: next(iter(limit)),
)
@pytest.mark.django_db(transaction=True)
def test_parallel_requests_cannot_exceed_a_limit(limit):
    AccountRule.objects.create(effective_from=NOW.date(), codes_pause_seconds=0, **limit)
    one = next(iter(limit))

    def race(n):
        try:
            return send(
                PHONE if one == "codes_per_phone" else f"139000000{n:02d}",
                device="d" if one == "codes_per_device" else f"d{n}",
                address="10.0.0.1" if one == "codes_per_address" else f"10.0.0.{n}",
            )
        except Refused:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as crowd:
        gone = [sent for sent in crowd.map(race, range(12)) if sent]
    assert len(gone) == GatewayReceipt.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_of_one_session_cannot_exceed_the_tries():
    """Each guess brings the same session: what it counts would be read by all of them at once."""
    sent = send()
    wrong = other_than(last_code())

    def guess(_):
        try:
            codes.check(sent=sent, purpose=SIGN_IN, phone=PHONE, code=wrong, now=NOW)
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as crowd:
        said = list(crowd.map(guess, range(12)))
    assert (said.count("wrong_code"), said.count("code_over")) == (2, 10)
    assert CodeSent.objects.get().tries == 3
    with pytest.raises(codes.CodeOver):
        codes.check(sent=sent, purpose=SIGN_IN, phone=PHONE, code=last_code(), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_the_right_code_at_once_in_two_requests_lets_one_in():
    sent, code = send(), last_code()

    def use(_):
        try:
            return codes.check(sent=sent, purpose=SIGN_IN, phone=PHONE, code=code, now=NOW)
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as crowd:
        assert list(crowd.map(use, range(6))).count(None) == 1


def test_a_code_for_one_purpose_or_phone_is_not_good_for_another():
    sent, code = send(), last_code()
    for wrong in ({"purpose": CodeSent.Purpose.BIND}, {"phone": "13900000009"}):
        with pytest.raises(codes.CodeOver):
            codes.check(**{"sent": sent, "purpose": SIGN_IN, "phone": PHONE, "code": code, "now": NOW, **wrong})
    codes.check(sent=sent, purpose=SIGN_IN, phone=PHONE, code=code, now=NOW)


def test_full_width_digits_and_blanks_are_what_they_look_like():
    sent, code = send(), last_code()
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    codes.check(sent=sent, purpose=SIGN_IN, phone=PHONE, code=f" {wide[:3]} {wide[3:]} ", now=NOW)


def test_without_a_gateway_no_code_is_promised(client, settings):
    settings.SMS_GATEWAY = ""
    page = ask(client)
    assert page.status_code == 503
    assert "验证码没有发出去" in page.content.decode()
    assert "窗口" in page.content.decode()
    assert CodeSent.objects.count() == 0
    assert client.get("/sign-in/code/").headers["Location"] == "/sign-in/"


def broken(**_message):
    raise TimeoutError(f"no answer for {_message['to']}: {_message['text']}")


def test_a_gateway_that_fails_gives_no_code_and_leaves_no_secret_in_the_log(client, settings, caplog):
    settings.SMS_GATEWAY = f"{__name__}.broken"
    page = ask(client)
    assert page.status_code == 503
    assert client.get("/sign-in/code/").headers["Location"] == "/sign-in/"
    assert "code_not_sent" in caplog.text
    assert not re.search(rf"{PHONE}|\d{{6}}，用于", caplog.text)
    assert ask(Client()).status_code == 429  # it may have gone out after all: it counts


def test_the_limits_and_the_once_only_hold_without_redis(client, settings, rule):
    """O5: allauth's own limits are lost with the cache; ours are not there."""
    gone = {"LOCATION": "redis://127.0.0.1:1/0", "OPTIONS": {"socket_connect_timeout": 1}}
    settings.CACHES = {"default": {"BACKEND": "hospital.cache.ForgivingRedisCache", **gone}}
    assert [ask(Client()).status_code for _ in range(4)] == [302, 302, 302, 429]
    ask(client, "13900000001")
    right = last_code()
    for _ in range(3):
        answer(client, other_than(right))
    assert answer(client, right).status_code == 422
    ask(client, "13900000002")
    assert answer(client).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_busy_database_gives_no_code_and_says_so(client):
    """The count waits for its lock, and a request that waited too long is refused, not let through."""
    held = connection.copy("default")
    try:
        with held.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"code:phone:{identity.phone_hash(PHONE)}"]
            )
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        page = ask(client)
    finally:
        held.close()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert page.status_code == 503
    assert "系统正忙" in page.content.decode()
    assert GatewayReceipt.objects.count() == 0


def test_asking_opens_no_account():
    """Nobody fills the house with accounts by typing phones."""
    for n in range(5):
        ask(Client(), f"1390000000{n}")
    assert User.objects.count() == 0


def test_counts_are_forgotten_when_no_limit_looks_back_that_far():
    send(now=NOW - timedelta(days=2, seconds=1))
    send("13900000001", now=NOW - timedelta(days=1))
    devices.remember(user=AccountFactory(), device="old", now=NOW - timedelta(days=401))
    devices.remember(user=AccountFactory(), device="new", now=NOW - timedelta(days=399))
    tidy()
    assert CodeSent.objects.count() == 1
    assert KnownDevice.objects.get().digest == "new"


def test_the_code_says_what_it_is_for_and_for_how_long_in_the_readers_language(client):
    ask(client, headers={"Accept-Language": "zh"})
    assert re.search(r"验证码 \d{6}，用于登录，5 分钟内有效", GatewayReceipt.objects.get().text)
