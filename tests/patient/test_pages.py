"""首页 and the first three steps of booking, as a browser without script gets them (V2, B7 web, B3)."""

import gzip
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.test import Client

from appointments.models import BookingRule, Schedule
from appointments.selectors import rules
from appointments.views.patient.addresses import slots_page
from hospital.models import Department
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    CampusFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    appointment_row,
)
from tests.messages.test_pages import signed_in, tell

from .scenes import TOMORROW, doctor, half_day, supply_rule, take, take_all_but, team_with_leader

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MOST_BYTES = 60 * 1024


@pytest.fixture(autouse=True)
def _stopped_clock():
    with time_machine.travel(NOW, tick=False):
        yield


def read(path, client=None, **headers):
    response = (client or Client()).get(path, headers=headers or None)
    assert response.status_code == 200, response
    return response.content.decode()


def words(path, client=None):
    """What the page says, without its tags."""
    text = re.sub(r"<(svg|script).*?</\1>", "", read(path, client), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.fixture
def place():
    return DepartmentFactory(name="心血管内科", group="内科系统", location="门诊楼 3 层")


def department_page(place, **query):
    return f"/book/departments/{place.pk}/?{urlencode(query)}"


# ---- home ----


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


# ---- step 1 ----


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


# ---- step 2 ----


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


def test_a_full_day_says_what_to_do_and_promises_nothing(place):
    half_day(role=doctor(place), numbers=2)
    take_all_but(Schedule.objects.get(), 0)
    half_day(role=doctor(place), day=TODAY + timedelta(days=3))

    page = words(department_page(place, day=TOMORROW))

    assert "11月24日 周二的号已约满。" in page
    assert "看 11月26日 周四 的号" in page
    assert "候补" not in page


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


# ---- step 3 ----


@pytest.fixture
def schedule(place):
    return half_day(role=doctor(place), numbers=12, minutes=10)


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


# ---- the refresh ----


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


# ---- the shell ----


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


# ---- how much is asked of the database, and sent ----


def grow(place, count):
    for _ in range(count):
        role = doctor(place)
        half_day(role=role, numbers=8)
        half_day(role=role, half="pm", day=TODAY + timedelta(days=3), numbers=8)


def test_no_page_asks_more_often_when_there_is_more(place, django_assert_num_queries):
    """Ceilings as a stranger; rules are kept in the process for a few seconds."""
    team, _led = team_with_leader(place)
    half_day(role=None, team=team, department=place, service=team.service)
    role = doctor(place)
    half_day(role=role)
    ceilings = {
        "/book/": 1,
        "/book/departments/": 2,
        "/book/departments/?q=xxg": 4,
        department_page(place): 5,
        f"/book/doctors/{role.pk}/": 5,
        f"/book/teams/{team.pk}/": 6,
    }
    client = Client()
    for path in ceilings:
        read(path, client)
    for path, most in ceilings.items():
        with django_assert_num_queries(most):
            read(path, client)

    grow(place, 6)
    for ahead in range(2, 7):
        half_day(role=role, day=TODAY + timedelta(days=ahead))
        DepartmentFactory()
    for path, most in ceilings.items():
        if "q=" in path:
            most = 4
        with django_assert_num_queries(most):
            read(path, client)


def test_a_signed_in_home_page_stays_below_its_ceiling(place, django_assert_max_num_queries):
    account = AccountFactory()
    client = signed_in(account)
    for n in range(3):
        person = PatientFactory(account=account)
        appointment_row(half_day(role=doctor(place), day=TODAY + timedelta(days=n + 1)), person, number=1)
    read("/book/", client)

    with django_assert_max_num_queries(9):
        read("/book/", client)


def assets(page):
    """Everything of ours that the page names: styles, scripts, icons, the sprite."""
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert named
    for path in named:
        with open(finders.find(path.removeprefix("/static/")), "rb") as file:
            yield path, file.read()


@pytest.mark.parametrize("edition", ["", "elderly"])
def test_every_page_weighs_less_than_sixty_kilobytes_compressed(place, edition):
    """V2: on a slow telephone the first view is there at once."""
    DepartmentFactory.create_batch(44)
    grow(place, 12)
    schedule = half_day(role=doctor(place), numbers=80, minutes=3)
    account = AccountFactory()
    appointment_row(half_day(day=TODAY + timedelta(days=2)), PatientFactory(account=account), number=1)
    client = signed_in(account)
    client.cookies["edition"] = edition
    for path in ("/book/", "/book/departments/", department_page(place), slots_page(schedule), "/messages/"):
        page = read(path, client)
        weight = len(gzip.compress(page.encode())) + sum(len(gzip.compress(body)) for _path, body in assets(page))
        assert weight < MOST_BYTES, (path, weight)


def test_nothing_is_inline(place):
    """CSP: no style and no script in the page itself."""
    half_day(role=doctor(place))
    OrganizationFactory()
    for path in ("/book/", "/book/departments/", department_page(place), f"/book/doctors/{doctor(place).pk}/"):
        page = read(path)
        assert not re.search(r"<style|<script(?![^>]*src=)|\sstyle=|\son\w+=", page), path
