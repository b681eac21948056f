"""A stop with all three answers, on three phones (B13): the office's preview, the links of the SMS, the board."""

from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from appointments.models import Appointment, StopCase
from tests.browser.conftest import sideways
from tests.browser.looking import shot
from tests.factories import NOW, StaffFactory
from tests.stops.scenes import IN_A_WEEK, case_of, doctor, link_of, practitioner, session, work

PHONE = (390, 844)


@pytest.fixture(autouse=True)
def _monday():
    """The server's threads and the browser need a clock that runs."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def clinic():
    """王建国 has three patients in a week; 李红 is free then; he sits again two days later."""

    class Clinic:
        role = doctor(practitioner=practitioner(name="王建国", title="副主任医师"))
        colleague = doctor(role.department, practitioner=practitioner(name="李红", title="主任医师"), of="chief")
        first = session(role, booked=3)
        later = session(role, day=IN_A_WEEK + timedelta(days=2), booked=0, numbers=8)
        office = StaffFactory(roles="office", full_name="郝媛")

    return Clinic()


def test_a_stop_with_a_substitute_and_three_answers_on_three_phones(clinic, open_as, axe):
    desk = open_as(clinic.office, f"/office/stops/new/?act=substitute&schedule={clinic.first.pk}")
    expect(desk.get_by_role("combobox").first).to_have_value(str(clinic.colleague.pk))
    desk.get_by_label("事由").select_option("illness")
    desk.get_by_label("说明（患者看不到）").fill("发烧，请假两天")
    axe(desk)
    shot(desk, "office-stop-preview")
    desk.get_by_role("button", name="确认，并通知 3 位患者").click()
    expect(desk.locator("#board")).to_contain_text("0 / 3")
    work(NOW + timedelta(minutes=1))

    rows = list(Appointment.objects.filter(schedule=clinic.first).order_by("pk"))
    accepting, moving, leaving = (open_as(None, link_of(case_of(row)), size=PHONE) for row in rows)
    expect(accepting.get_by_text("由李红替诊")).to_be_visible()
    axe(accepting)
    assert sideways(accepting) == 0
    shot(accepting, "phone-stop-question")
    accepting.get_by_role("button", name="接受替诊").click()
    expect(accepting.get_by_role("status")).to_contain_text("已接受李红替诊")

    moving.locator(".slot__box").first.click()
    shot(moving, "phone-stop-moving")
    moving.get_by_role("button", name="改到选好的时间").click()
    expect(moving.get_by_role("status")).to_contain_text("已改约")
    axe(moving)

    leaving.get_by_role("link", name="退号").click()
    leaving.get_by_role("button", name="确定退号").click()
    expect(leaving.get_by_role("status")).to_contain_text("已退号")

    desk.reload()
    expect(desk.locator("#board")).to_contain_text("3 / 3")
    axe(desk)
    shot(desk, "office-stop")
    assert list(StopCase.objects.order_by("pk").values_list("answer", flat=True)) == ["accept", "move", "cancel"]
    assert [page.troubles for page in (desk, accepting, moving, leaving)] == [[], [], [], []]


def test_the_question_in_the_elderly_edition_and_without_script(clinic, open_as, axe):
    from tests.stops.scenes import stop

    stop(clinic.first)
    work(NOW + timedelta(minutes=1))
    path = link_of(StopCase.objects.first())
    page = open_as(None, path, size=PHONE, script=False)
    page.context.add_cookies([{"name": "edition", "value": "elderly", "url": page.url}])
    page.reload()
    expect(page.locator("html[data-edition=elderly]")).to_have_count(1)
    assert sideways(page) == 0
    shot(page, "phone-stop-elderly")
    page.get_by_role("link", name="退号").click()
    page.get_by_role("button", name="确定退号").click()
    expect(page.get_by_role("status")).to_contain_text("已退号")


def test_a_doctor_asks_for_a_stop_with_the_keyboard_alone(clinic, open_as, axe):
    from tests.stops.scenes import doctors_account

    page = open_as(doctors_account(clinic.role), "/my/schedule/")
    axe(page)
    page.get_by_role("checkbox").first.focus()
    page.keyboard.press("Space")
    page.get_by_label("事由").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_label("说明（患者看不到）").focus()
    page.keyboard.type("孩子高考")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("status")).to_contain_text("申请已交")
    shot(page, "my-schedule")
    assert page.troubles == []


def test_the_list_of_requests_and_the_phone_list(clinic, open_as, axe):
    from tests.stops.scenes import stop

    stop(clinic.first)
    work(NOW + timedelta(minutes=1))
    StopCase.objects.update(deadline=NOW)
    page = open_as(clinic.office, "/office/stops/")
    axe(page)
    shot(page, "office-stops")
    page.get_by_role("link", name="待打电话 3 人").click()
    axe(page)
    shot(page, "office-calls")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="显示电话").click()
    expect(page.locator(".stopphone")).to_have_text("13800136210")
    axe(page)
    shot(page, "office-call")
    assert sideways(page) == 0
    assert page.troubles == []
