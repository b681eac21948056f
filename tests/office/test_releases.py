"""放号日历 (P6): what opens when; a day held back, more released: seen before, taken back, nothing open is touched."""

from datetime import time, timedelta

import pytest
from django.urls import reverse

from appointments import errors
from appointments.models import Allotment, BulkAct
from appointments.services import booking, bulk, releasing, supply
from hospital import clock
from hospital.models import AuditEvent, CalendarDay, RoleAssignment
from tests.factories import (
    NOW,
    TODAY,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    UserFactory,
    add_numbers,
    open_schedule,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TOMORROW = TODAY + DAY
SEVEN = NOW.replace(hour=23, minute=0)  # 07:00 of tomorrow at the hospital


def tomorrows(*, numbers=10, partner=4, **schedule):
    """Public numbers open tomorrow at seven, when the partners' rest becomes public."""
    row = open_schedule(numbers=numbers, opened=SEVEN, **schedule)
    add_numbers(row, count=partner, pool="partner", opened=NOW - DAY, shared=SEVEN, minutes=5)
    Allotment.objects.filter(opens_at__lt=NOW).update(opened_at=NOW - DAY)
    return row


def moment(allotment_of, kind="public"):
    return allotment_of.allotments.get(pool__kind=kind)


def post(client, name, **said):
    return client.post(reverse(f"appointments:{name}"), {"reason": "系统升级", **said})


def held_back(client, day=TOMORROW, *, to=TODAY + 2 * DAY, at="09:30", kinds=("public",), **more):
    return post(client, "office_hold", day=day, kinds=kinds, to_day=to, to_time=at, **more)


def confirm(client):
    return bulk.apply(act=BulkAct.objects.get(), by=client.user, now=NOW)


def book(schedule, channel, at):
    return booking.book(
        schedule=schedule, patient=PatientFactory(), channel=channel, by=UserFactory(), request_key=None, now=at
    )


def test_the_month_says_how_many_numbers_of_which_pool_open_when(office, django_assert_max_num_queries):
    tomorrows(), tomorrows(numbers=5)
    past = open_schedule(numbers=7, opened=NOW - DAY, day=TODAY + 3 * DAY)
    releasing.release(now=NOW - DAY)
    book(past, "web", NOW)
    CalendarDay.objects.create(organization=past.organization, day=TODAY + 2 * DAY, kind="holiday", name="校庆")

    with django_assert_max_num_queries(25):
        response = office.get("/office/releases/")

    days = {one.day: one for week in response.context["weeks"] for one in week}
    shown = {
        day: [(portion.at, portion.kind, portion.numbers) for portion in one.portions] for day, one in days.items()
    }
    assert {day: said for day, said in shown.items() if said} == {
        TODAY - DAY: [(NOW - DAY, "public", 7)],
        TOMORROW: [(SEVEN, "public", 15)],
    }
    assert (days[TODAY].today, days[TODAY + 2 * DAY].note) == (True, "校庆")
    assert len(days) % 7 == 0
    assert days[TODAY - DAY].day == TODAY - DAY


def test_a_late_job_is_said_and_its_numbers_stand_on_the_day_they_were_due(office):
    open_schedule(numbers=7, opened=NOW - DAY)
    releasing.release(now=NOW)

    day = next(
        one for week in office.get("/office/releases/").context["weeks"] for one in week if one.day == TODAY - DAY
    )

    assert (day.total, day.late_minutes) == (7, 24 * 60)


def test_a_day_is_listed_by_department_and_only_the_office_is_offered_a_hold(office, client):
    one, other = tomorrows(), tomorrows(numbers=3)

    page = office.get(f"/office/releases/?day={TOMORROW}")

    assert {line.name: line.numbers for line in page.context["listed"].lines} == {
        one.department.name: [10],
        other.department.name: [3],
    }
    assert page.context["listed"].sums == [13]
    assert "推迟到" in page.content.decode()
    client.force_login(StaffFactory(roles="auditor"))
    page = client.get(f"/office/releases/?day={TOMORROW}").content.decode()
    assert one.department.name in page
    assert "推迟到" not in page
    assert "追加放号" not in page
    assert held_back(client).status_code == 403


def test_a_day_held_back_waits_with_its_recall_and_goes_back_by_undo(office):
    schedule, later = tomorrows(), clock.at(TODAY + 2 * DAY, time(9, 30))
    response = held_back(office)

    act = BulkAct.objects.get()
    assert response.url == reverse("appointments:office_act", args=[act.pk])
    assert (act.effect["schedules"], act.effect["numbers"], act.reason) == (1, 10, "系统升级")
    page = office.get(response.url)
    assert (page.context["back"], page.context["back_says"]) == (f"/office/releases/?day={TOMORROW}", "回放号日历")
    assert moment(schedule).opens_at == SEVEN, "a preview changes nothing"
    act = confirm(office)

    assert moment(schedule).opens_at == moment(schedule, "partner").shared_from == later
    assert supply.follow_up(now=SEVEN) == releasing.release(now=SEVEN) == 0
    with pytest.raises(errors.NotOpen):
        book(schedule, "web", later - timedelta(seconds=1))
    event = AuditEvent.objects.get(action="bulk.hold")
    assert event.detail["why"] == "系统升级"
    bulk.undo(act=act, by=office.user, now=NOW + timedelta(minutes=10))
    assert moment(schedule).opens_at == moment(schedule, "partner").shared_from == SEVEN
    assert book(schedule, "web", SEVEN)


def test_more_is_released_and_undo_ends_before_the_moment_comes(office):
    schedule = tomorrows()
    sooner = NOW + timedelta(minutes=5)
    post(
        office, "office_extra_release", first_day=schedule.day, last_day=schedule.day, kinds=["public", "partner"],
        to_day=TODAY, to_time="10:05",
    )  # fmt: skip
    act = confirm(office)

    assert moment(schedule).opens_at == moment(schedule, "partner").shared_from == sooner
    assert act.undo_until == sooner - timedelta(minutes=1)
    with pytest.raises(errors.UndoOver):
        bulk.undo(act=act, by=office.user, now=sooner - timedelta(seconds=59))
    assert [book(schedule, "web", sooner).slot.pool.kind for _n in range(14)].count("partner") == 4


def test_a_booking_does_not_make_an_extra_releases_preview_stale_and_an_opening_does(office):
    schedule = tomorrows()
    post(
        office, "office_extra_release", first_day=schedule.day, last_day=schedule.day, kinds=["public", "partner"],
        to_day=TODAY, to_time="12:00",
    )  # fmt: skip
    book(schedule, "partner", NOW)

    act = BulkAct.objects.get()
    with pytest.raises(errors.PreviewStale):
        bulk.apply(act=act, by=office.user, now=NOW + timedelta(hours=2))
    assert bulk.apply(act=act, by=office.user, now=NOW).status == "done"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"to": TODAY, "at": "09:59"}, "已经过去"),
        ({"at": "25:00"}, "有效"),
        ({"to": TODAY + 40 * DAY}, "不早于开诊"),
        ({"to": TOMORROW, "at": "06:00"}, "没有更晚"),
        ({"kinds": ()}, "至少选一种号池"),
        ({"reason": " "}, "写明原因"),
        ({"day": TODAY + 9 * DAY}, "没有还能调整的号"),
        ({"day": "9999-12-31"}, "没有办成"),
        ({"to": "9999-12-31"}, "有效"),
    ],
)
def test_a_hold_that_may_not_be_is_refused_in_place_with_all_that_was_typed(office, said, sentence):
    schedule = tomorrows()

    response = held_back(office, **said)

    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert 'value="系统升级"' in page or "reason" in said
    assert not BulkAct.objects.exists()
    assert moment(schedule).opens_at == SEVEN


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"first_day": TODAY - DAY}, "就诊日已经过去"),
        ({"last_day": TODAY + 60 * DAY}, "一次最多 14 天"),
        ({"last_day": TODAY}, "不能早于开始日"),
        ({"kinds": ["partner"], "to_time": "10:05"}, "公共号要到"),
        ({"kinds": ["team"]}, "不在"),
        ({"to_day": "9999-12-31"}, "有效"),
    ],
)
def test_an_extra_release_out_of_order_is_refused_in_place(office, said, sentence):
    day = tomorrows().day
    asked = {"first_day": day, "last_day": day, "kinds": ["public"], "to_day": TODAY, "to_time": "12:00"}

    response = post(office, "office_extra_release", **asked | said)

    assert (response.status_code, sentence in response.content.decode()) == (422, True)
    assert not BulkAct.objects.exists()


def test_the_office_of_one_department_sees_and_holds_its_own_alone(client):
    own, other = tomorrows(), tomorrows()
    client.user = StaffFactory()
    RoleAssignment.objects.create(
        user=client.user, role="office", organization=OrganizationFactory(), department=own.department
    )
    client.force_login(client.user)
    BulkAct.objects.create(
        organization=other.organization, kind="hold", status="done", schedules=[other.pk], by=StaffFactory(),
        created_at=NOW, done_at=NOW,
    )  # fmt: skip

    page = client.get(f"/office/releases/?day={TOMORROW}")
    assert page.context["acts"] == []
    assert [line.name for line in page.context["listed"].lines] == [own.department.name]
    assert page.context["listed"].sums == [10]
    assert held_back(client, departments=[other.department_id]).status_code == 422
    held_back(client)
    bulk.apply(act=BulkAct.objects.get(by=client.user), by=client.user, now=NOW)

    assert moment(own).opens_at > SEVEN
    assert moment(other).opens_at == SEVEN
