"""The first three steps of booking in a real browser: keyboard, no script, editions, a race (V2, B3, B7)."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments.models import Slot
from hospital.models import CareTeam
from tests.browser.conftest import sideways
from tests.browser.looking import covered
from tests.consult.rooms import now, today
from tests.factories import CampusFactory, DepartmentFactory, OrganizationFactory, add_numbers
from tests.patient.scenes import doctor, half_day, take, take_all_but, team_with_leader

LONG = "阿卜杜热合曼·买买提依明江"
GOOD = "复杂先天性心脏病介入治疗、慢性阻塞性肺疾病合并肺源性心脏病、难治性高血压以及多学科联合诊疗"
PHONE, NARROW, WIDE = (390, 844), (320, 640), 1440
SHORT = {"width": 320, "height": 568}
WHOLE = 3600  # px of height, for axe: it takes what is half under the bar for a small target. What the bar covers when
# the keyboard comes to it is looked at on a phone's own height (looking.covered)
AXE_AT = {("", WIDE), ("", PHONE[0]), ("elderly", PHONE[0])}
"""Narrower only overflow can differ; the largest edition differs from the elderly one in the root size alone."""

TAP = {"": 44, "elderly": 60, "largest": 60}  # px, 适老化 and WCAG 2.5.8

TARGETS = "main a, main button, main summary, .slot__box, .topbar a, .tabbar a, .foot button, .foot a"
SMALL_TARGETS = """([tap, targets]) => [...document.querySelectorAll(targets)]
  .filter(each => each.checkVisibility() && each.getBoundingClientRect().height > 0)
  .filter(each => each.getBoundingClientRect().height < tap - 0.5)
  .map(each => each.outerHTML.slice(0, 120) + ' ' + each.getBoundingClientRect().height)"""

OLD_BROWSER = """() => { for (const sheet of document.styleSheets)
  for (let n = sheet.cssRules.length - 1; n >= 0; n--)
    if (sheet.cssRules[n] instanceof CSSSupportsRule) sheet.deleteRule(n); }"""


@pytest.fixture
def house():
    """A department with everything that a list can hold; the doctor to look for sits tomorrow."""
    opened = now() - timedelta(days=1)
    place = DepartmentFactory(name="心血管内科", group="内科系统", location="门诊楼 3 层")
    for group in ("外科系统", "妇儿系统", "五官系统", "中医系统"):
        DepartmentFactory.create_batch(3, group=group)
    branch = OrganizationFactory(code="B1", name="柳堤社区卫生服务中心", parent=OrganizationFactory())
    CampusFactory(organization=branch, code="L", name="柳堤门诊部", address="柳堤街 9 号")
    wang = doctor(place, pinyin="wangjianguo", initials="wjg", specialty_text="冠心病、心力衰竭")
    tomorrow = {"day": today() + timedelta(days=1), "opened": opened}
    schedule = half_day(role=wang, numbers=24, minutes=10, **tomorrow)
    take(schedule, 1, 2, 3)
    half_day(role=wang, half="pm", numbers=3, minutes=10, **tomorrow)
    half_day(
        role=doctor(place, name=LONG, title="副主任医师", level="associate", fee=30, specialty_text=GOOD), **tomorrow
    )
    take_all_but(half_day(role=doctor(place, name="赵满"), **tomorrow), 0)
    half_day(role=doctor(place, name="孙停"), status="stopped", **tomorrow)
    team, led = team_with_leader(place)
    CareTeam.objects.update(introduction=GOOD)
    half_day(role=led, **tomorrow)
    half_day(role=None, team=team, department=place, service=team.service, **tomorrow)
    half_day(role=None, department=place, service=doctor(place, level="general", fee=15).service, **tomorrow)
    half_day(role=wang, day=today() + timedelta(days=7), opened=now() + timedelta(days=1))
    return {"place": place, "wang": wang, "schedule": schedule, "led": led, "team": team}


def test_a_doctor_is_found_by_pinyin_and_a_slice_chosen_by_keyboard_alone(open_as, house):
    """V2: search, doctor, slice, on to who: not one click."""
    page = open_as(None, "/book/", size=PHONE)
    page.get_by_role("searchbox").focus()
    page.keyboard.type("wjg")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/departments/**")

    row = page.get_by_role("link", name="王建国")
    expect(row).to_contain_text("有号")
    for _ in range(20):
        page.keyboard.press("Tab")
        if row.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/doctors/**")

    expect(page.locator("#chosen")).to_contain_text("请选择时段")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "slot":
            break
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", checked=True)).to_have_accessible_name("09:00–09:30 已选 余3")
    expect(page.locator("#chosen")).to_contain_text("09:00–09:30")
    assert "slot=" in page.url  # a reload keeps it
    page.keyboard.press("Enter")

    page.wait_for_url("**/sign-in/**")
    assert "book%2Fwho" in page.url or "book/who" in page.url
    assert page.troubles == []


def test_the_three_steps_work_without_script(open_as, house):
    page = open_as(None, "/book/", size=PHONE, script=False)
    page.get_by_role("link", name="预约挂号").click()
    page.get_by_role("link", name="心血管内科 本部院区").click()
    page.locator("summary", has_text="全部级别").click()
    page.get_by_role("link", name="主任医师", exact=True).click()
    expect(page.get_by_role("link", name="孙停")).to_be_visible()
    page.get_by_role("link", name="只看有号").click()
    expect(page.get_by_role("link", name="孙停")).to_have_count(0)
    page.get_by_role("link", name="王建国").click()
    page.get_by_role("button", name="长辈版").click()
    expect(page.locator("html")).to_have_attribute("data-edition", "elderly")
    assert "/book/doctors/" in page.url

    page.get_by_text("08:30–09:00").click()
    page.get_by_role("button", name="选好了 去选就诊人").click()

    page.wait_for_url("**/sign-in/**")
    assert f"{house['schedule'].pk}" in page.url


def test_a_refresh_keeps_the_choice_and_the_focus_and_says_when_it_is_gone(open_as, axe, house):
    """B3, V2: counts stay fresh under the finger; nothing is announced while nothing changed for the reader."""
    page = open_as(None, f"/book/doctors/{house['wang'].pk}/", size=PHONE)
    nine = page.get_by_role("radio", name="09:00–09:30")
    nine.check(force=True)
    nine.focus()
    take(house["schedule"], 7)  # somebody else, in the same slice

    page.evaluate("htmx.trigger('#slices', 'fresh')")

    expect(page.locator(".slot", has_text="09:00–09:30")).to_contain_text("余2")
    expect(nine).to_be_checked()
    expect(nine).to_be_focused()
    expect(page.locator("#said")).to_be_empty()

    take(house["schedule"], 8, 9)
    page.evaluate("htmx.trigger('#slices', 'fresh')")

    expect(page.get_by_role("status").filter(has_text="这个时段刚被约满。")).to_be_visible()
    expect(page.locator("#chosen")).to_contain_text("请选择时段")
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    axe(page)
    Slot.objects.filter(schedule=house["schedule"]).update(status="booked")
    page.evaluate("htmx.trigger('#slices', 'fresh')")
    expect(page.get_by_text("余0")).to_have_count(0)
    assert page.troubles == []


@pytest.mark.parametrize("edition", ["", "elderly", "largest"])
def test_every_page_is_accessible_at_every_width(open_as, axe, house, edition):
    """V2: axe 0; nothing scrolls sideways; every target is large enough to hit."""
    add_numbers(house["schedule"], count=1, pool="consult")
    place, wang = house["place"].pk, house["wang"].pk
    paths = [
        "/book/",
        "/book/departments/",
        "/book/departments/?q=xinxue",
        "/book/departments/?q=zzz",
        f"/book/departments/{place}/",
        f"/book/doctors/{wang}/",
        f"/book/doctors/{wang}/?lost=1&day={today() + timedelta(days=7)}",
        f"/book/doctors/{house['led'].pk}/",
        f"/book/teams/{house['team'].pk}/",
    ]
    page = open_as(None, "/book/", size=NARROW)
    root = page.url.removesuffix("/book/")
    if edition:
        page.context.add_cookies([{"name": "edition", "value": edition, "url": root}])
    for path in paths:
        page.goto(root + path)
        for width in (WIDE, PHONE[0], NARROW[0]):
            page.set_viewport_size({"width": width, "height": WHOLE})
            assert sideways(page) == 0, (path, width)
            if (edition, width) in AXE_AT:
                axe(page)
        small = page.evaluate(SMALL_TARGETS, [TAP[edition], TARGETS])
        assert small == [], (path, small)
        for size in ({"width": PHONE[0], "height": PHONE[1]}, SHORT):
            page.set_viewport_size(size)
            assert covered(page) == [], (path, size)
    bar = page.locator(".actionbar").evaluate("each => getComputedStyle(each).position")
    assert bar == ("static" if edition == "largest" else "fixed")  # on a short phone the largest letters scroll with it
    assert page.troubles == []


def test_a_browser_without_grid_shows_and_books_the_same(open_as, house):
    """An old WeChat web view (Chrome 53) knows neither grid nor gap: the plain flex below it holds."""
    for path in (
        "/book/",
        "/book/departments/",
        f"/book/departments/{house['place'].pk}/",
        f"/book/doctors/{house['wang'].pk}/",
    ):
        page = open_as(None, path, size=NARROW)
        page.evaluate(OLD_BROWSER)
        assert sideways(page) == 0, path
    page.get_by_text("08:30–09:00").click()
    page.get_by_role("button", name="选好了 去选就诊人").click()
    page.wait_for_url("**/sign-in/**")
