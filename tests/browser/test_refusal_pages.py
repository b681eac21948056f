"""What went wrong and the next step, as pages (V2)."""

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import expect

from tests.browser.conftest import sideways
from tests.consult.rooms import doctor_with_a_room
from tests.factories import StaffFactory


@pytest.mark.parametrize("width", [320, 1440])
def test_a_page_that_is_not_there_says_so_and_where_to_go(open_as, axe, width):
    page = open_as(None, "/nowhere/", size=(width, 800))

    expect(page.locator("h1")).to_have_text("没有找到这个页面。")
    expect(page.get_by_role("link", name="回到首页")).to_be_visible()
    axe(page)
    assert sideways(page) == 0


def test_a_role_that_does_not_include_the_consult_room_hears_so(open_as, axe):
    page = open_as(StaffFactory(roles="office"), "/consult/")

    expect(page.locator("main")).to_contain_text("您的岗位没有这项权限。")
    axe(page)


def test_a_doctor_without_a_clinic_today_hears_so(open_as, axe):
    room = doctor_with_a_room(waiting=0)
    room.schedule.participants.update(active=False)
    page = open_as(room.user, "/consult/")

    expect(page.locator("#bits")).to_contain_text("今天没有出诊")
    axe(page)


@pytest.mark.parametrize("name", ["403", "404", "429", "500", "503"])
def test_an_error_page_needs_neither_request_nor_database(name):
    text = render_to_string(f"errors/{name}.html")

    assert "下一步：" in text
