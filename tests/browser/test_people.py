"""Sign-in, landing, second factor and admin in a real Chromium, with axe-core (O5, V2)."""

import time
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from hospital.models import Role, RolePolicy
from tests.browser.conftest import sideways
from tests.factories import OrganizationFactory, PractitionerFactory, StaffFactory

PASSWORD = "correct horse battery"


def fill_in(page, user, password=PASSWORD):
    page.get_by_label("账号").fill(user.username)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()


def code_for(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def doctor():
    user = StaffFactory(username="wang01", full_name="王建国", roles=["doctor", "office"])
    PractitionerFactory(user=user)
    return user


def test_a_doctor_signs_in_with_the_keyboard_lands_and_leaves(open_as, axe, doctor):
    page = open_as(None, "/accounts/login/")
    axe(page)
    page.keyboard.type(doctor.username)  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="去哪里").wait_for()
    axe(page)
    assert sideways(page) == 0
    page.get_by_role("button", name="退出").click()
    page.get_by_role("heading", name="员工登录").wait_for()
    assert page.troubles == []


def test_a_wrong_password_is_said_beside_the_form_and_keeps_the_account(open_as, axe, doctor):
    page = open_as(None, "/accounts/login/")
    fill_in(page, doctor, "wrong wrong wrong")
    assert "账号或密码不对" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("账号").input_value() == doctor.username
    axe(page)


def test_the_fifth_wrong_password_shows_the_locked_page(open_as, axe, doctor):
    page = open_as(None, "/accounts/login/")
    for _ in range(5):
        fill_in(page, doctor, "wrong wrong wrong")
    page.get_by_role("heading", name="账号已临时锁定").wait_for()
    axe(page)


def test_a_second_factor_is_set_up_kept_and_asked_for(open_as, axe, live_server):
    RolePolicy.objects.create(role="secadmin", second_factor=True)
    user = StaffFactory(username="sec01", roles="secadmin")
    page = open_as(None, "/accounts/login/")
    fill_in(page, user)
    page.get_by_role("heading", name="启用两步验证").wait_for()
    assert page.locator(".qr img").evaluate("image => image.naturalWidth") > 0
    axe(page)
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("6 位验证码").fill(code_for(secret))
    page.get_by_role("button", name="启用").click()
    page.get_by_role("heading", name="恢复码").wait_for()
    axe(page)
    backup = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="已保存，去首页").click()
    page.get_by_text("已启用").wait_for()
    page.goto(live_server.url + "/accounts/2fa/")
    axe(page)
    page.goto(live_server.url + "/")
    page.get_by_role("button", name="退出").click()
    fill_in(page, user)
    page.get_by_role("heading", name="两步验证").wait_for()
    axe(page)
    page.get_by_label("验证码或恢复码").fill(backup)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("heading", name="去哪里").wait_for()
    assert page.troubles == []


@pytest.mark.parametrize(
    "path", ["/accounts/password/change/", "/accounts/password/reset/", "/accounts/logout/", "/accounts/2fa/"]
)
def test_the_pages_about_ones_own_account_are_accessible_on_desk_and_phone(open_as, axe, doctor, path):
    for size in ((1440, 900), (320, 640)):
        page = open_as(doctor, path, size=size)
        axe(page)
        assert sideways(page) == 0
        assert page.troubles == []


def test_sign_in_works_without_script_and_at_320_pixels(open_as, doctor):
    page = open_as(None, "/accounts/login/", size=(320, 640), script=False)
    fill_in(page, doctor)
    assert page.get_by_role("heading", name="去哪里").is_visible()


def test_the_landing_page_is_accessible_in_english(open_as, axe, doctor):
    page = open_as(doctor, "/")
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="中文").wait_for()
    assert page.locator("html").get_attribute("lang") == "en"
    axe(page)


def test_an_idle_session_ends_on_the_sign_in_page_that_says_why(open_as, doctor, time_passes):
    page = open_as(doctor, "/")
    time_passes(timedelta(minutes=31))
    page.reload()
    assert "已空闲 30 分钟" in page.get_by_role("status").inner_text()


@pytest.fixture
def time_passes():
    """time_passes(delta): sessions were last seen that much earlier."""
    from django.contrib.sessions.models import Session

    from hospital.middleware import StaffSecurity

    def pass_by(delta):
        for row in Session.objects.all():
            store = row.get_session_store_class()(row.session_key)
            kept = store[StaffSecurity.KEY]
            store[StaffSecurity.KEY] = {**kept, "seen": kept["seen"] - delta.total_seconds()}
            store.save()

    return pass_by


def test_the_admin_works_under_the_content_security_policy(open_as, live_server):
    OrganizationFactory()
    user = StaffFactory(username="all01", roles=[role for role in Role.values if role != "doctor"])
    page = open_as(user, "/admin/")
    rule = RolePolicy.objects.create(role="phone", idle_minutes=30)
    for path in ("hospital/auditevent/", "hospital/roleassignment/add/", f"hospital/rolepolicy/{rule.pk}/change/"):
        page.goto(f"{live_server.url}/admin/{path}")
    page.locator("#id_idle_minutes").fill("45")
    page.locator("input[name=_save]").click()
    page.locator(".messagelist .success").wait_for()
    rule.refresh_from_db()
    assert rule.idle_minutes == 45

    page.goto(f"{live_server.url}/admin/hospital/roleassignment/add/")
    page.locator(".select2-selection").first.click()  # the search box of accounts is built by script
    page.locator(".select2-search__field").fill("all01")
    page.locator(".select2-results__option--highlighted").wait_for()
    assert page.troubles == []
