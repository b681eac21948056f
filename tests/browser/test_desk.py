"""The desk in a real browser (B20, B26, V2): one hand on the keys, boards that stay fresh, the screen in the hall."""

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment, Encounter, Schedule
from appointments.services import visit
from tests.browser.conftest import sideways
from tests.browser.desk_scenes import Desk, now
from tests.browser.looking import shot

PHONE = (390, 844)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def opened(desk, open_as):
    pages = []

    def open_page(path="/desk/", **how):
        page = open_as(how.pop("user", desk.nurse), path, **how)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert [trouble for trouble in page.troubles if "409" not in trouble and "422" not in trouble] == []


def search(page, text):
    page.get_by_role("searchbox").fill(text)
    page.keyboard.press("Enter")


def test_a_scanned_document_and_two_keys_check_a_patient_in(desk, opened, axe):
    page = opened()
    expect(page.get_by_role("searchbox")).to_be_focused()
    axe(page)
    page.keyboard.type("11010519491231002X")  # the reader types it and presses Enter
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="李秀英")).to_be_visible()
    axe(page)
    shot(page, "desk-patient")

    page.keyboard.press("Enter")  # the focus waits on 核验证件并报到

    expect(page.get_by_text("候诊条")).to_be_visible()
    expect(page.locator(".slip__number")).to_contain_text("9")
    axe(page)
    shot(page, "desk-slip")
    encounter = Encounter.objects.get()
    assert (encounter.document_seen, encounter.patient.name) == (True, "李秀英")

    page.keyboard.press("n")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_people_are_picked_from_a_masked_list_by_digit(desk, opened, axe):
    page = opened()
    search(page, "lxy")
    expect(page.get_by_text("李*英")).to_be_visible()
    assert "李秀英" not in page.content()
    axe(page)
    shot(page, "desk")

    page.keyboard.press("1")

    expect(page.get_by_role("heading", name="李秀英")).to_be_visible()


def test_nobody_found_says_what_to_do(opened, axe):
    page = opened()

    search(page, "张无忌")

    expect(page.get_by_text("没有找到")).to_be_visible()
    axe(page)
    shot(page, "desk-nobody")


def test_a_stranger_is_registered_given_a_number_and_waits_without_the_mouse(desk, opened, axe):
    page = opened()
    search(page, "欧阳修")
    expect(page.get_by_role("button", name="建档并挂号")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("姓名")).to_have_value("欧阳修")
    axe(page)
    page.get_by_label("证件号码").fill("440524188001010014")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="欧阳修")).to_be_visible()
    page.get_by_role("searchbox").type("xxg")
    expect(page.locator("#departments .dep")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="心血管内科")).to_be_visible()
    axe(page)
    shot(page, "desk-numbers")

    page.keyboard.press("1")

    expect(page.get_by_text("候诊条")).to_be_visible()
    row = Appointment.objects.get(patient__name="欧阳修")
    assert (row.status, row.channel, row.department) == ("arrived", "counter", desk.heart)


def test_a_wrong_digit_is_told_beside_its_field(opened, axe):
    page = opened("/desk/patients/new/")
    page.get_by_label("姓名").fill("欧阳修")
    page.get_by_label("证件号码").fill("440524188001010015")

    page.keyboard.press("Enter")

    expect(page.get_by_text("校验位不符")).to_be_visible()
    expect(page.get_by_label("姓名")).to_have_value("欧阳修")
    axe(page)
    shot(page, "desk-register")


def test_a_refusal_is_said_on_the_page_and_the_page_stays(desk, opened, axe):
    page = opened(f"/desk/patients/{desk.expected.pk}/")
    Schedule.objects.filter(pk=desk.wang.pk).update(status="stopped")

    page.get_by_role("button", name="核验证件并报到").click()

    expect(page.locator("#notices")).to_contain_text("这个出诊单元已停诊")
    expect(page.get_by_role("heading", name="李秀英")).to_be_visible()
    axe(page)


def test_the_nurse_calls_the_next_and_the_board_follows_others(desk, opened, axe):
    desk.busy()
    page = opened("/desk/board/")
    axe(page)
    shot(page, "desk-board")

    page.get_by_role("button", name="叫下一位 6诊室").click()

    called = page.locator(".people__called", has_text="韩*梅")
    expect(called).to_contain_text("已叫1次")
    encounter = Encounter.objects.get(patient__name="韩梅梅")
    visit.start(encounter=encounter, by=desk.nurse, now=now())
    expect(page.locator(".people__in", has_text="韩*梅")).to_be_visible(timeout=9000)


def test_two_nurses_press_at_once_and_the_second_hears_why(desk, opened):
    [encounter] = desk.wait(desk.zhang, ["韩梅梅"])
    page = opened("/desk/board/")
    visit.left(encounter=encounter, by=desk.nurse, now=now())

    page.get_by_role("button", name="离开").click()
    page.wait_for_timeout(400)
    expect(page.get_by_text("没有人候诊").first).to_be_visible()


def test_the_screen_in_the_hall_shows_no_full_name_and_follows_the_calls(desk, opened, axe):
    desk.busy()
    page = opened(f"/screen/department/{desk.heart.pk}/", user=None)
    expect(page.locator(".hallroom")).to_have_count(2)
    text = page.locator("main").inner_text()
    for name in ("周志明", "何桂兰", "诸葛瑾", "买买提·吐尔逊", "孙立", "Berg"):
        assert name not in text
    axe(page)
    shot(page, "screen")

    encounter = Encounter.objects.get(patient__name="何桂兰")
    visit.start(encounter=encounter, by=desk.nurse, now=now())

    expect(page.locator(".hallroom", has_text="12诊室").locator("dd").nth(1)).to_contain_text("何*兰", timeout=9000)


@pytest.mark.parametrize("path", ["/desk/", "/desk/board/", "/desk/patients/new/"])
def test_the_desk_fits_a_phone(desk, opened, axe, path):
    desk.busy()
    page = opened(path, size=PHONE)

    assert sideways(page) == 0
    axe(page)
    shot(page, f"phone-desk{path.removeprefix('/desk').replace('/', '-').rstrip('-')}")


def test_the_desk_works_without_script(desk, opened):
    page = opened(script=False)
    page.get_by_role("searchbox").fill("李秀英")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name="李*英").first.click()
    page.get_by_role("button", name="核验证件并报到").click()

    expect(page.get_by_text("候诊条")).to_be_visible()
    assert Encounter.objects.get().patient == desk.expected
