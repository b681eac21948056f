"""R1, P4: the letter in a browser, with a recall that comes while it is written, and somebody who is quicker."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments.models import Allotment, Appointment, Pool
from appointments.services import supply
from referrals.models import Referral
from referrals.services import writing
from tests.bookings.scenes import account_with, where
from tests.browser.conftest import sideways
from tests.browser.desk_scenes import doctor, now, today
from tests.factories import (
    CampusFactory,
    CommunityFactory,
    DepartmentFactory,
    PatientFactory,
    StaffFactory,
    add_numbers,
    open_schedule,
)


class Alliance:
    """A community centre, four of the hospital's numbers that are kept for it, and a letter that was begun."""

    def __init__(self):
        CampusFactory(name="本部院区")
        heart = DepartmentFactory(name="心血管内科", pinyin="xinxueguanneike", initials="xxgnk", group="内科系统")
        long_ago = now() - timedelta(days=1)
        self.clinic = open_schedule(
            role=doctor("王建国", "主任医师", heart), day=today() + timedelta(days=7), numbers=4, minutes=30,
            pool="partner", opened=long_ago, shared=now() + timedelta(hours=1),
        )  # fmt: skip
        add_numbers(self.clinic, count=1, opened=long_ago, minutes=30)
        self.centre = CommunityFactory()
        self.family_doctor = StaffFactory(roles="partner", roles__at=self.centre, full_name="何静")
        self.patient = PatientFactory(name="周志明", pinyin="zhouzhiming", initials="zzm")
        self.letter = writing.draft(
            patient=self.patient, origin=self.centre, receiver=self.clinic.organization, direction="up",
            by=self.family_doctor, now=now(),
        )  # fmt: skip

    def recall(self) -> None:
        """D-7: the hour has come."""
        Allotment.objects.filter(pool__kind=Pool.Kind.PARTNER).update(shared_from=now())
        assert supply.follow_up(now=now()) == 4


@pytest.fixture
def alliance():
    return Alliance()


def test_a_recall_comes_while_the_letter_is_written_and_it_is_sent_with_another_number(alliance, open_as, axe):
    page = open_as(alliance.family_doctor, "/partner/")
    expect(page.get_by_text("最近一次回收")).to_contain_text("没约的 4 个号归公共")
    axe(page)
    page.get_by_role("link", name="周*明").click()
    page.get_by_label("拟转科室、医生或团队").fill("wys")
    page.get_by_role("radio", name="王建国").check()
    page.get_by_label("初步诊断").fill("gxy")
    page.get_by_role("radio", name="I10").check()
    page.get_by_label("转诊理由").fill("血压控制不佳")
    page.get_by_label("病史摘要").fill("高血压 8 年，近两周晨起头痛。")
    page.get_by_role("radio", name="本人同意").check()
    expect(page.locator("#saved")).to_contain_text("草稿已保存")
    expect(page.locator(".slice")).to_have_count(5)  # as soon as the doctor is chosen
    axe(page)
    assert sideways(page) == 0

    alliance.recall()
    phone = open_as(account_with("李秀英"), where(alliance.clinic), size=(390, 844))
    phone.get_by_role("button", name="确认预约").click()
    expect(phone.get_by_role("heading", name="预约成功")).to_be_visible()  # who is quicker takes the first number
    page.locator(".slice").first.click()
    expect(page.get_by_role("alert")).to_contain_text("约满")
    expect(page.get_by_label("病史摘要")).to_have_value("高血压 8 年，近两周晨起头痛。")
    expect(page.locator(".slice")).to_have_count(4)
    page.locator(".slice").first.click()
    expect(page.get_by_role("timer")).to_contain_text(":")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("已发出，号已约好")).to_be_visible()
    row = Referral.objects.get()
    assert (row.status, row.diagnosis_code) == ("booked", "I10")
    assert Appointment.objects.get(partner=alliance.centre).status == "booked"
    assert Appointment.objects.get(channel="web").start == alliance.clinic.starts_at
    cut_off = (
        "409",
        "htmx:afterRequest",
        "htmx:sendError",
        "htmx:sendAbort",
    )  # the refusal; what was being kept as the page was left
    assert [each for each in page.troubles if not any(word in each for word in cut_off)] == []
