"""The consult room as it looks in a real browser (V2, V5): widths, long names, English, paper, and no axe violation."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sideways
from tests.browser.consulting import hold, settled
from tests.browser.looking import shot
from tests.browser.scenes import a_busy_cardiologist
from tests.consult.rooms import bring_in, doctor_with_a_room, with_a_strip


def test_the_page_has_no_axe_violation_and_never_scrolls_sideways(open_as, axe):
    """V2"""
    room = a_busy_cardiologist()
    page = open_as(room.user, "/consult/")
    axe(page)
    shot(page, "consult-queue")

    page.keyboard.press("KeyN")
    expect(page.locator(".time--likely")).to_be_focused()
    settled(page)
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_focused()
    settled(page)
    axe(page)
    for width in (1440, 1366, 1280, 1100, 768):
        page.set_viewport_size({"width": width, "height": 900})
        assert sideways(page) == 0, width
        if width == 1100:
            shot(page, "consult-narrow")
    page.set_viewport_size({"width": 1440, "height": 900})
    shot(page, "consult")

    page.keyboard.press("Enter")
    expect(page.locator("#basket .notice--ok")).to_be_visible()
    settled(page)
    axe(page)
    shot(page, "consult-confirmed")


@pytest.mark.parametrize("kind", ["2", "3", "4"])
def test_other_kinds_have_no_axe_violation(open_as, axe, kind):
    room = a_busy_cardiologist()
    bring_in(room)
    page = open_as(room.user, "/consult/")

    page.keyboard.press(f"Digit{kind}")
    settled(page)
    expect(page.locator(f'a.kind.chosen[data-key="Digit{kind}"]')).to_be_visible()
    axe(page)
    assert sideways(page) == 0
    shot(page, f"consult-{ {'2': 'departments', '3': 'teams', '4': 'booked'}[kind] }")


def test_long_names_and_a_full_schedule_stay_in_their_places(open_as, axe):
    room = doctor_with_a_room(waiting=2, name="欧阳阿依古丽·买买提艾力")
    room.first.name = "古丽巴哈尔·阿卜杜热合曼·伊敏江·努尔麦麦提"
    room.first.save()
    for schedule in with_a_strip(room):
        schedule.slots.update(status="booked")
    bring_in(room)
    page = open_as(room.user, "/consult/")

    expect(page.locator("#times")).to_contain_text("这几个出诊单元都没有号了")
    axe(page)
    assert sideways(page) == 0
    shot(page, "consult-full")


def test_in_english_nothing_runs_out_of_its_panel(open_as, axe):
    """V5"""
    room = a_busy_cardiologist()
    bring_in(room)
    page = open_as(room.user, "/consult/")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    hold(page)

    confirm, basket = page.locator("#confirm").bounding_box(), page.locator("#basket").bounding_box()
    assert confirm["x"] + confirm["width"] <= basket["x"] + basket["width"]
    assert sideways(page) == 0
    axe(page)
    shot(page, "consult-english")


@pytest.mark.own_window
def test_the_slip_prints(open_as, axe):
    room = doctor_with_a_room(waiting=3)
    with_a_strip(room)
    bring_in(room)
    page = open_as(room.user, "/consult/")
    hold(page)
    page.keyboard.press("Enter")
    expect(page.locator("#basket .notice--ok")).to_be_visible()
    href = page.locator('[data-key="KeyP"]').get_attribute("href")

    page.goto(page.url.split("/consult/")[0] + href)
    axe(page)
    expect(page.locator(".slip")).to_contain_text("李*英")
    shot(page, "slip")
    page.emulate_media(media="print")
    expect(page.locator(".slip__acts")).to_be_hidden()
