"""The consult room in a real browser (B1, B2, V2): keys, clocks, two tabs, the back button, and what it looks like."""

from datetime import timedelta

import pytest
from django.conf import settings
from playwright.sync_api import expect

from appointments.models import Appointment, Encounter, Slot
from hospital.models import Fact
from tests.browser.consulting import hold, settled
from tests.browser.scenes import a_busy_cardiologist
from tests.consult.rooms import bring_in, doctor_with_a_room, held, now, today, with_a_strip
from tests.factories import PatientFactory, appointment_row


@pytest.fixture
def room():
    room = doctor_with_a_room(waiting=3)
    room.strip = with_a_strip(room)
    return room


@pytest.fixture
def page(room, open_as):
    """The first patient is in the room and the page is open."""
    bring_in(room)
    page = open_as(room.user, "/consult/")
    yield page
    assert [trouble for trouble in page.troubles if "409" not in trouble and "404" not in trouble] == []


# ---- the main path ----


@pytest.mark.own_window
def test_same_doctor_in_four_weeks_takes_at_most_six_keys(room, open_as):
    """B1, B2: from *next patient* to confirmed, counted as the browser's own keydown events."""
    page = open_as(room.user, "/consult/")
    page.context.add_init_script(
        "addEventListener('keydown', () => sessionStorage.keydowns = Number(sessionStorage.keydowns ?? 0) + 1, true)"
    )
    page.reload()

    page.keyboard.press("KeyN")
    expect(page.locator(".time--likely")).to_be_focused()
    settled(page)
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_focused()
    settled(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#basket .notice--ok")).to_contain_text("已约好1项")

    pressed = int(page.evaluate("sessionStorage.keydowns"))
    booked = Appointment.objects.get(status="booked", channel="consult")
    assert pressed == 4  # N, Enter, and Control with Enter
    assert pressed <= 6
    assert (booked.patient, booked.day) == (room.first, today() + timedelta(weeks=4))
    assert booked.schedule.role == room.role
    assert booked.opened_at <= booked.confirmed_at


def test_the_interval_key_and_enter_alone_are_enough(room, open_as):
    """Digits, arrows and Enter suffice: N, E, Enter, Enter."""
    page = open_as(room.user, "/consult/")

    page.keyboard.press("KeyN")
    expect(page.locator(".time--likely")).to_be_focused()
    settled(page)
    page.keyboard.press("KeyE")
    settled(page)
    expect(page.locator(".time--likely")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_focused()
    settled(page)
    page.keyboard.press("Enter")
    expect(page.locator("#basket .notice--ok")).to_be_visible()

    assert Appointment.objects.filter(status="booked", channel="consult").count() == 1


def test_without_script_the_same_forms_book(room, open_as):
    page = open_as(room.user, "/consult/", script=False)

    page.get_by_role("button", name="下一位").click()
    page.locator(".time--likely").click()
    page.locator("#confirm").click()

    expect(page.locator("#basket .notice--ok")).to_contain_text("已约好1项")
    assert Appointment.objects.filter(status="booked", channel="consult").count() == 1


# ---- keys ----


def test_a_letter_takes_a_number_and_the_same_letter_lets_it_go(page):
    page.keyboard.press("KeyF")
    expect(page.locator("button.time.chosen")).to_have_count(1)
    assert [line.slot.number for line in held()] == [3]
    settled(page)

    page.keyboard.press("KeyF")
    expect(page.locator("button.time.chosen")).to_have_count(0)

    assert held() == []


def test_every_letter_on_the_page_is_printed_once(page):
    keys = page.eval_on_selector_all("[data-key]", "all => all.map(one => one.dataset.key)")

    assert sorted(keys) == sorted(set(keys))


def test_arrows_move_over_the_numbers_and_enter_takes_one(page):
    expect(page.locator(".time--likely")).to_be_focused()

    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    hold(page)

    assert [line.slot.number for line in held()] == [10]


def test_arrow_up_reaches_the_sessions_and_enter_opens_one(page, room):
    expect(page.locator(".time--likely")).to_be_focused()

    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    settled(page)

    expect(page.locator("a.session.chosen")).to_have_attribute("id", f"session-{room.strip[3].pk}")


def test_backspace_drops_the_last_line_and_it_can_be_taken_back(page):
    hold(page, "KeyA")
    hold(page, "KeyG")

    page.keyboard.press("Backspace")
    expect(page.locator("#basket .item")).to_have_count(1)
    assert [line.slot.number for line in held()] == [1]
    settled(page)

    page.keyboard.press("Control+z")
    expect(page.locator("#basket .item")).to_have_count(2)
    assert [line.slot.number for line in held()] == [1, 4]


def test_a_held_down_key_acts_once(page):
    page.keyboard.down("KeyA")
    for _repeat in range(5):
        page.keyboard.down("KeyA")
    page.keyboard.up("KeyA")
    expect(page.locator("#confirm")).to_be_focused()

    assert [line.slot.number for line in held()] == [1]


def test_letters_typed_into_the_search_box_book_nothing(page):
    page.keyboard.press("Slash")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("asn")

    expect(page.locator("#q")).to_have_value("asn")
    assert held() == []
    assert Encounter.objects.filter(status="in_room").count() == 1


def test_search_by_initials_and_enter_opens_the_first_match(open_as):
    """B2"""
    room = a_busy_cardiologist()
    bring_in(room)
    page = open_as(room.user, "/consult/")

    page.keyboard.press("Slash")
    page.keyboard.type("zy")
    expect(page.locator("#places-head")).to_contain_text("zy")
    page.keyboard.press("Enter")
    expect(page.locator("#where")).to_have_text("内分泌科 张颖")
    expect(page.locator(".time--likely")).to_be_focused()
    hold(page)

    [line] = held()
    assert line.schedule.role.practitioner.name == "张颖"


def test_plus_asks_for_a_reason_and_adds_a_number(page):
    """B10"""
    page.keyboard.press("Shift+Equal")
    expect(page.locator("#extra-reason")).to_be_focused()
    page.keyboard.type("nan")
    page.keyboard.press("Enter")
    expect(page.locator("#basket .notice--ok")).to_contain_text("已加号")

    assert Appointment.objects.get(extra=True).note == "nan"


def test_a_booked_visit_is_moved_by_keys_and_mouse(page, room):
    """B14: its key, 改约, a letter."""
    hold(page)
    page.keyboard.press("Enter")
    expect(page.locator("#basket .notice--ok")).to_be_visible()
    settled(page)

    page.keyboard.press(page.locator("#kind-booked").get_attribute("data-key"))
    page.get_by_role("link", name="改约").click()
    expect(page.locator(".tag--warn", has_text="改约")).to_be_visible()
    page.keyboard.press("KeyK")
    expect(page.locator("main .notice--ok")).to_contain_text("已改到")

    moved = Appointment.objects.get(status="booked", channel="consult")
    assert moved.slot.number == 7
    settled(page)
    expect(page.locator("#where, #booked-head")).to_have_text("已有预约")


# ---- clocks, tabs, the back button ----


@pytest.mark.own_window
def test_the_clock_of_a_held_number_runs_down_by_the_servers_time(page):
    page.evaluate("Date.now = () => 0")  # the client's clock is not believed
    hold(page)

    clock = page.locator("#basket .item__clock")
    before = clock.inner_text()
    page.wait_for_timeout(2200)
    after = clock.inner_text()

    assert before.startswith(("3:00", "2:5"))
    assert after < before


def test_a_hold_that_runs_out_is_said_beside_its_line(page):
    hold(page)
    slot = held()[0].slot
    Slot.objects.filter(pk=slot.pk).update(hold_until=now() + timedelta(seconds=1))
    page.reload()

    expect(page.locator("#basket .item--lapsed")).to_contain_text("锁号时间已过，号已放回。", timeout=12000)
    page.get_by_role("button", name="重新锁号").click()
    expect(page.locator("#basket .item__clock")).to_be_visible()

    assert [line.slot_id for line in held()] == [slot.pk]


def test_a_number_taken_elsewhere_is_refused_beside_the_basket_and_the_rest_is_kept(page, room):
    hold(page, "KeyS")
    appointment_row(room.strip[2], PatientFactory(), number=1)

    page.keyboard.press("KeyA")

    expect(page.locator("#basket [role=alert]")).to_contain_text("这个时段刚被约满")
    expect(page.locator("#basket .item__clock")).to_be_visible()
    expect(page.locator(f"#number-{room.strip[2].slots.get(number=1).pk}")).to_be_disabled()


def test_numbers_taken_elsewhere_grey_by_themselves(page, room):
    slot = room.strip[2].slots.get(number=5)
    appointment_row(room.strip[2], PatientFactory(), number=5)

    expect(page.locator(f"#number-{slot.pk}")).to_be_disabled(timeout=12000)


def test_two_tabs_do_not_book_for_the_wrong_patient(page, room):
    other = page.context.new_page()
    other.goto(page.url)
    other.keyboard.press("KeyN")
    expect(other.locator(".patient__name")).to_contain_text(room.waiting[1].patient.name)

    page.keyboard.press("KeyA")

    expect(page.locator("body")).to_contain_text("诊室里的患者已经换了")
    assert held() == []


def test_the_back_button_after_confirm_shows_what_is_true(page):
    page.keyboard.press("KeyW")
    settled(page)
    hold(page)
    page.keyboard.press("Enter")
    expect(page.locator("#basket .notice--ok")).to_be_visible()

    page.go_back()
    settled(page)

    expect(page.locator("#basket .item .tag--ok")).to_have_text("已预约")
    expect(page.locator("#confirm")).to_have_count(0)
    assert Fact.objects.filter(topic="appointment.booked").count() == 1


def test_a_double_click_on_confirm_books_once(page):
    hold(page)

    page.locator("#confirm").dblclick()
    expect(page.locator("#basket .notice--ok")).to_be_visible()
    settled(page)

    assert Fact.objects.filter(topic="appointment.booked").count() == 1


@pytest.mark.own_window
def test_a_lost_server_is_said_on_the_page(page):
    page.context.set_offline(True)
    page.keyboard.press("KeyA")

    expect(page.locator("#notices")).to_contain_text("连不上服务器")
    page.troubles.clear()


def test_a_sign_out_in_another_tab_leads_to_the_sign_in_page_and_back(page):
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)

    page.keyboard.press("KeyA")

    page.wait_for_url("**/accounts/login/?next=%2Fconsult%2F")
    assert held() == []


def test_a_page_from_before_the_last_sign_in_says_so_and_keeps_what_it_shows(page):
    page.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)

    page.keyboard.press("KeyA")

    expect(page.locator("#notices")).to_contain_text("页面已过期，这一步没有做。")
    expect(page.locator("#basket")).to_be_visible()
    assert held() == []
    page.troubles.clear()


def test_keys_pressed_into_an_input_method_do_nothing(page):
    for name in ("KeyA", "KeyN"):
        page.evaluate(
            "code => document.dispatchEvent(new KeyboardEvent('keydown', {code, isComposing: true, bubbles: true}))",
            name,
        )
    page.wait_for_timeout(300)

    assert held() == []
    assert Encounter.objects.filter(status="in_room").count() == 1
