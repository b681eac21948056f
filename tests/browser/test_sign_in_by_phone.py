"""Signing in by phone in a real browser: both editions, a narrow phone, without JavaScript (V2, O5)."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from hospital.models import User
from tests.accounts.acts import PHONE, last_code
from tests.factories import AccountFactory, IdentifierFactory, PatientFactory

from .conftest import sideways

HELD = (390, 844)
NARROW = (320, 640)


def good(page, axe):
    """`axe` is None without JavaScript: what looks at the page is a script, too."""
    if axe:
        seen = page.viewport_size
        assert sideways(page) == 0
        page.set_viewport_size({**seen, "height": 2400})  # nothing half under the bar that stays at the foot
        axe(page)
        page.set_viewport_size(seen)
    assert page.troubles == []


def type_the_code(page):
    page.get_by_label("6 位验证码").fill(last_code())
    page.get_by_role("button", name="登录", exact=True).click()


@pytest.mark.parametrize(
    ("size", "script"), [(HELD, True), (NARROW, True), (HELD, False)], ids=["held", "narrow", "no script"]
)
def test_from_a_public_page_through_the_code_to_the_own_account_in_both_editions(open_as, axe, size, script):
    axe = axe if script else None
    page = open_as(None, "/sign-in/?next=/me/", size=size, script=script)
    good(page, axe)
    page.get_by_role("button", name="长辈版").click()
    expect(page.locator("html")).to_have_attribute("data-edition", "elderly")
    good(page, axe)

    page.get_by_label("手机号").fill("139 1234")
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.get_by_role("alert")).to_contain_text("11 位数字")
    page.troubles.clear()  # the browser's own line about the 422
    good(page, axe)

    page.get_by_label("手机号").fill(PHONE)
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.get_by_text("139****5678")).to_be_visible()
    good(page, axe)

    page.get_by_role("link", name="到演示收件箱看验证码").click()
    expect(page.get_by_text(last_code())).to_be_visible()
    good(page, axe)
    page.get_by_role("link", name="记住了，回去输入").click()
    page.get_by_label("6 位验证码").fill("12")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("请输入 6 位数字")
    page.troubles.clear()
    good(page, axe)

    type_the_code(page)
    expect(page.get_by_role("heading", name="我的", exact=True)).to_be_visible()
    good(page, axe)
    page.get_by_label("特大字").check()
    page.get_by_role("button", name="用这个字号").click()
    expect(page.locator("html")).to_have_attribute("data-edition", "largest")
    good(page, axe)
    page.get_by_role("link", name="登录手机").click()
    expect(page.get_by_role("button", name="获取短信验证码")).to_be_visible()
    good(page, axe)


def test_is_it_still_you_and_a_code_again(open_as, axe):
    long_ago = timezone.now() - timedelta(days=90)
    account = AccountFactory(phone=PHONE, date_joined=long_ago)
    account.account_phone.verified_at = long_ago
    account.account_phone.save()
    IdentifierFactory(patient=PatientFactory(name="欧阳秀英", account=account))

    page = open_as(None, "/sign-in/?next=/me/", size=HELD)
    page.get_by_label("手机号").fill(PHONE)
    page.get_by_label("手机号").press("Enter")
    expect(page.get_by_label("6 位验证码")).to_be_visible()
    type_the_code(page)
    expect(page.get_by_role("heading", name="还是您本人吗？")).to_be_visible()
    assert "欧" not in page.content()
    good(page, axe)

    page.get_by_role("button", name="用新账号登录").click()
    expect(page.get_by_role("button", name="用新账号登录")).to_be_visible()
    page.get_by_label("账号里任意一位就诊人的证件号码").fill("11010519491231002x")
    page.get_by_role("button", name="核对并登录").click()
    expect(page.get_by_text("欧**英")).to_be_visible()
    assert User.objects.count() == 1


def test_a_code_again_before_what_must_not_be_done_by_a_finder(open_as, axe):
    page = open_as(AccountFactory(phone=PHONE), "/me/phone/", size=NARROW)
    expect(page.get_by_role("heading", name="确认是您本人")).to_be_visible()
    good(page, axe)
    page.get_by_role("button", name="获取短信验证码").click()
    page.get_by_label("6 位验证码").fill(last_code_of(page))
    good(page, axe)
    page.get_by_role("button", name="确认", exact=True).click()
    expect(page.get_by_role("heading", name="更换登录手机")).to_be_visible()
    good(page, axe)


def last_code_of(page) -> str:
    """Once the page says that a code is on its way."""
    expect(page.get_by_label("6 位验证码")).to_be_visible()
    return last_code()
