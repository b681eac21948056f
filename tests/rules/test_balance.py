"""P8, B7: counted in one statement, with the floor never on line."""

from datetime import time, timedelta

import pytest

from appointments.selectors import balance, rules
from appointments.services import extras, supply
from hospital import clock
from tests.booking.acts import take_and_confirm
from tests.factories import (
    NOW,
    TODAY,
    PatientFactory,
    RoleFactory,
    ServiceFactory,
    StaffFactory,
    UserFactory,
    add_numbers,
    open_schedule,
)

pytestmark = pytest.mark.django_db

WEEK = {"first": TODAY, "last": TODAY + timedelta(days=6)}
TUESDAY = TODAY + timedelta(days=1)


def session(day=TUESDAY, at=time(8), *, half="am", level="general", on_site=1, consult=4, public=5, **more):
    """Ten numbers: public 5, consult room 4 recalled at D−2, on site 1 open at the start."""
    service = ServiceFactory(code=level, name=level, level=level)
    starts = clock.at(day, at)
    schedule = open_schedule(
        numbers=public, role=RoleFactory(service=service), day=day, half=half,
        starts_at=starts, ends_at=starts + timedelta(hours=4), **more,
    )  # fmt: skip
    add_numbers(schedule, count=consult, pool="consult", shared=starts - timedelta(days=2))
    add_numbers(schedule, count=on_site, pool="counter", shared=starts)
    type(schedule).objects.filter(pk=schedule.pk).update(capacity=public + consult + on_site)
    schedule.refresh_from_db()
    return schedule


def counted(house, now=NOW, departments=None, **days):
    rules.forget()
    return balance.balance(house=house, departments=departments, now=now, **{**WEEK, **days})


def test_numbers_by_half_level_and_open_on_line(django_assert_num_queries):
    morning = session()
    session(at=time(13), half="pm", level="chief")
    session(at=time(18), half="ev", on_site=6, consult=0, public=4)
    stopped = session(day=TUESDAY + timedelta(days=1))
    type(stopped).objects.filter(pk=stopped.pk).update(status="stopped")
    session(day=TODAY + timedelta(days=7))
    take_and_confirm(morning)
    house = morning.organization_id
    counted(house)

    with django_assert_num_queries(1):
        whole, parts = balance.balance(house=house, departments=None, now=NOW, **WEEK)

    assert (whole.morning, whole.afternoon, whole.evening, whole.total) == (10, 10, 10, 30)
    assert (whole.online, whole.online_percent, whole.online_is_low) == (22, 73.3, True)
    assert [(percent, count) for _name, count, percent in whole.level_mix] == [(67, 20), (33, 10)]
    assert whole.taken == 1
    mine = parts[morning.department_id]
    assert (mine.total, mine.online_percent, mine.online_is_low, mine.morning_percent) == (10, 90.0, False, 100)
    assert set(counted(house, departments={morning.department_id})[1]) == {morning.department_id}


def test_the_floor_was_never_on_line_after_its_rest_was_given_to_everybody_either():
    schedule = session(TUESDAY)
    later = schedule.starts_at + timedelta(minutes=5)
    take_and_confirm(schedule, channel="counter", number=10)
    assert counted(schedule.organization_id)[0].online_percent == 90

    supply.follow_up(now=later)
    assert counted(schedule.organization_id, now=later)[0].online_percent == 90


def test_add_on_numbers_count_nowhere():
    schedule = session()
    extras.add_extra(
        schedule=schedule, patient=PatientFactory(), by=UserFactory(), reason="复诊看片", request_key="x", now=NOW
    )
    assert counted(schedule.organization_id)[0].total == 10


def test_the_page_shows_figures_definitions_and_the_way_to_the_week(office):
    schedule = session()
    page = office.get("/office/balance/").content.decode()
    assert "90.0%" in page
    assert "不低于 80%" in page
    assert f"/office/?week={TODAY}&amp;department={schedule.department_id}" in page
    assert office.get("/office/balance/?first=x&last=9999-99-99&house=abc").status_code == 200
    assert office.get("/office/balance/?first=9999-12-31").status_code == 200
    assert "这些天没有号" in office.get("/office/balance/?first=2026-01-05").content.decode()


def test_an_office_of_one_department_sees_its_own_balance(client):
    mine, _theirs = session(), session()
    user = StaffFactory(roles="office")
    user.role_assignments.update(department=mine.department_id)
    client.force_login(user)
    page = client.get("/office/balance/")
    assert [department.pk for department, _mix in page.context["rows"]] == [mine.department_id]
