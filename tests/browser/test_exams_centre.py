"""A morning of the exam booking centre in a real browser, by keys (E2, E3, E5)."""

from datetime import time

import pytest
import time_machine
from playwright.sync_api import expect

from exams.models import ExamBooking, ExamRequest
from tests.exams.patient.scenes import question
from tests.factories import (
    NOW,
    ExamItemFactory,
    ExamRequestFactory,
    PatientFactory,
    PoolFactory,
    StaffFactory,
    exam_variant,
    open_device,
)

from .conftest import sideways
from .looking import outgrown, shot

PHONE = (390, 844)
CENTRE = "/exam-centre/"


@pytest.fixture(autouse=True)
def _morning():
    """Monday, ten o'clock: at night no device is open."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def asked():
    """周小明 is to have an ultrasound and an ECG; both machines are open today."""
    patient = PatientFactory(name="周小明", phone="13900001234")
    scan = exam_variant(item=ExamItemFactory(name="腹部超声", code="US01"))
    trace = exam_variant(item=ExamItemFactory(name="心电图", code="EC01", modality="ecg"), minutes=10)
    PoolFactory(organization=scan.item.organization)
    for variant, name in ((scan, "彩超1号机"), (trace, "心电1")):
        open_device(variant, days=(0, 1), starts=time(8), ends=time(18), name=name, modality=variant.item.modality)
    question(items=[scan.item, trace.item])
    return [ExamRequestFactory(patient=patient, variant=variant) for variant in (scan, trace)]


def good(page, axe):
    axe(page)
    assert page.troubles == []


def answer_the_first(page):
    for group in page.locator("fieldset.examradios").all():
        group.get_by_role("radio").first.check()


def test_the_centre_books_two_exams_on_the_phone_and_the_rooms_examine_and_give_back(asked, open_as, axe):
    """E2, E3, E5: list → call → questions → plan → check-in → call → start → end; the other goes back to the list."""
    page = open_as(StaffFactory(roles="exam"), CENTRE)
    expect(page.get_by_role("link", name="周*明")).to_have_count(2)
    good(page, axe)
    shot(page, "exam-centre")
    page.get_by_role("checkbox", name="选周*明的腹部超声").check()
    page.get_by_role("checkbox", name="选周*明的心电图").check()
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="电话名单")).to_be_visible()
    good(page, axe)
    page.get_by_role("link", name="周*明").click()
    expect(page.get_by_text("13900001234")).to_be_visible()
    good(page, axe)

    page.keyboard.press("p")  # 排时间
    expect(page.get_by_role("heading", name="待预约")).to_be_visible()
    good(page, axe)
    page.keyboard.press("p")  # 排成一次: the questions come first
    expect(page.get_by_role("heading", name="准备问题")).to_be_visible()
    answer_the_first(page)
    good(page, axe)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="来1次").first).to_be_visible()
    good(page, axe)
    shot(page, "exam-centre-plan")
    page.keyboard.press("1")
    expect(page.get_by_text("已按方案预约2项检查")).to_be_visible()
    good(page, axe)

    page.keyboard.press("v")  # 报到
    expect(page.get_by_role("heading", name="今天的检查")).to_be_visible()
    page.get_by_role("radio", name="有", exact=True).first.check()
    page.keyboard.press("v")
    expect(page.get_by_role("alert")).to_contain_text("现在不能做")
    expect(page.get_by_role("alert")).to_contain_text("属实的请登记“未做”")
    expect(page.get_by_role("banner")).to_have_count(1)
    axe(page)
    page.troubles.clear()  # the browser's own line about a 409
    shot(page, "exam-check-in")
    answer_the_first(page)
    page.keyboard.press("v")
    expect(page.get_by_text("已报到").first).to_be_visible()
    first = ExamBooking.objects.get(status="arrived")
    page.get_by_role("link", name="看队列").first.click()
    page.get_by_role("link", name="换一台").click()
    expect(page.get_by_role("heading", name="检查室")).to_be_visible()
    good(page, axe)
    page.locator(f"#device-{first.device_id}").click()
    expect(page.get_by_role("button", name="叫下一位")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="周小明")).to_be_visible()
    good(page, axe)
    shot(page, "exam-room")
    page.keyboard.press("s")
    expect(page.get_by_role("article", name="检查中")).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_text("没有人等候。")).to_be_visible()
    first.refresh_from_db()
    assert (first.status, first.calls, first.request.status) == ("done", 1, "done")

    other = ExamBooking.objects.get(status="booked")
    page.goto(page.url.split("/exam-rooms/")[0] + f"/exam-rooms/bookings/{other.pk}/not-done/")
    page.get_by_role("radio", name="患者不愿做").check()
    good(page, axe)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("已登记未做")).to_be_visible()
    page.keyboard.press("w")
    page.get_by_role("link", name="未做退回 1").click()
    expect(page.get_by_role("cell", name="患者不愿做")).to_be_visible()
    assert list(ExamRequest.objects.order_by("status").values_list("status", flat=True)) == ["done", "open"]

    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    for path in (CENTRE, f"{CENTRE}patients/{other.patient_id}/", f"/exam-rooms/{first.device_id}/"):
        page.goto(page.url.split("/exam-")[0] + path)
        assert sideways(page) <= 0, path
        assert outgrown(page) == [], path
        good(page, axe)
