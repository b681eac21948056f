"""P1, P3-P7, B7 in a real browser: a rule with errors and then right, and why somebody cannot book."""

import pytest
import time_machine
from playwright.sync_api import expect

from appointments.models import SupplyRule
from appointments.services.defaults import ensure_defaults
from tests.browser.conftest import sideways
from tests.factories import NOW, OrganizationFactory, PatientFactory, StaffFactory, open_schedule


@pytest.fixture
def office(transactional_db):
    with time_machine.travel(NOW, tick=True):
        ensure_defaults(OrganizationFactory())
        yield StaffFactory(roles="office")


def test_a_rule_is_written_with_errors_then_right_and_the_why_page_names_it(office, open_as, axe):
    schedule = open_schedule(numbers=3, pool="consult")
    PatientFactory(name="周志明", pinyin="zhouzhiming", initials="zzm")
    page = open_as(office, "/office/rules/")
    axe(page)
    page.get_by_role("link", name="修改 全院").click()
    percents = page.locator("input[name$='-percent']")
    expect(percents).to_have_count(6)
    percents.nth(1).fill("46")
    page.locator("input[name='share-2-shared_days']").fill("99")
    page.get_by_role("button", name="保存规则").click()

    expect(page.get_by_text("超出 10%")).to_be_visible()
    expect(page.get_by_text("谁也约不上")).to_be_visible()
    expect(page.get_by_role("textbox", name="原因")).to_be_visible()
    expect(percents.nth(1)).to_have_value("46")
    axe(page)
    assert SupplyRule.objects.count() == 1
    page.troubles.clear()  # the browser's own word on the 422

    percents.nth(1).fill("26")
    percents.nth(3).fill("24")
    page.locator("input[name='share-2-shared_days']").fill("2")
    page.get_by_role("textbox", name="原因").fill("下级机构用得少")
    page.get_by_role("button", name="保存规则").click()
    expect(page.get_by_text("规则已保存")).to_be_visible()
    expect(page.locator(".traces")).to_contain_text("下级机构用得少")
    axe(page)

    page.goto(page.url.split("/office/")[0] + f"/office/why/?schedule={schedule.pk}&channel=web")
    page.locator("#id_q").fill("zzm")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name="周*明").click()
    expect(page.get_by_role("status")).to_contain_text("还没有对当前渠道开放")
    expect(page.locator(".whystep--no")).to_contain_text("号池开放")
    page.get_by_label("渠道").select_option("consult")
    page.get_by_role("button", name="查原因").click()
    expect(page.get_by_role("status")).to_contain_text("现在能约：1号")
    axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(page) == 0
    assert page.troubles == []
