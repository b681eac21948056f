"""The office's week in a real browser (P1, P8, V2): arrows, drawer, definitions, and what it looks like."""

import pytest
import time_machine
from playwright.sync_api import expect

from tests.browser.conftest import sideways
from tests.browser.desk_scenes import Week
from tests.browser.looking import shot
from tests.factories import NOW


@pytest.fixture
def week():
    """A Monday at ten, as in the picture. The clock runs on: the server's threads and the browser need it to."""
    with time_machine.travel(NOW, tick=True):
        yield Week()


@pytest.fixture
def page(week, open_as):
    page = open_as(week.user, "/office/")
    yield page
    assert page.troubles == []


def test_the_week_looks_like_the_picture(week, open_as, axe):
    week.visits()
    page = open_as(week.user, f"/office/?schedule={week.coming.pk}")
    expect(page.locator(".week .cell--off")).to_have_count(1)
    expect(page.locator("#drawer")).to_contain_text("自动执行")
    axe(page)
    assert sideways(page) == 0
    shot(page, "office-week")
    assert page.troubles == []


def test_a_cell_opens_its_drawer_beside_the_grid(week, page, axe):
    cell = page.locator(f"#cell-{week.coming.pk}")
    cell.click()

    expect(page.locator("#drawer meter").first).to_be_visible()
    expect(page.locator(f"#cell-{week.coming.pk}.chosen")).to_be_visible()
    axe(page)

    page.locator(f"#cell-{week.stopped.pk}").click()
    expect(page.locator("#drawer")).to_contain_text("外出会诊")
    expect(page.locator(".cell.chosen")).to_have_count(1)


def test_arrows_and_enter_are_enough(week, page):
    page.keyboard.press("ArrowDown")
    first = page.evaluate("document.activeElement.id")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") != first

    page.keyboard.press("Enter")

    expect(page.locator("#drawer .pools, #drawer .poolfills")).to_be_visible()
    assert page.evaluate("document.activeElement.id").startswith("cell-")


def test_a_definition_is_beside_its_figure(page, axe):
    page.get_by_text("口径").nth(3).click()

    expect(page.get_by_text("本周记为爽约且未免记的预约")).to_be_visible()
    axe(page)
    shot(page, "office-definition")


def test_the_next_week_is_one_key_away(page):
    before = page.get_by_role("heading", level=1).inner_text()
    page.keyboard.press("]")

    expect(page.get_by_role("heading", level=1)).not_to_have_text(before)
    expect(page.get_by_text("这一周没有出诊")).to_be_visible()
    shot(page, "office-empty")


def test_the_patients_of_a_session(week, open_as, axe):
    week.visits()
    page = open_as(week.user, f"/office/schedules/{week.schedules[0].pk}/patients/")

    expect(page.get_by_role("row")).to_have_count(6)
    axe(page)
    shot(page, "office-patients")


def test_the_office_fits_a_narrow_window_without_scrolling_the_page_sideways(week, open_as, axe):
    page = open_as(week.user, f"/office/?schedule={week.coming.pk}", size=(820, 1180))

    assert sideways(page) == 0
    axe(page)
    shot(page, "office-narrow")


def test_the_office_works_without_script(week, open_as):
    page = open_as(week.user, "/office/", script=False)
    page.locator(f"#cell-{week.coming.pk}").click()

    expect(page.locator("#drawer")).to_contain_text("看就诊名单")
