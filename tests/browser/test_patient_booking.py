"""Booking to the end in a real browser: sign-in, success card, change, cancel, a lost race, keyboard, no script
(B14, B16, B22, V2)."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment
from hospital.models import Patient
from tests.accounts.acts import PHONE, last_code
from tests.bookings.scenes import account_with, people, where
from tests.consult.rooms import now, today
from tests.factories import (
    AccountFactory,
    CampusFactory,
    DepartmentFactory,
    NoticeFactory,
    PatientFactory,
    appointment_row,
)
from tests.patient.scenes import doctor, half_day, take_all_but

from .conftest import sideways
from .looking import covered

HELD, NARROW, SHORT, DESK = (390, 844), (320, 640), (320, 568), (1440, 900)
TAP = {"": 44, "elderly": 60, "largest": 60}  # px: WCAG 2.5.8 and 适老化

SMALL_TARGETS = """(tap) => [...document.querySelectorAll('main a, main .btn, main label, .topbar a, .tabbar a')]
  .filter(each => each.getClientRects().length > 0)
  .filter(each => each.getBoundingClientRect().height < tap - 0.5)
  .map(each => each.outerHTML.slice(0, 120) + ' ' + each.getBoundingClientRect().height)"""

OLD_BROWSER = """() => { for (const sheet of document.styleSheets)
  for (let n = sheet.cssRules.length - 1; n >= 0; n--)
    if (sheet.cssRules[n] instanceof CSSSupportsRule) sheet.deleteRule(n); }"""
"""What a Chrome of 2016 would not read: the plain flex below it must hold."""


@pytest.fixture
def clinic():
    """王建国 in three days, mornings of two days, two numbers a slice."""
    CampusFactory(address="江州市人民路1号", transit="地铁2号线人民医院站B口，公交5路")
    place = DepartmentFactory(name="心血管内科", group="内科系统", location="门诊楼")
    wang = doctor(place, pinyin="wangjianguo", initials="wjg")
    opened = now() - timedelta(days=1)
    days = [today() + timedelta(days=n) for n in (3, 4)]
    return [half_day(role=wang, numbers=16, minutes=15, day=day, opened=opened) for day in days]


def good(page, axe):
    seen = page.viewport_size
    assert sideways(page) == 0
    page.set_viewport_size({**seen, "height": 2400})  # nothing half under the bar that stays at the foot
    axe(page)
    page.set_viewport_size(seen)
    assert page.troubles == []


def to_step_four(page, time="08:30–09:00"):
    page.get_by_role("link", name="预约挂号").click()
    page.get_by_role("link", name="心血管内科").click()
    page.get_by_role("link", name="王建国").click()
    page.get_by_text(time).click()
    page.get_by_role("button", name="选好了 去选就诊人").click()


def sign_in(page):
    page.get_by_label("手机号").fill(PHONE)
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.get_by_label("6 位验证码")).to_be_visible()
    page.get_by_label("6 位验证码").fill(last_code())
    page.get_by_role("button", name="登录", exact=True).click()


def agree(page):
    """Tick and go on. The page knows how many there are."""
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="同意并继续").click()


def test_a_first_booking_from_the_home_page_through_sign_in_to_the_success_card(open_as, axe, clinic):
    """B14, B22, O4: code, privacy notice, the person by real name, the separate consent, one button."""
    NoticeFactory(kind="privacy")
    NoticeFactory(kind="health")
    page = open_as(None, "/book/", size=HELD)
    to_step_four(page)
    sign_in(page)
    expect(page.get_by_role("button", name="同意并继续")).to_be_visible()
    agree(page)
    expect(page.get_by_role("heading", name="添加就诊人")).to_be_visible()
    page.get_by_label("姓名").fill("周志明")
    page.get_by_label("证件号码").fill("11010519491231002X")
    page.get_by_role("button", name="添加", exact=True).click()
    expect(page.get_by_role("heading", name="单独同意")).to_be_visible()
    agree(page)

    expect(page.get_by_role("heading", name="确认预约")).to_be_visible()
    expect(page.get_by_role("radio", name="周*明")).to_be_checked()
    expect(page.get_by_text("到院后缴费")).to_be_visible()
    good(page, axe)
    page.get_by_role("button", name="确认预约").click()

    expect(page.get_by_role("heading", name="预约成功")).to_be_visible()
    card = page.get_by_role("article")
    for words in ("08:30–09:00", "第 3 号", "周*明", "心血管内科", "王建国", "地铁2号线", "¥50.00"):
        expect(card).to_contain_text(words)
    expect(page.get_by_role("img", name="报到码")).to_be_visible()
    good(page, axe)
    row = Appointment.objects.get()
    assert (row.patient, row.status, row.channel) == (Patient.objects.get(name="周志明"), "booked", "web")

    page.go_back()  # the page from before, drawn anew: it says what stands
    expect(page.get_by_text("同一天同一科室已有预约")).to_be_visible()
    expect(page.get_by_role("button", name="确认预约")).to_have_count(0)
    assert Appointment.objects.count() == 1


def test_change_in_one_step_then_give_it_back(open_as, axe, clinic):
    account = account_with("周志明")
    first, second = clinic
    row = appointment_row(first, people(account)[0], number=3)
    page = open_as(account, "/bookings/", size=HELD)
    good(page, axe)

    page.get_by_role("link", name="改约").click()
    expect(page.get_by_text("现在的号").first).to_be_visible()
    page.get_by_role("navigation", name="选日期").get_by_role("link", name=f"{second.day:%m-%d}").click()
    page.get_by_text("09:30–10:00").click()
    good(page, axe)
    page.get_by_role("button", name="改到选好的时段").click()
    expect(page.get_by_text("已改约，原来的号已放回。")).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("09:30–10:00")
    good(page, axe)
    row.refresh_from_db()
    assert row.schedule == second
    assert first.slots.get(number=3).status == "free"

    page.get_by_role("link", name="退号").click()
    expect(page.get_by_text("放回给别人约")).to_be_visible()
    good(page, axe)
    page.get_by_role("button", name="确定退号").click()
    expect(page.get_by_text("您自己退的号")).to_be_visible()
    good(page, axe)
    row.refresh_from_db()
    assert row.status == "cancelled"
    page.get_by_role("link", name="再约一次").click()
    page.wait_for_url("**/book/doctors/**")


def test_of_two_windows_at_the_last_number_the_second_sees_fresh_slices_and_keeps_its_person(open_as, clinic):
    """B14: 这个时段刚被约满，请换一个时段."""
    first, _second = clinic
    for number in (2, 4):
        appointment_row(first, PatientFactory(), number=number)
    quick, slow = account_with("周志明"), account_with("李秀英", "周小雨")
    pages = [open_as(account, where(first), size=HELD) for account in (quick, slow)]
    pages[1].get_by_text("周*雨").click()

    pages[0].get_by_role("button", name="确认预约").click()
    expect(pages[0].get_by_role("heading", name="预约成功")).to_be_visible()
    pages[1].get_by_role("button", name="确认预约").click()
    expect(pages[1].get_by_text("这个时段刚被约满。")).to_be_visible()
    expect(pages[1].locator(".slot--full", has_text="08:00–08:30")).to_be_visible()
    pages[1].get_by_text("08:30–09:00").click()
    pages[1].get_by_role("button", name="选好了 去选就诊人").click()
    expect(pages[1].get_by_role("radio", name="周*雨")).to_be_checked()
    pages[1].get_by_role("button", name="确认预约").click()
    expect(pages[1].get_by_role("heading", name="预约成功")).to_be_visible()
    assert Appointment.objects.filter(channel="web", start__gte=first.starts_at).count() == 4
    assert all(page.troubles == [] for page in pages)


def press_to(page, found) -> None:
    """Tab until the wanted thing has the focus, as a person without a mouse does."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if found.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError("it can't be reached by Tab")


def test_a_whole_booking_by_keyboard_in_the_elderly_edition(open_as, clinic):
    """V2: from the home page to the card, and the card read out, without a mouse."""
    account = account_with("周志明", "周小雨")
    page = open_as(account, "/bookings/", size=HELD)
    root = page.url.removesuffix("/bookings/")
    page.context.add_cookies([{"name": "edition", "value": "elderly", "url": root}])
    page.goto(root + "/book/")
    for name in ("预约挂号", "心血管内科", "王建国"):
        press_to(page, page.get_by_role("link", name=name).first)
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    press_to(page, page.get_by_role("radio").first)
    page.keyboard.press("Space")
    press_to(page, page.get_by_role("button", name="选好了 去选就诊人"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="确认预约")).to_be_visible()

    press_to(page, page.get_by_role("radio", name="周*明"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="周*雨")).to_be_checked()
    press_to(page, page.get_by_role("button", name="确认预约"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="预约成功")).to_be_visible()
    assert Appointment.objects.get().patient.name == "周小雨"
    press_to(page, page.get_by_role("link", name="看我的预约"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="我的预约")).to_be_visible()
    assert page.troubles == []


def test_a_whole_booking_with_sign_in_without_script(open_as, clinic):
    account = AccountFactory(phone=PHONE)
    PatientFactory(name="周志明", account=account)
    page = open_as(None, "/book/", size=NARROW, script=False)
    to_step_four(page)
    sign_in(page)
    expect(page.get_by_role("radio", name="周*明")).to_be_checked()
    page.get_by_role("button", name="确认预约").dblclick()
    expect(page.get_by_role("heading", name="预约成功")).to_be_visible()
    page.get_by_role("link", name="退号").click()
    page.get_by_role("button", name="确定退号").click()
    expect(page.get_by_text("您自己退的号")).to_be_visible()
    assert Appointment.objects.get().status == "cancelled"


@pytest.mark.parametrize("edition", ["", "elderly", "largest"])
def test_every_booking_page_is_accessible_at_every_width(open_as, axe, clinic, edition):
    """V2: axe 0, nothing scrolls sideways, every target is large enough; also without grid (old WeChat)."""
    first, second = clinic
    account = account_with("周志明", "阿卜杜热合曼·买买提依明江", "周小雨")
    adult, _other, child = people(account)
    row = appointment_row(second, adult, number=3)
    held = appointment_row(first, child, number=9, status="pending")
    held.slot.hold_until = now() + timedelta(minutes=14)
    held.slot.save()
    stopped = half_day(role=doctor(name="孙停"), day=second.day, opened=now() - timedelta(days=1))
    appointment_row(stopped, child, number=1)
    stopped.status, stopped.stop_reason = "stopped", "医生外出会诊"
    stopped.save()
    seen = half_day(role=first.role, day=today() - timedelta(days=9))
    appointment_row(seen, adult, number=1, status="fulfilled")
    full = half_day(role=first.role, day=today() + timedelta(days=5), opened=now() - timedelta(days=1))
    take_all_but(full, 1)

    page = open_as(account, "/bookings/", size=NARROW)
    root = page.url.removesuffix("/bookings/")
    if edition:
        page.context.add_cookies([{"name": "edition", "value": edition, "url": root}])
    slots = where(second, second.starts_at + timedelta(minutes=60))
    for path in (
        slots,
        "/bookings/",
        f"/bookings/{row.pk}/done/",
        f"/bookings/{held.pk}/",
        f"/bookings/{row.pk}/change/",
        f"/bookings/{row.pk}/cancel/",
    ):
        page.goto(root + path)
        for size in (NARROW, HELD, DESK):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert sideways(page) == 0, (path, size)
            if size == HELD:
                good(page, axe)
        page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        small = page.evaluate(SMALL_TARGETS, TAP[edition])
        assert small == [], (path, small)
        for size in (HELD, SHORT):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            assert covered(page) == [], (path, size)
        page.evaluate(OLD_BROWSER)
        assert sideways(page) == 0, path
    assert page.troubles == []
