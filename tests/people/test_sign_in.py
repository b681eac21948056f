"""员工登录: password, lock-out, idle log-out, second factor by role (O5, O10)."""

import time
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.test import Client

from hospital.models import AuditEvent, Role, RolePolicy, User
from hospital.tasks import tidy
from tests.factories import NOW, StaffFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def sign_in(client, user, password=PASSWORD, **extra):
    return client.post("/accounts/login/", {"login": user.username, "password": password}, **extra)


def code_now(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def with_second_factor(user):
    """The user's authenticator and its secret."""
    secret = generate_totp_secret()
    return TOTP.activate(user, secret).instance, secret


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


@pytest.fixture
def doctor():
    return StaffFactory(roles="doctor")


def test_a_stranger_is_sent_to_the_sign_in_page_and_comes_back_where_he_wanted(client, doctor):
    response = client.get("/accounts/2fa/")
    assert response.headers["Location"] == "/accounts/login/?next=/accounts/2fa/"

    page = client.get("/accounts/login/?next=/accounts/2fa/")
    assert "员工登录" in page.content.decode()
    response = client.post(
        "/accounts/login/", {"login": doctor.username, "password": PASSWORD, "next": "/accounts/2fa/"}
    )
    assert response.headers["Location"] == "/accounts/2fa/"
    assert client.get("/").status_code == 200


def test_signing_in_and_out_leaves_a_trail_with_the_address(client, doctor):
    sign_in(client, doctor, password="wrong wrong wrong")
    sign_in(client, doctor)
    client.post("/accounts/logout/")

    assert actions() == ["account.refused", "account.signed_in", "account.signed_out"]
    refused = AuditEvent.objects.get(action="account.refused")
    assert (refused.actor, refused.subject, refused.address) == (None, f"user:{doctor.pk}", "127.0.0.1")


def test_a_link_does_not_sign_anybody_out(client, doctor):
    client.force_login(doctor)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.get("/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302


def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(client, doctor):
    for _ in range(4):
        assert sign_in(client, doctor, password="wrong wrong wrong").status_code == 200
    assert sign_in(client, doctor, password="wrong wrong wrong").status_code == 429
    locked = sign_in(client, doctor)

    assert locked.status_code == 429
    assert "账号已临时锁定" in locked.content.decode()
    assert client.get("/").status_code == 302
    assert "account.locked_out" in actions()


def test_a_locked_account_opens_again_after_half_an_hour(client, doctor):
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(5):
            sign_in(client, doctor, password="wrong wrong wrong")
        clock.shift(timedelta(minutes=31))
        assert sign_in(client, doctor).status_code == 302


def test_one_desk_that_is_locked_does_not_lock_the_same_account_elsewhere(client, doctor):
    for _ in range(5):
        sign_in(client, doctor, password="wrong wrong wrong", REMOTE_ADDR="10.0.0.7")
    assert sign_in(client, doctor, REMOTE_ADDR="10.0.0.8").status_code == 302


def test_the_lock_out_record_holds_no_password(client, doctor):
    sign_in(client, doctor, password="my real password 1")
    attempt = AccessAttempt.objects.get()
    assert "my real password" not in f"{attempt.post_data}{attempt.get_data}"


def test_sign_in_and_lock_out_work_without_redis(client, doctor, settings):
    gone = {"LOCATION": "redis://127.0.0.1:1/0", "OPTIONS": {"socket_connect_timeout": 1}}
    settings.CACHES = {"default": {"BACKEND": "hospital.cache.ForgivingRedisCache", **gone}}
    for _ in range(5):
        sign_in(client, doctor, password="wrong wrong wrong")
    assert sign_in(client, doctor).status_code == 429
    assert sign_in(client, StaffFactory(roles="doctor")).status_code == 302
    assert client.get("/").status_code == 200


def test_without_redis_the_forgiving_cache_says_not_there_and_the_strict_one_raises(settings):
    from redis.exceptions import ConnectionError as Unreachable

    gone = {"LOCATION": "redis://127.0.0.1:1/0", "OPTIONS": {"socket_connect_timeout": 1}}
    settings.CACHES = {
        "default": {"BACKEND": "hospital.cache.ForgivingRedisCache", **gone},
        "strict": {"BACKEND": "django.core.cache.backends.redis.RedisCache", **gone},
    }
    cache = caches["default"]
    assert (cache.get("a", 7), cache.add("a", 1), cache.get_many(["a"]), cache.delete("a")) == (7, True, {}, False)
    with pytest.raises(Unreachable):
        caches["strict"].get("a")


def test_an_account_without_policy_is_signed_out_after_thirty_idle_minutes(client, doctor):
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(doctor)
        client.get("/")
        clock.shift(timedelta(minutes=29))
        assert client.get("/").status_code == 200
        clock.shift(timedelta(minutes=31))
        response = client.get("/accounts/2fa/")

    assert response.headers["Location"] == "/accounts/login/?next=%2Faccounts%2F2fa%2F"
    assert "account.idle_signed_out" in actions()
    assert "已空闲 30 分钟" in client.get("/accounts/login/").content.decode()


def test_the_strictest_role_decides_how_long_idle_is(client):
    RolePolicy.objects.create(role="doctor", idle_minutes=60)
    RolePolicy.objects.create(role="office", idle_minutes=5)
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(StaffFactory(roles=["doctor", "office"]))
        client.get("/")
        clock.shift(timedelta(minutes=6))
        assert client.get("/").status_code == 302


def test_a_page_that_refreshes_by_itself_does_not_keep_an_idle_session_alive(client, doctor):
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(doctor)
        client.get("/")
        for _ in range(30):
            clock.shift(timedelta(minutes=1))
            assert client.get("/", headers={"X-Passive": "1", "HX-Request": "true"}).status_code == 200
        clock.shift(timedelta(minutes=1))
        response = client.get(
            "/",
            headers={"X-Passive": "1", "HX-Request": "true", "HX-Current-URL": "http://testserver/consult/?day=1"},
        )

    assert (response.status_code, response.headers["HX-Redirect"]) == (204, "/accounts/login/?next=%2Fconsult%2F")


def test_a_machine_hears_of_the_idle_log_out_in_json(client, doctor):
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(doctor)
        client.get("/")
        clock.shift(timedelta(minutes=31))
        response = client.get("/", headers={"Accept": "application/json"})
    assert (response.status_code, response.json()["code"]) == (401, "sign_in")


def test_idle_and_second_factor_cost_no_query_within_a_minute(client, doctor, django_assert_num_queries):
    client.force_login(doctor)
    client.get("/accounts/password/reset/")
    with django_assert_num_queries(2):  # session, user
        client.get("/accounts/password/reset/")


def test_a_role_that_asks_for_a_second_factor_sets_it_up_before_anything_else(client):
    RolePolicy.objects.create(role="secadmin", second_factor=True)
    user = StaffFactory(roles="secadmin")
    sign_in(client, user)

    assert client.get("/").headers["Location"] == "/accounts/2fa/totp/activate/"
    assert client.get("/admin/").headers["Location"] == "/accounts/2fa/totp/activate/"
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    done = client.post("/accounts/2fa/totp/activate/", {"code": code_now(secret)})

    assert done.status_code == 302
    assert client.get("/").status_code == 200
    stored = Authenticator.objects.get(user=user, type="totp").data["secret"]
    assert secret not in stored  # encrypted at rest


def test_signing_in_with_a_second_factor_asks_for_the_code(client, doctor):
    _, secret = with_second_factor(doctor)
    response = sign_in(client, doctor)
    assert response.headers["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/").status_code == 302

    client.post("/accounts/2fa/authenticate/", {"code": code_now(secret)})
    assert client.get("/").status_code == 200


def test_five_wrong_codes_lock_the_account_even_without_redis(client, doctor, settings):
    settings.CACHES = {
        "default": {"BACKEND": "hospital.cache.ForgivingRedisCache", "LOCATION": "redis://127.0.0.1:1/0"},
    }
    _, secret = with_second_factor(doctor)
    sign_in(client, doctor)
    codes = [client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 200, 429]

    assert client.post("/accounts/2fa/authenticate/", {"code": code_now(secret)}).status_code == 429
    assert client.get("/").status_code == 302
    assert sign_in(Client(), doctor).status_code == 429


def test_nobody_takes_off_a_second_factor_that_the_role_asks_for(client):
    RolePolicy.objects.create(role="secadmin", second_factor=True)
    user = StaffFactory(roles="secadmin")
    _, secret = with_second_factor(user)
    sign_in(client, user)
    client.post("/accounts/2fa/authenticate/", {"code": code_now(secret)})
    client.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=user, type="totp").exists()


def test_a_new_password_has_ten_signs_and_is_not_only_digits(client, doctor):
    sign_in(client, doctor)

    def change(new):
        return client.post(
            "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}
        ).status_code

    assert [change("short-1"), change("8264059173")] == [200, 200]
    assert change("purple river 88") == 302
    assert User.objects.get(pk=doctor.pk).check_password("purple river 88")
    assert client.get("/").status_code == 200  # the one who changed it stays in
    assert "account.password_changed" in actions()


def test_sign_up_mail_and_reset_by_link_are_not_there(client):
    for path in ("/accounts/signup/", "/accounts/email/", "/accounts/login/code/confirm/"):
        assert client.get(path).status_code == 404
    assert "系统管理员" in client.get("/accounts/password/reset/").content.decode()


def test_ended_sessions_and_old_failures_are_forgotten_at_night(client, doctor):
    with time_machine.travel(NOW, tick=False) as clock:
        sign_in(client, doctor, password="wrong wrong wrong")
        client.force_login(doctor)
        clock.shift(timedelta(hours=23))
        Client().force_login(doctor)
        sign_in(Client(), StaffFactory(), password="wrong wrong wrong")
        clock.shift(timedelta(hours=2))
        tidy.delay()
        assert (Session.objects.count(), AccessAttempt.objects.count()) == (1, 1)


def test_a_deactivated_account_can_not_sign_in_and_an_open_session_ends(client, doctor):
    client.force_login(doctor)
    User.objects.filter(pk=doctor.pk).update(is_active=False)
    assert client.get("/").status_code == 302
    assert sign_in(client, doctor).status_code == 200
    assert client.get("/").status_code == 302


def test_the_language_is_switched_by_post(client, doctor):
    client.force_login(doctor)
    client.post("/language/", {"language": "en", "next": "/"})
    assert '<html lang="en"' in client.get("/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_new_house_asks_its_administrators_for_a_second_factor():
    from importlib import import_module

    from django.apps import apps

    import_module("hospital.migrations.0004_role_policies").write(apps, None)
    guarded = set(RolePolicy.objects.filter(second_factor=True).values_list("role", flat=True))
    assert guarded == {"sysadmin", "secadmin"}
    assert set(RolePolicy.objects.values_list("role", flat=True)) == set(Role.values) - {"kiosk"}  # came later, 0015
