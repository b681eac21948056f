"""倒号线索 and 操作留痕 in a real browser (P11, V2): looked into without leaving the page, axe, a narrow window."""

from datetime import timedelta

from playwright.sync_api import expect

from hospital import audit, outbox
from tests.consult.rooms import now, today
from tests.factories import PatientFactory, StaffFactory, appointment_row, open_schedule

from .conftest import sideways


def test_a_clue_is_looked_into_and_stands_in_the_trail(open_as, axe):
    clerk = StaffFactory(roles="counter", full_name="窗口小李")
    user = StaffFactory(roles="office", full_name="郝媛")
    schedule = open_schedule(day=today() + timedelta(days=3))
    before = appointment_row(
        schedule, PatientFactory(name="周志明"), status="cancelled", cancelled_at=now() - timedelta(hours=1)
    )
    key = f"appointment:{before.pk}"
    outbox.publish(topic="appointment.cancelled", key=key, actor=clerk, now=before.cancelled_at)
    at = before.cancelled_at + timedelta(minutes=4)
    appointment_row(schedule, PatientFactory(name="李秀英"), by=clerk, created_at=at, confirmed_at=at)
    detail = {"before": {"limit_day": 2}, "after": {"limit_day": 3}, "why": "试行一个月"}
    audit.record(action="rule.replaced", actor=user, now=now(), subject="schedule:1", detail=detail)

    page = open_as(user, "/office/resale/")
    row = page.get_by_role("row", name="周*明")
    expect(row).to_contain_text("同一经办人")
    axe(page)
    row.get_by_role("button", name="记下").click()
    expect(page.get_by_role("alert")).to_contain_text("请写一句核实结果")
    page.get_by_label("核实结果").fill("已电话核实，同一家人")
    page.get_by_role("button", name="记下").click()
    expect(page.get_by_text("已记下核实结果。")).to_be_visible()
    expect(page.get_by_role("row", name="周*明")).to_contain_text("已核实")

    page.get_by_role("link", name="操作留痕").click()
    expect(page.get_by_role("row", name="核实倒号线索")).to_contain_text("已电话核实，同一家人")
    expect(page.get_by_role("row", name="更换规则")).to_contain_text("一天最多")
    axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(page) == 0
    assert [said for said in page.troubles if "422" not in said] == []
