"""B22, O4 in a real browser: from a new account to a family with consents, and the rights over one's data."""

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Page, expect

from hospital import clock
from hospital.models import Consent, DataRequest, GatewayReceipt, RelatedPerson
from hospital.permissions import CODE_AT
from tests.factories import AccountFactory, PatientFactory, RelatedPersonFactory, appointment_row, open_schedule
from tests.family.people import CARD, CHILD_CARD, OTHER_CARD, registered

from .conftest import sideways

PHONE, NARROW = (390, 844), (320, 700)


@pytest.fixture(autouse=True)
def _published(transactional_db):
    """The notices that every hospital starts with."""
    import_module("hospital.migrations.0010_first_notices").write(apps, None)


def answer_a_code(page: Page, *, ask: str | None = None) -> None:
    """The code that the development gateway took in."""
    if ask:
        page.get_by_role("button", name=ask).click()
    expect(page.get_by_label("6 位验证码")).to_be_visible()
    page.get_by_label("6 位验证码").fill(re.search(r"\d{6}", GatewayReceipt.objects.latest("pk").text)[0])


def agree(page: Page) -> None:
    for tick in page.get_by_role("checkbox").all():
        expect(tick).not_to_be_checked()
        tick.check()
    page.get_by_role("button", name="同意并继续").click()


def test_a_new_account_agrees_and_adds_itself_and_a_child(open_as, axe):
    account = AccountFactory(phone="13800000001")
    page = open_as(account, "/me/family/", size=PHONE)

    expect(page.get_by_role("heading", name="个人信息保护告知")).to_be_visible()
    axe(page)
    agree(page)
    expect(page.get_by_text("还没有就诊人")).to_be_visible()
    axe(page)

    page.get_by_role("link", name="添加就诊人").click()
    answer_a_code(page, ask="获取短信验证码")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_label("本人")).to_be_checked()
    axe(page)
    page.get_by_label("姓名").fill("李秀英")
    page.get_by_label("证件号码").fill(CARD.lower())
    page.get_by_role("button", name="添加").click()

    expect(page.get_by_text("已添加就诊人：李*英。")).to_be_visible()
    axe(page)
    agree(page)
    expect(page.get_by_text("已添加 1 位")).to_be_visible()

    page.get_by_role("link", name="添加就诊人").click()
    page.get_by_label("子女").check()
    page.get_by_label("姓名").fill("李小宝")
    page.get_by_label("证件号码").fill(CHILD_CARD)
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_role("heading", name="未满 14 周岁，需要监护人同意")).to_be_visible()
    axe(page)
    assert sideways(page) == 0
    for tick in page.get_by_role("checkbox").all():
        expect(tick).not_to_be_checked()
        tick.check()
    page.get_by_role("button", name="同意并添加").click()
    expect(page.get_by_text("已添加就诊人：李*宝。")).to_be_visible()
    agree(page)
    expect(page.get_by_text("已添加 2 位")).to_be_visible()
    axe(page)

    rows = RelatedPerson.objects.filter(account=account).order_by("place")
    assert [(row.relation, row.guardian) for row in rows] == [("self", False), ("child", True)]
    kinds = Consent.objects.values_list("notice__kind", flat=True).order_by("notice__kind", "pk")
    assert list(kinds) == ["child", "health", "health", "privacy"]
    assert [said for said in page.troubles if "422" not in said] == []


def test_without_scripts_in_the_elderly_edition_a_registered_parent_is_added_by_a_code(open_as):
    """V2: 320 px, the largest type but one, plain forms."""
    account = AccountFactory(phone="13800000001")
    registered(name="周志明", number=OTHER_CARD, phone="13800136210")
    page = open_as(account, "/me/family/", size=NARROW, script=False)
    page.get_by_role("button", name="长辈版").click()
    agree(page)
    page.get_by_role("link", name="添加就诊人").click()
    answer_a_code(page, ask="获取短信验证码")
    page.get_by_role("button", name="确认").click()

    page.get_by_label("父母").check()
    page.get_by_label("姓名").fill("周志朋")
    page.get_by_label("证件号码").fill(OTHER_CARD)
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_text("姓名和证件号码对不上")).to_be_visible()
    expect(page.get_by_label("父母")).to_be_checked()
    page.get_by_label("姓名").fill("周志明")
    page.get_by_role("button", name="添加").click()

    expect(page.get_by_text("138****6210")).to_be_visible()
    answer_a_code(page)
    page.get_by_role("button", name="确认添加").click()
    expect(page.get_by_text("已添加就诊人：周*明。")).to_be_visible()
    agree(page)
    expect(page.get_by_text("已添加 1 位")).to_be_visible()
    assert RelatedPerson.objects.get().proof == "phone"


def test_the_pages_of_ones_data_are_accessible_and_fit(open_as, axe, live_server):
    """V2, O4: read, take a copy, ask for erasure; at 320 px in the largest type nothing is wider than the window."""
    account = AccountFactory(phone="13800000001")
    patient = registered(name="周志明", number=OTHER_CARD)
    PatientFactory(account=account)
    row = RelatedPersonFactory(account=account, patient=patient, relation="parent", proof="desk")
    appointment_row(open_schedule(), patient)
    page = open_as(account, "/me/privacy/", size=PHONE)
    fresh(page)
    page.goto(live_server.url + "/me/family/")
    agree(page)
    own = f"/me/family/{row.pk}/"
    for path in (own, f"{own}end/", f"{own}consent/", "/me/privacy/", "/me/correction/", "/notices/child/"):
        page.goto(live_server.url + path)
        axe(page)
    page.goto(live_server.url + "/me/export/")
    page.get_by_role("button", name="在这里查看").click()
    expect(page.get_by_text("13800000001").first).to_be_visible()
    axe(page)

    page.context.add_cookies([{"name": "edition", "value": "largest", "url": live_server.url}])
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    for path in ("/me/family/", "/me/family/add/", own, f"{own}consent/", "/me/privacy/", "/notices/privacy/"):
        page.goto(live_server.url + path)
        assert sideways(page) == 0, path
    page.goto(live_server.url + "/me/erasure/")
    expect(page.get_by_text("注销不会自动退号")).to_be_visible()
    axe(page)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="申请注销").click()
    expect(page.get_by_text("您的注销申请正在处理")).to_be_visible()
    assert sideways(page) == 0
    assert set(DataRequest.objects.values_list("kind", "status")) == {("export", "done"), ("erasure", "asked")}
    assert page.troubles == []


def fresh(page: Page) -> None:
    """As if a code had been answered a moment ago."""
    key = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == settings.SESSION_COOKIE_NAME)
    session = SessionStore(session_key=key)
    session[CODE_AT] = clock.now().timestamp()
    session.save()
