"""P2 in a real browser: from a changed pattern to published numbers, one of them booked meanwhile."""

from datetime import date, time, timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from appointments.models import BulkAct, LayoutDraft, Schedule, ScheduleTemplate
from appointments.services import planning
from appointments.services.defaults import ensure_defaults
from hospital.models import HalfDayHours
from tests.browser.conftest import sideways
from tests.browser.looking import shot
from tests.factories import (
    NOW,
    CampusFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    StaffFactory,
    TemplateFactory,
    appointment_row,
)

MONDAY = date(2026, 11, 30)

SENT_TWICE = """() => [1, 2].map(() => document.querySelector("form[method=post]").dispatchEvent(
    new SubmitEvent("submit", { bubbles: true, cancelable: true })))"""


@pytest.fixture
def house():
    """Two doctors; Wang's Monday stands for two weeks, and somebody has a number of the second."""
    with time_machine.travel(NOW, tick=True):
        organization = OrganizationFactory()
        ensure_defaults(organization)
        campus = CampusFactory(organization=organization)
        HalfDayHours.objects.create(
            campus=campus, half="am", starts=time(8), ends=time(12), effective_from=date(2026, 1, 1)
        )
        wang = RoleFactory(practitioner=PractitionerFactory(name="王建国", pinyin="wangjianguo"))
        template = TemplateFactory(role=wang, room=RoomFactory(name="1诊室"))
        RoomFactory(name="新诊室")
        last = MONDAY + timedelta(days=7)
        planning.lay_out(organization=organization, first_day=MONDAY, last_day=last, now=NOW)
        second = Schedule.objects.order_by("day").last()
        appointment_row(second, PatientFactory(), number=3)
        yield template


def test_a_week_is_laid_out_from_a_changed_pattern_to_published_numbers(house, open_as, axe):
    office = StaffFactory(roles="office", full_name="刘芳")
    page = open_as(office, f"/office/templates/?department={house.department_id}")
    axe(page)
    shot(page, "office-templates")

    page.locator(".pattern").click()
    page.get_by_label("每号分钟").fill("0")
    page.get_by_role("button", name="保存改动").click()
    expect(page.locator(".errorlist")).to_contain_text("每号至少 1 分钟")
    axe(page)
    page.get_by_label("每号分钟").fill("")
    page.get_by_label("诊室").select_option(label="3层 新诊室")
    page.get_by_role("button", name="保存改动").click()
    expect(page.locator(".pattern--waiting")).to_contain_text("新诊室")

    page.get_by_role("link", name="去生成排班草稿").click()
    page.get_by_label("排几周").select_option("2")
    page.get_by_role("button", name="生成草稿").dblclick()  # sent once
    rows = page.locator(".draftlines tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).get_by_role("checkbox")).to_be_checked()
    expect(rows.nth(1).get_by_role("checkbox")).not_to_be_checked()
    expect(rows.nth(1)).to_contain_text("告诉 1 位患者")
    axe(page)
    assert sideways(page) == 0
    shot(page, "office-draft")

    rows.nth(1).get_by_role("checkbox").check()
    page.get_by_role("button", name="发布勾选的变动").dblclick()
    expect(page.locator("#publishing")).to_contain_text("变更 2")
    expect(page.locator("#publishing")).to_contain_text("通知患者 1 人")
    axe(page)
    assert page.troubles == []
    assert {row.room.name for row in Schedule.objects.select_related("room")} == {"新诊室"}
    assert ScheduleTemplate.objects.filter(published_at=None).count() == 0
    assert LayoutDraft.objects.count() == 1
    assert page.evaluate(SENT_TWICE) == [True, False]  # the second is stopped, of any posted form


def test_calendar_and_contracts_are_whole_on_a_phone(house, open_as, axe):
    office = StaffFactory(roles="office")
    BulkAct.objects.create(
        organization=house.organization, kind="add", status="done", reason="加号" * 20, by=office, created_at=NOW,
        done_at=NOW, effect={"schedules": 3, "numbers": 3, "patients": 0},
    )  # fmt: skip
    pages = ("calendar/", "contracts/", f"templates/{house.pk}/", "drafts/", "acts/")
    for address in (f"/office/{each}" for each in pages):
        page = open_as(office, address, size=(390, 844))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        axe(page)
        assert sideways(page) == 0
        assert page.troubles == []
