"""首页, step 1 of 4 and the shell around all pages (V2, B7 web)."""

import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from appointments.views.patient.addresses import slots_page
from hospital.models import Organization
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    CampusFactory,
    DepartmentFactory,
    PatientFactory,
    StaffFactory,
    appointment_row,
)
from tests.messages.test_pages import signed_in, tell

from .pages import department_page, read, words
from .scenes import doctor, half_day

pytestmark = pytest.mark.django_db


def test_a_stranger_sees_the_whole_home_page(place):
    page = words("/book/")

    for said in (
        "江州市中心医院",
        "预约挂号",
        "我的预约",
        "就诊人",
        "本部院区",
        "现在登录",
        "工作人员登录",
        "English",
        "长辈版",
    ):
        assert said in page
    assert "下一次就诊" not in page


def test_a_hospital_that_has_no_campus_yet_says_what_to_do():
    assert "医院还没有开放网上预约" in words("/book/")
    assert "这里还没有可以预约的科室" in words("/book/departments/")


def test_a_patient_sees_the_next_visit_of_the_family_with_the_name_masked(place):
    """B22: the account's people and nobody else's."""
    account = AccountFactory()
    mother = PatientFactory(name="李秀英", account=account)
    soon = half_day(role=doctor(place))
    appointment_row(half_day(day=TODAY + timedelta(days=3)), mother, number=1)
    appointment_row(soon, mother, number=2)
    appointment_row(half_day(day=TODAY), PatientFactory(name="周志明"), number=8)

    page = words("/book/", signed_in(account))

    assert "下一次就诊 已预约" in page
    assert "11月24日 周二" in page
    assert "李*英" in page
    assert "李秀英" not in page
    assert "周*明" not in page


def test_a_cancelled_or_lapsed_booking_is_no_next_visit(place):
    account = AccountFactory()
    person = PatientFactory(account=account)
    schedule = half_day(role=doctor(place))
    appointment_row(schedule, person, number=1, status="cancelled", cancelled_at=NOW)
    held = appointment_row(schedule, person, number=2, status="pending")
    assert "待确认" in words("/book/", signed_in(account))

    held.slot.hold_until = NOW
    held.slot.save()

    assert "下一次就诊" not in words("/book/", signed_in(account))


def test_departments_stand_in_groups_and_each_leads_to_its_doctors(place):
    page = read("/book/departments/")

    assert "内科系统" in page
    assert f'href="/book/departments/{place.pk}/"' in page
    assert "1/4" in page


def test_a_campus_is_chosen_by_a_link_and_kept_while_searching(place):
    other = CampusFactory(code="C2", name="滨湖院区")
    DepartmentFactory(name="妇科", campus=other)

    page = read(f"/book/departments/?campus={other.pk}")

    assert "妇科" in page
    assert "心血管内科" not in page
    assert f'<input type="hidden" name="campus" value="{other.pk}">' in page


@pytest.mark.parametrize(
    "query", ["campus=x", "campus=-1", f"campus={10**30}", "q=" + "a" * 9000, "q=%00", "campus=&q="]
)
def test_an_address_that_makes_no_sense_still_shows_departments(place, query):
    assert Client().get(f"/book/departments/?{query}").status_code == 200


def test_a_search_without_a_match_says_what_else_to_type(place):
    page = words("/book/departments/?q=zzzz")

    assert "没有找到“zzzz”" in page
    assert "拼音首字母" in page


def test_who_found_nothing_is_offered_the_plain_clinics_and_the_hospitals_phone(place):
    half_day(department=place)
    Organization.objects.update(phone="010-5550-0100")
    page = words("/book/departments/?q=感冒")

    assert "不知道看哪科" in page
    assert (place.name in page, "010-5550-0100" in page) == (True, True)


def test_the_step_is_a_fraction_for_the_eye_and_words_for_the_ear():
    page = read("/book/departments/")
    assert '<small class="topbar__step" aria-hidden="true">1/4</small>' in page
    assert '<span class="visually-hidden">，第 1 步，共 4 步</span>' in page
    assert "topbar__step" not in read("/sign-in/")


@pytest.mark.parametrize(("edition", "shown"), [("elderly", True), ('"><b>', False)])
def test_a_page_that_is_not_there_keeps_the_edition_and_leads_home(edition, shown):
    client = Client()
    client.cookies["edition"] = edition
    page = client.get("/nowhere/").content.decode()
    assert ('data-edition="elderly"' in page, "data-edition" in page) == (shown, shown)
    assert 'href="/"' in page


def test_back_from_signing_in_leads_to_the_times_with_the_chosen_one(place):
    schedule = half_day(department=place)
    choice = f"{schedule.pk}@{schedule.starts_at.isoformat()}"
    after = f"/book/who/?{urlencode({'slot': choice})}"
    page = read(f"/sign-in/?{urlencode({'next': after})}")
    back = html.unescape(re.search(r'class="topbar__back" href="([^"]+)"', page)[1])

    assert back.startswith("/book/back/?slot=")
    there = Client().get(back)
    assert there.status_code == 302
    assert f"slot={schedule.pk}%40" in there.headers["Location"]
    assert "checked" in read(there.headers["Location"])
    assert Client().get("/book/back/?slot=x").headers["Location"] == "/book/departments/"


def test_the_edition_is_on_the_page_and_its_button_comes_back_here(place):
    client = Client()
    assert "data-edition" not in read("/book/", client)

    client.cookies["edition"] = "elderly"
    page = read(department_page(place, left="on"), client)

    assert 'data-edition="elderly"' in page
    assert "标准版" in page
    assert f'name="next" value="/book/departments/{place.pk}/?left=on"' in page

    client.cookies["edition"] = '"><script>'
    assert "data-edition" not in read("/book/", client)


def test_staff_may_look_at_the_public_pages(place):
    assert "心血管内科" in words("/book/departments/", signed_in(StaffFactory(roles="office")))


def test_a_patient_reads_messages_in_the_patients_shell():
    account = AccountFactory()
    tell(PatientFactory(name="李秀英", account=account))
    client = signed_in(account)

    page = read("/messages/", client)

    assert 'data-surface="patient"' in page
    assert "李*英" in page
    assert re.search(r'href="/messages/" aria-current="page"', page)
    client.post("/messages/read")
    assert "未读" not in read("/messages/", client)


def test_a_stranger_who_follows_a_link_to_messages_signs_in_by_phone():
    response = Client().get("/messages/")

    assert (response.status_code, response.url) == (302, "/sign-in/?next=/messages/")


def test_pages_are_english_when_asked(schedule):
    client = Client(headers={"Accept-Language": "en"})

    assert '<html lang="en"' in read(slots_page(schedule), client)
