"""The first three steps in English on a phone: the switch, no word too long for the page, axe (V5, V2)."""

from datetime import timedelta

from playwright.sync_api import expect

from tests.bookings.scenes import account_with
from tests.consult.rooms import now, today
from tests.factories import CampusFactory, DepartmentFactory
from tests.patient.scenes import doctor, half_day, take_all_but, team_with_leader

from .conftest import sideways
from .looking import broken_words, outgrown

PAGES = ("/book/", "/book/departments/", "/bookings/", "/messages/", "/me/", "/me/family/", "/me/privacy/")


def a_clinic():
    CampusFactory(address="江州市人民路1号", transit="地铁2号线人民医院站B口，公交5路")
    place = DepartmentFactory(name="心血管内科", group="内科系统", location="门诊楼")
    wang = doctor(place, specialty_text="冠心病、高血压、心力衰竭")
    team_with_leader(place)
    opened = now() - timedelta(days=1)
    rows = [half_day(role=wang, day=today() + timedelta(days=n), numbers=16, minutes=15, opened=opened) for n in (1, 2)]
    take_all_but(rows[0], 0)
    return wang


def good(page, axe):
    assert sideways(page) == 0
    axe(page)
    assert page.troubles == []


def test_a_phone_switches_to_english_and_every_word_has_room(open_as, axe):
    """V5: the switch stands on every page; titles in English; at 390 px and, in the largest edition, at 320 px."""
    wang = a_clinic()
    account = account_with()
    person = f"/me/family/{account.family.get().pk}/"
    page = open_as(account, "/book/", size=(390, 844))
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("link", name="Book a visit").click()
    page.get_by_role("link", name="心血管内科").click()
    expect(page.get_by_text("Chief physician").first).to_be_visible()
    good(page, axe)
    page.get_by_role("link", name="王建国").click()
    expect(page.get_by_text("2 left").first).to_be_visible()  # the day with numbers is open
    good(page, axe)
    page.get_by_role("button", name="Large text").click()
    expect(page.locator("html")).to_have_attribute("data-edition", "elderly")
    origin = page.url.split("/book/")[0]
    page.context.add_cookies([{"name": "edition", "value": "largest", "url": origin}])
    page.set_viewport_size({"width": 320, "height": 640})
    for path in (*PAGES, person, f"/book/departments/{wang.department_id}/", f"/book/doctors/{wang.pk}/"):
        page.goto(origin + path)
        expect(page.locator("html")).to_have_attribute("data-edition", "largest")
        assert sideways(page) == 0, path
        assert broken_words(page) == [], path
        assert outgrown(page) == [], path
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
