"""Exams in the consult room, in a real browser (E2, E3, V2): by keys alone, and nothing that axe finds fault with."""

import pytest
from playwright.sync_api import expect

from exams.models import ExamBooking, ExamPlan
from tests.browser.conftest import sideways
from tests.browser.consulting import settled
from tests.exams.consult.acts import pacemaker
from tests.exams.consult.rooms import offered, room_with_a_patient


def add(page, initials: str) -> None:
    """Typed, seen, Enter: the first result is on the list and the box is empty again."""
    page.keyboard.type(initials)
    expect(page.locator("#exam-found [data-first]")).to_be_visible()
    expect(page.locator("#exam-found")).to_have_attribute("data-asked", initials)
    page.keyboard.press("Enter")
    expect(page.locator("#exam-q")).to_have_value("")
    settled(page)


def typed_before_htmx_took_the_box_in(page) -> None:
    """A quick hand types into a box that has just come with an answer: it is searched for all the same."""
    page.evaluate(
        "document.addEventListener('htmx:afterSwap', () => {"
        " const box = document.getElementById('exam-q'); box.focus(); box.value = 'cg'; }, {once: true})"
    )
    page.locator("#kind-exams").click()
    expect(page.locator("#exam-found")).to_have_attribute("data-asked", "cg")


def typed_while_the_answer_was_on_its_way(page) -> None:
    """Enter asks the server, the next letters come before its answer does: none of them is lost."""
    box = page.locator("#exam-q")
    box.fill("zz")
    settled(page)
    page.evaluate(
        "document.addEventListener('htmx:beforeSend', () => { document.getElementById('exam-q').value += 'cg'; },"
        " {once: true})"
    )
    box.press("Enter")
    expect(page.locator("#exam-found")).to_have_attribute("data-asked", "zzcg")
    expect(box).to_have_value("zzcg")


@pytest.mark.own_window
def test_three_exams_are_requested_and_booked_as_one_trip_by_keys_alone(open_as, axe):
    """E2, E3: 4, three exams by initials, Enter, one answer, Enter, the plan's Enter, Ctrl Enter: 16 keys."""
    room = room_with_a_patient()
    [abdomen, *_others] = offered(3)
    pacemaker(abdomen.item)
    page = open_as(room.user, "/consult/")
    page.evaluate(
        "addEventListener('keydown', () => sessionStorage.keydowns = Number(sessionStorage.keydowns ?? 0) + 1, true)"
    )
    settled(page)

    page.keyboard.press("Digit4")
    expect(page.locator("#exam-q")).to_be_focused()
    for initials in ("fb", "cg", "xb"):
        add(page, initials)
    expect(page.locator(".wanted")).to_have_count(3)
    axe(page)
    page.keyboard.press("Enter")  # on the empty box: what is missing comes into focus
    expect(page.locator(".question--now button").first).to_be_focused()
    settled(page)
    page.keyboard.press("KeyA")
    expect(page.locator("#exam-next")).to_be_focused()
    settled(page)
    page.keyboard.press("Enter")
    expect(page.locator(".plan--best .btn--primary")).to_be_focused()
    settled(page)
    axe(page)
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_focused()
    expect(page.locator("#basket .item")).to_have_count(3)
    settled(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    axe(page)
    assert sideways(page) == 0
    page.keyboard.press("Control+Enter")
    expect(page.locator("#basket .notice--ok")).to_contain_text("已约好3项")

    assert int(page.evaluate("sessionStorage.keydowns")) == 16
    typed_before_htmx_took_the_box_in(page)
    typed_while_the_answer_was_on_its_way(page)
    assert {row.status for row in ExamBooking.objects.all()} == {"booked"}
    assert (ExamPlan.objects.get().trips, ExamPlan.objects.get().exams) == (1, 3)
    assert [trouble for trouble in page.troubles if "409" not in trouble] == []
