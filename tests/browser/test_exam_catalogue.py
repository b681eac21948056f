"""E3, E4 in a real browser: the office changes an ordering rule; a circle is shown; a colleague approves."""

import pytest
import time_machine
from playwright.sync_api import expect

from exams.models import OrderingRule
from exams.services import starter
from tests.browser.conftest import sideways
from tests.factories import NOW, OrganizationFactory, StaffFactory, UserFactory


@pytest.fixture
def house(transactional_db):
    with time_machine.travel(NOW, tick=True):
        organization = OrganizationFactory()
        starter.give(organization=organization, by=UserFactory(), now=NOW)
        yield organization


def test_a_rule_is_turned_into_a_circle_then_put_right_and_approved(house, open_as, axe):
    rule = OrderingRule.objects.get(name="腹部超声先于胃镜、肠镜")
    page = open_as(StaffFactory(roles="office"), "/office/exams/items/")
    page.get_by_role("searchbox").fill("fbcs")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("rowheader")).to_have_count(1)
    axe(page)
    page.get_by_role("link", name="检查顺序").click()
    axe(page)
    page.get_by_role("link", name=rule.name).click()
    axe(page)
    page.get_by_role("link", name="修改", exact=True).click()
    page.get_by_label("甲", exact=True).select_option("憋尿检查")
    page.get_by_label("乙", exact=True).select_option("空腹检查")
    page.get_by_label("修改说明").fill("试试反过来")
    page.get_by_role("button", name="保存，等待批准").last.click()
    expect(page.get_by_text("检查先后成了一圈")).to_be_visible()
    expect(page.get_by_label("修改说明")).to_have_value("试试反过来")
    axe(page)
    page.troubles.clear()  # the browser's own word on the 422

    page.get_by_label("甲", exact=True).select_option("腹部超声")
    page.get_by_label("乙", exact=True).select_option("胃肠镜")
    page.get_by_label("先乙后甲的间隔").fill("2")
    page.get_by_label("单位").last.select_option("天")
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_text("这条规则会这样")).to_be_visible()
    page.get_by_role("button", name="保存，等待批准").last.click()
    expect(page.get_by_text("自己写的内容要由另一位同事批准")).to_be_visible()
    axe(page)

    page = open_as(StaffFactory(roles="office"), "/office/exams/waiting/")
    page.get_by_role("link", name=rule.name).click()
    expect(page.locator(".diffs").first).to_contain_text("至少间隔 2 天")
    page.get_by_role("button", name="核对无误，批准").click()
    expect(page.get_by_text("已批准")).to_be_visible()
    axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(page) == 0
    assert page.troubles == []
    rule.refresh_from_db()
    assert not rule.in_force
    assert OrderingRule.objects.get(replaces=rule).reverse_minutes == 2 * 24 * 60
