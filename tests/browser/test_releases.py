"""放号日历 in a real browser (P6): a day is held back, seen before, confirmed and taken back."""

from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from appointments.models import Allotment
from tests.browser.conftest import sideways
from tests.browser.looking import shot
from tests.factories import NOW, TODAY, StaffFactory, add_numbers, open_schedule

SEVEN = NOW.replace(hour=23, minute=0)  # 07:00 of tomorrow at the hospital


@pytest.fixture
def release():
    """Tomorrow's release. The clock runs on: the server's threads and the browser need it to."""
    with time_machine.travel(NOW, tick=True):
        schedule = open_schedule(numbers=12, opened=SEVEN)
        add_numbers(schedule, count=6, pool="partner", opened=NOW - timedelta(days=2), shared=SEVEN, minutes=5)
        yield schedule.allotments.get(pool__kind="public")


def test_a_day_is_held_back_and_taken_back(release, open_as, axe):
    page = open_as(StaffFactory(roles="office"), "/office/releases/")
    tomorrow = TODAY + timedelta(days=1)
    axe(page)
    assert sideways(page) == 0
    page.locator(f"a[href*='day={tomorrow}']").click()
    expect(page.locator("#day")).to_contain_text(release.schedule.department.name)

    page.get_by_text("暂缓这一天的放号").click()
    axe(page)
    shot(page, "office-releases")
    page.get_by_role("button", name="看影响").click()
    expect(page.locator(".errorlist")).to_contain_text("请写明原因")
    page.get_by_label("时刻").fill("09:30")
    page.get_by_label("原因").fill("系统升级")
    page.get_by_role("button", name="看影响").click()

    expect(page.get_by_role("heading", name="暂缓放号")).to_be_visible()
    expect(page.locator("table")).to_contain_text("公共放号 11-24 07:00 → 11-25 09:30")
    expect(page.locator("table")).to_contain_text("下级机构余号归公共 11-24 07:00 → 11-25 09:30")
    page.get_by_role("button", name="确认执行").click()
    page.get_by_role("button", name="撤销").click()

    expect(page.locator(".tag", has_text="已撤销")).to_be_visible()
    assert Allotment.objects.get(pk=release.pk).opens_at == SEVEN
    assert [said for said in page.troubles if "422" not in said] == []  # the form that said what is missing
