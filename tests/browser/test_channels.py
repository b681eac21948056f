"""Phone desk and kiosk in a real browser (B7, V2): keys counted, targets measured, nobody sees who was there before."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments.models import Appointment, Encounter
from tests.browser.conftest import sideways
from tests.browser.consulting import settled
from tests.browser.desk_scenes import doctor, now, today
from tests.browser.looking import shot
from tests.factories import (
    CampusFactory,
    DepartmentFactory,
    IdentifierFactory,
    PatientFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

DOCUMENT = "11010519491231002X"
MOST_KEYS = 12
"""B7: for a known patient, from the first key to the receipt."""

SMALLEST = 80
"""Pixels of anything that is touched at a kiosk."""


class Hall:
    """A cardiologist with free numbers on three days, and a patient who was his before and comes today."""

    def __init__(self):
        CampusFactory(name="本部院区")
        heart = DepartmentFactory(name="心血管内科", pinyin="xinxueguanneike", initials="xxgnk", group="内科系统")
        self.wang = doctor("王建国", "主任医师", heart)
        self.patient = PatientFactory(name="李秀英", pinyin="lixiuying", initials="lxy", phone="13800136210")
        IdentifierFactory(patient=self.patient, number=DOCUMENT)
        before = open_schedule(role=self.wang, day=today() - timedelta(days=20), numbers=2, opened=now())
        appointment_row(before, self.patient, status="fulfilled")
        long_ago = now() - timedelta(days=3)
        for days in (1, 2, 4):
            open_schedule(role=self.wang, day=today() + timedelta(days=days), numbers=12, minutes=20, opened=long_ago)
        begins = now() - timedelta(minutes=30)
        clinic = open_schedule(
            role=doctor("陈立", "主治医师", heart), day=today(), starts_at=begins, ends_at=begins + timedelta(hours=3),
            numbers=9, minutes=20, opened=long_ago,
        )  # fmt: skip
        self.booked = appointment_row(clinic, self.patient, number=5)


@pytest.fixture
def hall():
    return Hall()


def clean(page) -> None:
    assert [each for each in page.troubles if "409" not in each and "422" not in each] == []


def test_a_known_caller_has_a_number_after_few_keys(hall, open_as, axe):
    """B7: by initials, identified, the same doctor's first time, confirmed: without the mouse."""
    page = open_as(StaffFactory(roles="phone", full_name="孙倩"), "/phone/")
    pressed = []

    def press(*keys: str) -> None:
        for key in keys:
            pressed.append(key)
            page.keyboard.press(key)

    expect(page.get_by_role("searchbox")).to_be_focused()
    axe(page)
    press("l", "x", "y")
    expect(page.locator("#results .person")).to_have_count(1)
    axe(page)
    press("Enter")
    expect(page.get_by_role("button", name="对上了")).to_be_focused()
    assert "李秀英" not in page.content()
    axe(page)
    press("Enter")
    expect(page.locator(".slice").first).to_be_focused()
    settled(page)
    axe(page)
    shot(page, "phone-call")
    press("Enter")
    expect(page.get_by_role("button", name="约这个号")).to_be_focused()
    settled(page)
    axe(page)
    press("Enter")
    expect(page.get_by_role("heading", name="约好了")).to_be_visible()
    axe(page)
    shot(page, "phone-receipt")

    row = Appointment.objects.get(channel="phone")
    assert row.schedule.role == hall.wang
    assert len(pressed) <= MOST_KEYS - 4, pressed
    assert (row.confirmed_at - row.opened_at).total_seconds() < 30
    clean(page)


def test_another_department_is_reached_by_its_initials_and_the_page_fits_a_phone(hall, open_as, axe):
    page = open_as(StaffFactory(roles="phone"), "/phone/")
    page.keyboard.type("lxy")
    expect(page.locator("#results .person")).to_have_count(1)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="对上了").press("Enter")
    expect(page.locator(".slice").first).to_be_focused()
    settled(page)
    for key in ("/", "x", "x", "g"):
        page.keyboard.press(key)
    expect(page.locator("#places .line")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="心血管内科")).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(page) == 0
    axe(page)
    clean(page)


@pytest.mark.parametrize("size", [(1080, 1920), (1280, 800)], ids=["tall", "wide"])
def test_a_patient_checks_in_books_and_is_forgotten(hall, open_as, axe, size):
    """B7, B20: with the keys on the screen, to the slip; the back button leads to the start."""
    page = open_as(StaffFactory(roles="kiosk", full_name="一楼自助机"), "/kiosk/", size=size)
    big_enough(page)
    axe(page)
    shot(page, f"kiosk-{size[0]}")
    for digit in DOCUMENT:
        page.locator(f".keypad [data-type='{digit}']").click()
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("heading", name="李*英，您好")).to_be_visible()
    big_enough(page)
    axe(page)
    shot(page, f"kiosk-me-{size[0]}")

    page.get_by_role("button", name="报到", exact=True).click()
    expect(page.get_by_text("前面还有")).to_be_visible()
    assert Encounter.objects.get().appointment == hall.booked
    axe(page)
    page.get_by_role("link", name="继续办理").click()
    page.get_by_role("link", name="约号").click()
    big_enough(page)
    axe(page)
    page.get_by_role("link", name="心血管内科").click()
    page.locator(".kday", has_text="有号").nth(1).click()
    expect(page.locator(".kday.chosen")).to_contain_text("有号")
    big_enough(page)
    axe(page)
    shot(page, f"kiosk-times-{size[0]}")
    page.locator(".kslice").first.click()
    page.get_by_role("button", name="约这个号").click()
    expect(page.get_by_role("heading", name="这是您的号")).to_be_visible()
    axe(page)
    assert sideways(page) == 0
    assert Appointment.objects.filter(channel="kiosk", patient=hall.patient).count() == 1

    page.get_by_role("button", name="办完退出").click()
    expect(page.locator("#code")).to_be_focused()
    page.go_back()
    expect(page.locator("#code")).to_be_visible()
    assert "李*英" not in page.content()
    clean(page)


@pytest.mark.own_window
def test_a_minute_without_a_touch_ends_the_visit_and_asking_for_more_extends_it(hall, open_as, axe):
    page = open_as(StaffFactory(roles="kiosk"), "/kiosk/", size=(1080, 1920))
    page.clock.install()
    page.keyboard.type(DOCUMENT)  # as a scanner does
    page.keyboard.press("Enter")
    expect(page.locator("#left")).to_be_visible()
    page.clock.run_for(45_000)
    expect(page.locator("#still")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="继续使用").click()
    expect(page.locator("#still")).to_be_hidden()

    page.clock.run_for(61_000)

    expect(page.locator("#code")).to_be_visible()
    clean(page)


def big_enough(page) -> None:
    """Everything that is touched."""
    sizes = page.eval_on_selector_all(
        "main a, main button, main summary, header button",
        "all => all.filter(e => e.getClientRects().length)"
        ".map(e => [e.textContent.trim(), Math.min(e.offsetWidth, e.offsetHeight)])",
    )
    assert sizes
    assert [each for each in sizes if each[1] < SMALLEST] == []
