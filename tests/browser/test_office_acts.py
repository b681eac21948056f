"""A bulk change of pools in a real browser (P1, P8): selected, previewed, confirmed and taken back without a mouse;
the same by mouse; and by a plain form where no script runs."""

import pytest
import time_machine
from playwright.sync_api import expect

from appointments.models import Slot
from tests.browser.conftest import sideways
from tests.browser.desk_scenes import Week
from tests.browser.looking import shot
from tests.factories import NOW


@pytest.fixture
def week():
    with time_machine.travel(NOW, tick=True):
        yield Week()


def in_pool(schedule, kind: str) -> int:
    return Slot.objects.filter(schedule=schedule, pool__kind=kind).count()


def test_pools_change_by_keyboard_alone_and_come_back(week, open_as, axe):
    page, before = open_as(week.user, "/office/"), in_pool(week.coming, "public")
    bar = page.locator(".bulk")
    expect(bar).to_be_hidden()

    page.locator(f"#cell-{week.coming.pk}").focus()
    page.keyboard.press("Space")
    expect(bar).to_contain_text("已选 1 个出诊单元，号源 16")
    page.keyboard.press("Shift+ArrowLeft")
    expect(bar).to_contain_text("已选 2 个出诊单元")
    axe(page)
    shot(page, "office-selected")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()

    page.locator(f"#cell-{week.coming.pk}").focus()
    page.keyboard.press("Space")
    page.keyboard.press("1")
    expect(page.get_by_role("heading", level=1)).to_have_text("调整号池")
    page.get_by_label("每个出诊单元移几个").fill("2")
    axe(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").first).to_contain_text("有几处要改")
    page.get_by_label("原因").fill("专家外出，诊间号调给公共")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("会这样改")).to_be_visible()
    axe(page)
    shot(page, "office-preview")
    assert in_pool(week.coming, "public") == before
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("已执行：1 个出诊单元")).to_be_visible()
    assert in_pool(week.coming, "public") == before + 2
    axe(page)

    page.keyboard.press("u")
    expect(page.get_by_text("已撤销，全部还原")).to_be_visible()
    assert in_pool(week.coming, "public") == before
    page.get_by_role("link", name="批量操作记录").click()
    expect(page.get_by_role("row")).to_have_count(2)
    axe(page)
    shot(page, "office-acts")
    assert sideways(page) == 0
    assert [one for one in page.troubles if "422" not in one] == []


def test_cells_are_selected_by_mouse_one_by_one_and_as_a_range(week, open_as):
    page = open_as(week.user, "/office/")
    bar, cells = page.locator(".bulk"), page.locator(".week .cell")
    cells.nth(0).click(modifiers=["Control"])
    expect(bar).to_contain_text("已选 1 个出诊单元")
    cells.nth(0).click(modifiers=["Control"])
    expect(bar).to_be_hidden()

    page.get_by_role("button", name="多选").click()
    cells.nth(0).click()
    cells.nth(5).click(modifiers=["Shift"])
    expect(page.locator(".tick:checked + .cell")).not_to_have_count(1)
    expect(page.locator("#drawer")).to_contain_text("点一个半天")
    page.get_by_role("button", name="清除选择").click()
    expect(bar).to_be_hidden()

    page.get_by_role("button", name="多选").click()
    cells.nth(1).click(modifiers=["Control"])
    cells.nth(0).click()
    expect(page.locator("#drawer")).to_contain_text("自动执行")
    expect(bar).to_contain_text("已选 1 个出诊单元")  # the drawer changes cells, not the selection
    assert page.troubles == []


def test_without_script_the_ticks_are_a_form(week, open_as):
    page = open_as(week.user, "/office/", script=False)
    page.get_by_role("link", name="显示勾选框").click()
    page.locator(f"input.tick[value='{week.coming.pk}']").check()
    page.locator(".bulk").get_by_role("button", name="加号").click()
    page.get_by_label("原因").fill("节后复诊多")
    page.get_by_role("button", name="看预览").click()
    page.get_by_role("button", name="确认执行").click()

    expect(page.get_by_text("已执行：1 个出诊单元")).to_be_visible()
    assert Slot.objects.filter(schedule=week.coming, pool__kind="extra").count() == 1
