"""A device goes down with three booked: the preview, the links of the SMS, all answered on the board (E1, E10)."""

import re
from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from hospital.models import Message, RoleAssignment
from tests.browser.conftest import sideways
from tests.browser.looking import shot
from tests.exams.devices.test_downtime import TOMORROW, House, deliver
from tests.factories import NOW, UserFactory

PHONE = (390, 844)


@pytest.fixture(autouse=True)
def _monday():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def house(transactional_db):
    return House(booked=3)


def link_of(booking):
    link = Message.objects.get(template="exam.device_asked", channel="sms", about=f"exam:{booking.pk}").link
    return re.sub(r"^https?://[^/]+", "", link)


def test_a_device_goes_down_and_everybody_answers(house, open_as, axe, settings):
    settings.PUBLIC_URL = "https://yuyue.example.cn"
    office = UserFactory(full_name="郝媛")
    RoleAssignment.objects.create(user=office, role="office", organization=house.device.organization)
    desk = open_as(office, "/office/exams/")
    cell = desk.locator(f"#cell-{house.device.pk}-{TOMORROW:%Y%m%d}")
    expect(cell).to_contain_text("60/240")
    cell.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#drawer")).to_contain_text("3 项检查")
    axe(desk)
    shot(desk, "office-exam-devices")
    desk.keyboard.press("d")
    desk.get_by_label("原因", exact=True).select_option("fault")
    desk.get_by_role("button", name="看看影响哪些患者").click()
    expect(desk.get_by_role("status")).to_contain_text("有 3 位患者受影响")
    axe(desk)
    desk.get_by_role("button", name="确认停机").click()
    expect(desk.locator("#board")).to_contain_text("患者已答复 0/3")
    deliver(NOW + timedelta(minutes=1))

    accepting, moving, leaving = (open_as(None, link_of(row), size=PHONE) for row in house.rows)
    expect(accepting.get_by_role("button", name="接受这个时间")).to_be_visible()
    axe(accepting)
    assert sideways(accepting) == 0
    shot(accepting, "phone-exam-question")
    accepting.get_by_role("button", name="接受这个时间").click()
    expect(accepting.get_by_role("status")).to_contain_text("已改到新的时间")
    moving.locator(".slot__box").last.click()
    moving.get_by_role("button", name="改到选好的时间").click()
    expect(moving.get_by_role("status")).to_contain_text("已改到新的时间")
    leaving.get_by_role("link", name="取消检查").click()
    leaving.get_by_role("button", name="确定取消").click()
    expect(leaving.get_by_role("status")).to_contain_text("已取消这次检查")

    expect(desk.locator("#board")).to_contain_text("患者都已办好", timeout=15_000)
    expect(desk.locator("#board")).to_contain_text("3/3")
    axe(desk)
    shot(desk, "office-exam-downtime")
