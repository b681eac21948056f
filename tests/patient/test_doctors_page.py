"""Step 2 of 4: whom to see and on which day (B7 web, B11)."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from appointments.models import Schedule
from hospital.models import Department
from tests.factories import (
    NOW,
    TODAY,
    CampusFactory,
)

from .pages import department_page, read, words
from .scenes import TOMORROW, doctor, half_day, take_all_but, team_with_leader

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_the_list_opens_on_the_first_day_with_a_number(place):
    full = half_day(role=doctor(place), day=TODAY)
    take_all_but(full, 0)
    half_day(role=doctor(place), day=TOMORROW)

    page = read(department_page(place))

    assert re.search(r'day=2026-11-24" aria-current="date"', page)


def test_rows_say_level_fee_specialty_and_what_each_half_day_has(place):
    role = doctor(place, specialty_text="冠心病、心力衰竭")
    take_all_but(half_day(role=role, numbers=12), 2)
    half_day(role=role, half="pm", numbers=19)

    page = words(department_page(place))

    assert "王建国 主任医师" in page
    assert "冠心病、心力衰竭" in page
    assert "上午余2" in page
    assert "下午余19" in page
    assert "¥50" in page


def test_doctors_with_numbers_come_first_then_the_more_experienced(place):
    half_day(role=doctor(place, name="满主任", pinyin="a"), numbers=2)
    take_all_but(Schedule.objects.get(), 0)
    half_day(role=doctor(place, name="停主任", pinyin="b"), status="stopped")
    half_day(role=doctor(place, name="陈住院", title="住院医师", level="general", fee=15))
    half_day(role=doctor(place, name="李副高", title="副主任医师", level="associate", fee=30))
    half_day(role=None, department=place, service=doctor(place, level="general", fee=15).service)

    page = words(department_page(place, day=TOMORROW))

    order = ["李副高", "陈住院", "满主任", "停主任"]
    assert sorted(order, key=page.index) == order
    assert page.index("由当天值班医生接诊") < page.index("满主任")


def test_filters_are_links_that_keep_the_day_and_survive_a_change_of_day(place):
    full = half_day(role=doctor(place, name="满主任"))
    take_all_but(full, 0)
    half_day(role=doctor(place, name="李副高", title="副主任医师", level="associate", fee=30))

    page = read(department_page(place, day=TOMORROW, left="on"))
    assert "满主任" not in page
    assert "李副高" in page
    assert f"?day={TODAY + timedelta(days=2)}&amp;left=on" in page

    page = words(department_page(place, day=TOMORROW, level="chief"))
    assert "满主任" in page
    assert "李副高" not in page


def test_a_department_that_sits_on_two_campuses_is_narrowed_to_one(place):
    half_day(role=doctor(place, name="本部王"))
    lakeside = CampusFactory(code="C2", name="滨湖院区")
    half_day(role=doctor(place, name="滨湖李"), campus=lakeside)
    assert "全部院区" in words(department_page(place))

    page = words(department_page(place, campus=lakeside.pk))

    assert "滨湖李" in page
    assert "本部王" not in page


def test_a_filter_that_stands_alone_can_be_taken_back(place):
    """An empty link would lead to the very same filter."""
    half_day(role=doctor(place))
    half_day(role=doctor(place, title="副主任医师", level="associate", fee=30))

    page = read(department_page(place, level="chief"))

    assert re.search(rf'<a href="/book/departments/{place.pk}/\??">全部级别</a>', page)


def test_a_leading_expert_is_shown_with_the_rule_and_never_to_be_booked(place):
    """B11."""
    team, led = team_with_leader(place)
    half_day(role=led, numbers=8)
    half_day(role=None, team=team, department=place, service=team.service, numbers=8)

    page = words(department_page(place, day=TOMORROW))
    assert "请先约“冠心病专家团队”，看过组员后由团队转诊" in page
    assert "组长 史清荷" in page

    page = read(f"/book/doctors/{led.pk}/")
    assert "领衔专家的号由团队转诊" in page
    assert f'href="/book/teams/{team.pk}/"' in page
    assert 'type="radio"' not in page


def test_a_full_day_says_what_to_do_and_that_there_is_a_line(place):
    """B9."""
    take_all_but(half_day(role=doctor(place), numbers=2), 0)
    half_day(role=doctor(place), day=TODAY + timedelta(days=3))
    half_day(role=doctor(place), day=TODAY)  # not what somebody who wants a later day is shown

    page = words(department_page(place, day=TOMORROW))

    assert "11月24日 周二的号已约满。" in page
    assert "看 11月26日 周四 的号" in page
    assert "上午：满号可候补" in page


def test_numbers_that_are_not_released_say_when(place):
    half_day(role=doctor(place), day=TODAY + timedelta(days=7), opened=NOW + 21 * HOUR)

    page = words(department_page(place, day=TODAY + timedelta(days=7)))

    assert "未放号" in page
    assert "11月24日 07:00 放号" in page


def test_a_department_without_clinics_says_so(place):
    page = words(department_page(place))

    assert "最近没有出诊安排" in page
    assert "换一个科室" in page


@pytest.mark.parametrize("query", ["day=x", "day=2099-01-01", "level=x", "campus=999", f"campus={10**30}", "left=zzz"])
def test_a_senseless_address_opens_the_list_all_the_same(place, query):
    half_day(role=doctor(place))

    assert Client().get(f"/book/departments/{place.pk}/?{query}").status_code == 200


@pytest.mark.parametrize(
    "path", ["departments/999999/", f"departments/{10**25}/", "doctors/999999/", "teams/999999/", "clinics/1/999999/"]
)
def test_what_does_not_exist_is_not_found(path):
    assert Client().get(f"/book/{path}").status_code == 404


def test_closed_departments_doctors_and_services_are_not_found(place):
    role = doctor(place)
    role.practitioner.active = False
    role.practitioner.save()
    assert Client().get(f"/book/doctors/{role.pk}/").status_code == 404

    Department.objects.filter(pk=place.pk).update(active=False)
    assert Client().get(department_page(place)).status_code == 404
    assert Client().get(f"/book/clinics/{place.pk}/{role.service_id}/").status_code == 404
