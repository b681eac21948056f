"""Step 3 of 4: when; a choice survives a reload, a refresh and a lost race (B3)."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from appointments.models import BookingRule, Schedule
from appointments.selectors import rules
from appointments.views.patient.addresses import slots_page
from tests.factories import (
    NOW,
    TODAY,
)

from .pages import read, words
from .scenes import doctor, half_day, supply_rule, take, take_all_but, team_with_leader

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_slices_are_radios_of_a_plain_form(schedule):
    """B3."""
    take(schedule, 4, 5, 6)

    page = read(slots_page(schedule))

    assert '<form class="choice" method="get" action="/book/who/">' in page
    assert f'value="{schedule.pk}@2026-11-24T08:00:00+08:00"' in page
    assert page.count('type="radio"') == 3
    assert "已满" in words(slots_page(schedule))
    assert "请选择时段" in page
    assert "3/4" in page


def test_what_was_chosen_survives_a_reload_and_is_repeated_with_the_fee(schedule):
    slot = f"{schedule.pk}@2026-11-24T08:30:00+08:00"

    page = read(f"/book/doctors/{schedule.role_id}/?{urlencode({'slot': slot})}")

    assert len(re.findall(r'value="[^"]+T08:30:00\+08:00" checked', page)) == 1
    assert re.search(r"11月24日 周二 <b>08:30–09:00</b>.*¥50\.00", page, re.S)


def test_the_same_moment_in_another_zone_is_the_same_slice(schedule):
    page = read(f"/book/doctors/{schedule.role_id}/?{urlencode({'slot': f'{schedule.pk}@2026-11-24T00:30:00+00:00'})}")

    assert re.search(r'T08:30:00\+08:00" checked', page)


def test_a_slice_that_is_gone_is_said_and_the_list_is_fresh(schedule):
    slot = f"{schedule.pk}@2026-11-24T08:00:00+08:00"
    take(schedule, 1, 2, 3)

    page = words(f"/book/doctors/{schedule.role_id}/?{urlencode({'slot': slot})}")

    assert "这个时段刚被约满。" in page
    assert "请换一个时段" in page
    assert "请选择时段" in page


def test_a_chosen_clinic_that_stops_is_said_as_such(schedule):
    slot = urlencode({"slot": f"{schedule.pk}@2026-11-24T08:00:00+08:00"})
    Schedule.objects.update(status="stopped")

    page = words(f"/book/doctors/{schedule.role_id}/?{slot}")

    assert "这个时段刚刚停诊。" in page
    assert "约满" not in page


def test_a_chosen_slice_whose_time_has_passed_is_said_as_such(place):
    today = half_day(role=doctor(place), day=TODAY, numbers=24, minutes=10)
    slot = urlencode({"slot": f"{today.pk}@2026-11-23T08:30:00+08:00"})

    assert "这个号的就诊时间已经过去。" in words(f"/book/doctors/{today.role_id}/?{slot}")


def test_a_slice_of_somebody_else_or_of_another_day_is_as_if_not_asked(schedule):
    other = half_day()
    later = half_day(role=schedule.role, day=TODAY + timedelta(days=3))

    for foreign in (f"{other.pk}@2026-11-24T08:00:00+08:00", f"{later.pk}@2026-11-26T08:00:00+08:00"):
        page = words(f"{slots_page(schedule)}&{urlencode({'slot': foreign})}")
        assert "约满" not in page
        assert "请选择时段" in page


def test_a_lost_race_comes_back_with_the_sentence_and_the_person(schedule):
    page = read(slots_page(schedule, lost=1, patient=7))

    assert "这个时段刚被约满。" in page
    assert '<input type="hidden" name="patient" value="7">' in page


@pytest.mark.parametrize(
    "query",
    [
        "slot=x",
        "slot=1@x",
        "slot=1@2026-11-24",
        "slot=1@2026-11-24T08:00:00",
        "slot=1@0001-01-01T00:00:00%2B23:59",
        "slot=1@9999-12-31T23:59:59%2B00:00",
        f"slot={10**40}@x",
        "day=x",
        "patient=x",
        "slot=@",
        "lost=%00",
    ],
)
def test_a_senseless_choice_is_no_choice(schedule, query):
    response = Client().get(f"/book/doctors/{schedule.role_id}/?{query}")

    assert response.status_code == 200
    assert b" checked" not in response.content


def test_the_page_says_which_rules_apply(schedule):
    """From the rows in force, never a constant."""
    supply_rule(days=7)
    BookingRule.objects.update(cancel_time="14:00", noshow_count=2, noshow_days=60, suspension_days=30)
    rules.forget()
    page = words(slots_page(schedule))
    assert "每天 07:00 放出 7 天后的号。" in page
    assert "就诊前一天 14:00 前可以退号、改约。" in page
    assert "60 天内满 2 次，暂停网上预约 30 天。" in page
    assert "到院后缴费" in page

    BookingRule.objects.update(cancel_days=0, cancel_time="08:00")
    rules.forget()
    assert "就诊当天 08:00 前可以退号、改约。" in words(slots_page(schedule))

    BookingRule.objects.update(cancel_days=5)
    rules.forget()
    assert "已过退号时间" in words(slots_page(schedule))


def test_days_say_in_words_what_they_have(place):
    role = doctor(place)
    take_all_but(half_day(role=role, day=TODAY + timedelta(days=1)), 0)
    half_day(role=role, day=TODAY + timedelta(days=2), status="stopped")
    take_all_but(half_day(role=role, day=TODAY + timedelta(days=3)), 2)
    half_day(role=role, day=TODAY + timedelta(days=4))
    half_day(role=role, day=TODAY + timedelta(days=7), opened=NOW + HOUR)

    page = words(f"/book/doctors/{role.pk}/")

    states = re.findall(r"(今天|周.) (\d\d-\d\d) (\S+)", page)
    assert states == [
        ("今天", "11-23", "无出诊"),
        ("周二", "11-24", "满号"),
        ("周三", "11-25", "停诊"),
        ("周四", "11-26", "余2"),
        ("周五", "11-27", "有号"),
        ("周六", "11-28", "无出诊"),
        ("周日", "11-29", "无出诊"),
        ("周一", "11-30", "未放号"),
    ]
    assert "11月26日 周四，余2个号" in page  # the first day with a number


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (0, "11月23日 周一不出诊。"),
        (1, "11月24日 周二停诊。"),
        (2, "的号已约满。"),
        (7, "下一批号 11月23日 11:00 放出。"),
    ],
)
def test_a_day_without_numbers_says_why_and_what_next(place, day, said):
    role = doctor(place)
    half_day(role=role, day=TODAY + timedelta(days=1), status="stopped")
    take_all_but(half_day(role=role, day=TODAY + timedelta(days=2)), 0)
    half_day(role=role, day=TODAY + timedelta(days=7), opened=NOW + HOUR)

    page = words(f"/book/doctors/{role.pk}/?day={TODAY + timedelta(days=day)}")

    assert said in page
    assert "看同科室其他医生" in page
    assert "选好了" not in page


def test_a_team_and_a_plain_clinic_have_pages_of_their_own(place):
    team, _led = team_with_leader(place)
    with_team = half_day(role=None, team=team, department=place, service=team.service)
    plain = half_day(role=None, department=place, service=doctor(place, level="general", fee=15).service)

    page = words(slots_page(with_team))
    assert "组长 史清荷（主任医师）、李敏（副主任医师）" in page
    assert "先看组员，需要时由组长会诊。" in page
    assert "由当天值班医生接诊" in words(slots_page(plain))
    assert f"{plain.pk}@" in read(slots_page(plain))


HTMX = {"HX-Request": "true", "X-Passive": "1"}


def seen_of(page):
    return re.search(r'"seen": "(\w+)"', page)[1]


def test_a_refresh_is_the_list_alone_and_nothing_when_nothing_changed(schedule):
    path = slots_page(schedule)
    seen = seen_of(read(path))
    assert Client().get(f"{path}&seen={seen}", headers=HTMX).status_code == 204

    take(schedule, 1)
    fragment = read(f"{path}&seen={seen}", **HTMX)

    assert fragment.strip().startswith('<div id="slices"')
    assert "<html" not in fragment
    assert seen_of(fragment) != seen


def test_a_refresh_keeps_the_choice(schedule):
    slot = urlencode({"slot": f"{schedule.pk}@2026-11-24T08:30:00+08:00"})

    fragment = read(f"{slots_page(schedule)}&{slot}&seen=old", **HTMX)

    assert re.search(r'T08:30:00\+08:00" checked', fragment)
    assert "hx-swap-oob" not in fragment


def test_a_refresh_says_when_the_chosen_slice_is_gone_and_empties_the_bar(schedule):
    take(schedule, 1, 2, 3)
    slot = urlencode({"slot": f"{schedule.pk}@2026-11-24T08:00:00+08:00"})

    fragment = read(f"{slots_page(schedule)}&{slot}&seen={seen_of(read(slots_page(schedule)))}", **HTMX)

    assert 'id="said" hx-swap-oob="innerHTML"' in fragment
    assert "这个时段刚被约满。" in fragment
    assert re.search(r'id="chosen" hx-swap-oob="true".*请选择时段', fragment, re.S)
