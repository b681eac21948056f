"""R4, R5: the referral office by keys, and the green channel between two institutions in two windows."""

import re

from playwright.sync_api import expect

from referrals.models import GreenCall, Referral
from referrals.services import writing
from tests.browser.conftest import sideways
from tests.consult.rooms import now
from tests.factories import ReferralFactory, StaffFactory


def test_the_office_is_rung_takes_it_and_the_sender_sees_where_to_go(open_as, axe):
    office = StaffFactory(roles="referral", full_name="汪转诊")
    routine = ReferralFactory(due_at=now(), sent_at=now(), created_at=now())
    green = ReferralFactory(status="draft", urgency="green", by=routine.by, created_at=now())

    desk = open_as(office, "/referral-office/")
    expect(desk.get_by_text(routine.number)).to_be_visible()
    axe(desk)
    assert sideways(desk) == 0
    writing.send(referral=green, by=green.by, now=now())
    expect(desk.get_by_role("alert")).to_contain_text("绿色通道呼叫，等您确认")
    expect(desk).to_have_title(re.compile("（1）绿色通道呼叫"))
    axe(desk)
    desk.keyboard.press("s")
    expect(desk.get_by_text("已确认收到，转出机构会马上看到")).to_be_visible()
    expect(desk).to_have_title(re.compile(green.number))
    desk.get_by_role("radio", name="床位").check()
    desk.get_by_role("radio", name="无法预留").check()
    desk.get_by_label("已通知谁").fill("胸痛中心 李医生")
    desk.get_by_role("button", name="保存并告诉对方").click()
    expect(desk.get_by_text("请写清楚患者该送到哪里")).to_be_visible()
    expect(desk.get_by_label("已通知谁")).to_have_value("胸痛中心 李医生")
    axe(desk)
    desk.get_by_role("radio", name="已预留").check()
    desk.get_by_label("送到哪里").fill("抢救室 2 床")
    desk.get_by_role("button", name="保存并告诉对方").click()
    expect(desk.get_by_text("预留情况已更新")).to_be_visible()
    assert GreenCall.objects.get().state == "reserved"

    home = open_as(green.by, f"/referrals/{green.pk}/", size=(390, 844))
    expect(home.get_by_text("抢救室 2 床").first).to_be_visible()
    axe(home)
    assert sideways(home) == 0

    desk.keyboard.press("l")
    desk.get_by_role("link", name=re.compile(r"\*")).first.click()
    expect(desk.locator("#referrals")).to_have_count(0)  # another page, not in the list's place
    desk.goto(desk.url.partition("/referral")[0] + f"/referrals/{routine.pk}/")
    desk.keyboard.press("t")
    desk.get_by_label("退回原因").fill(" ")
    desk.get_by_role("button", name="确认退回").click()
    expect(desk.get_by_text("请填写“退回原因”")).to_be_visible()
    axe(desk)
    desk.get_by_label("退回原因").fill("请先到眼科")
    desk.get_by_role("button", name="确认退回").click()
    expect(desk.get_by_text("已退回，对方会收到原因")).to_be_visible()
    assert Referral.objects.get(pk=routine.pk).status == "rejected"
    assert [*desk.troubles, *home.troubles] == [each for each in [*desk.troubles, *home.troubles] if "422" in each]
