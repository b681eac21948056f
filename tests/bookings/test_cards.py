"""The success card, the list of bookings, and what each state says (B14, B22, V1)."""

import re
from datetime import time, timedelta

import pytest

from appointments.models import Appointment, NoShow
from appointments.selectors import slips
from appointments.services import booking, changes, extras
from hospital import clock
from hospital.models import PatientIdentifier
from tests.factories import (
    NOW,
    TODAY,
    ConsentFactory,
    DepartmentFactory,
    NoticeFactory,
    PatientFactory,
    RelatedPersonFactory,
    RoomFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)

from .scenes import SOON, account_with, add_person, at, booked, clinic, new_account, people

pytestmark = pytest.mark.django_db

TEXT = re.compile(r"<[^>]+>")


def words_of(response) -> str:
    """What a person reads, blanks as one."""
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", TEXT.sub("", response.content.decode()))


def test_the_success_card_says_all_that_a_patient_needs(mine):
    """V1: when, where, which number, what to bring, how to check in, to give it back and until when, how to come."""
    row = booked(mine, clinic(), mine.person)
    page = words_of(mine.get(f"/bookings/{row.pk}/done/"))

    for words in (
        "约好了",
        "11月26日 周四 上午",
        "08:00–08:30",
        "第 1 号，大约 08:00 叫到",
        "周*明",
        "本部院区",
        "江州市人民路1号",
        "地铁2号线人民医院站B口",
        "¥20.00",
        "到院后缴费",
        "报到时要核对",
        "08:00前15分钟到本部院区",
        "11月25日 15:00前在“我的预约”里退号或改约",
        "90天内满3次，网上预约暂停90天",
        "接下来做什么",
        "加入日历",
    ):
        assert words in page, words
    assert "周志明" not in page


def test_the_code_on_the_card_leads_the_desk_to_the_person(mine):
    row = booked(mine, clinic(), mine.person)

    assert 'aria-label="报到码"' in mine.get(f"/bookings/{row.pk}/done/").content.decode()
    assert slips.patient_of(slips.code_of(row.basket)) == mine.person


def test_only_the_last_four_of_the_document_are_shown(mine):
    row = booked(mine, clinic(), mine.person)
    document = PatientIdentifier.objects.get(patient=mine.person)
    page = mine.get(f"/bookings/{row.pk}/done/").content.decode()

    assert document.last4 in page
    assert document.number not in page


def test_what_was_given_back_since_is_no_success(mine):
    row = booked(mine, clinic(), mine.person)
    changes.cancel(appointment=row, by=mine.user, channel="web", now=NOW)

    assert mine.get(f"/bookings/{row.pk}/done/").url == f"/bookings/{row.pk}/"


@pytest.mark.parametrize("page", ["", "done/", "cancel/", "change/", "confirm/", "calendar.ics"])
def test_somebody_elses_booking_does_not_exist(mine, page):
    other = people(account_with("李秀英"))[0]
    row = appointment_row(clinic(), other)

    assert mine.get(f"/bookings/{row.pk}/{page}").status_code == 404
    assert mine.get(f"/bookings/999999/{page}").status_code == 404


@pytest.mark.parametrize("page", ["cancel/", "change/", "confirm/"])
def test_somebody_elses_booking_can_not_be_touched(mine, page):
    row = appointment_row(clinic(), people(account_with("李秀英"))[0])

    assert mine.post(f"/bookings/{row.pk}/{page}").status_code == 404
    row.refresh_from_db()
    assert row.status == "booked"


def test_the_booking_of_a_person_no_longer_looked_after_does_not_exist(mine):
    row = booked(mine, clinic(), mine.person)
    mine.user.family.update(ended_at=NOW)

    assert mine.get(f"/bookings/{row.pk}/").status_code == 404


def test_both_parents_see_the_childs_booking(mine, client):
    child = add_person(mine.user, "周小雨")
    row = booked(mine, clinic(), child)
    other = new_account()
    RelatedPersonFactory(account=other, patient=child)
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    assert "周*雨" in words_of(client.get(f"/bookings/{row.pk}/"))


# ---- the list ----


def test_the_list_shows_all_people_and_can_be_narrowed_to_one(mine):
    child = add_person(mine.user, "周小雨")
    for patient, day in ((mine.person, 3), (child, 4)):
        appointment_row(open_schedule(day=TODAY + timedelta(days=day)), patient)

    everybody = words_of(mine.get("/bookings/"))
    assert everybody.index("11月26日") < everybody.index("11月27日")
    one = words_of(mine.get(f"/bookings/?patient={child.pk}"))
    assert "11月27日" in one
    assert "11月26日" not in one


def test_narrowing_to_somebody_elses_person_shows_ones_own(mine):
    stranger = people(account_with("李秀英"))[0]
    appointment_row(clinic(), stranger)

    page = words_of(mine.get(f"/bookings/?patient={stranger.pk}"))
    assert "没有要去看的预约" in page
    assert "李*英" not in page


def test_what_staff_booked_appears_with_its_channel(mine):
    appointment_row(clinic(), mine.person, channel="consult")
    assert "诊间预约" in words_of(mine.get("/bookings/"))


def test_a_held_number_shows_its_clock_and_is_confirmed(mine):
    schedule = clinic()
    held = booking.book(schedule=schedule, patient=mine.person, channel="app", by=mine.user, request_key="k", now=NOW)
    assert "请在 10:15 前确认（还有 15" in words_of(mine.get("/bookings/"))

    done = mine.post(f"/bookings/{held.pk}/confirm/")
    assert done.url == f"/bookings/{held.pk}/done/"
    assert mine.post(f"/bookings/{held.pk}/confirm/").url == done.url
    held.refresh_from_db()
    assert held.status == "booked"


@pytest.mark.parametrize(("numbers", "then"), [(2, "free"), (1, "resting")], ids=["others are left", "sold out"])
def test_a_held_number_is_given_up_and_rests_only_while_it_is_in_demand(mine, numbers, then):
    """B14: who waits for the very second finds nothing to wait for."""
    schedule = clinic(numbers=numbers)
    held = booking.book(schedule=schedule, patient=mine.person, channel="app", by=mine.user, request_key="k", now=NOW)
    mine.post(f"/bookings/{held.pk}/cancel/")

    assert schedule.slots.get(number=1).status == then
    assert "您放弃了这个号" in words_of(mine.get("/bookings/"))


def test_a_held_number_is_confirmed_only_with_the_consent_that_booking_asks_for(mine):
    """O4: as a program is told; agreed to, the same click confirms."""
    notice = NoticeFactory(kind="health")
    held = appointment_row(clinic(), mine.person, status="pending", channel="app")
    held.slot.hold_until = NOW + timedelta(minutes=9)
    held.slot.save()

    asked = mine.post(f"/bookings/{held.pk}/confirm/")

    [person] = mine.user.family.all()
    assert asked.url == f"/me/family/{person.pk}/consent/?next=%2Fbookings%2F{held.pk}%2F"
    assert "预约前，需要先看过并同意告知书。" in mine.get(asked.url).content.decode()
    held.refresh_from_db()
    assert held.status == "pending"
    ConsentFactory(account=mine.user, notice=notice, patient=mine.person)
    assert mine.post(f"/bookings/{held.pk}/confirm/").url == f"/bookings/{held.pk}/done/"


def test_a_hold_whose_time_is_over_is_not_confirmed_and_says_so(mine):
    held = appointment_row(clinic(), mine.person, status="pending", channel="app")
    held.slot.hold_until = NOW - timedelta(seconds=1)
    held.slot.save()

    page = mine.post(f"/bookings/{held.pk}/confirm/", follow=True)
    assert "锁号已过期，号已放回" in words_of(page)
    assert "已过期" in words_of(page)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("self", "您自己退的号"),
        ("desk", "医院工作人员退的号（窗口）"),
        ("family", "家人或本人退的号（手机）"),
    ],
)
def test_a_cancelled_visit_says_by_whom_and_why(mine, act, said):
    row = booked(mine, clinic(), mine.person)
    by, channel = {
        "self": (mine.user, "web"),
        "desk": (UserFactory(), "counter"),
        "family": (UserFactory(), "app"),
    }[act]
    changes.cancel(appointment=row, by=by, channel=channel, reason="医生会诊", now=NOW)

    for address in ("/bookings/", f"/bookings/{row.pk}/"):
        page = words_of(mine.get(address))
        assert said in page
        assert "医生会诊" in page


def test_a_stopped_clinic_says_what_to_do_and_can_be_given_back_after_the_cut_off(mine):
    schedule = clinic(day=TODAY + timedelta(days=1))
    row = booked(mine, schedule, mine.person)
    extras.suspend(schedule=schedule, by=None, reason="医生外出会诊", now=NOW)
    with at(mine, schedule.starts_at - timedelta(hours=1)):
        page = words_of(mine.get(f"/bookings/{row.pk}/"))
        assert "这次门诊停诊了" in page
        assert "医生外出会诊" in page
        assert mine.post(f"/bookings/{row.pk}/cancel/").status_code == 302
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_a_missed_visit_says_so_without_a_button(mine):
    row = appointment_row(clinic(day=TODAY - timedelta(days=3)), mine.person, status="noshow")
    NoShow.objects.create(appointment=row, patient=mine.person, day=row.day, marked_at=NOW)

    page = words_of(mine.get(f"/bookings/{row.pk}/"))
    assert "记了一次爽约" in page
    assert "退号" not in page.replace("预约", "").replace("已退号", "")


def test_what_is_over_goes_by_pages(mine):
    for day in range(1, 13):
        appointment_row(open_schedule(day=TODAY - timedelta(days=day)), mine.person, status="fulfilled")

    first, second = words_of(mine.get("/bookings/")), words_of(mine.get("/bookings/?page=2"))
    assert "第1页，共2页" in first
    assert first.count("已就诊") == 10
    assert second.count("已就诊") == 2
    assert "没有要去看的预约" not in second
    assert words_of(mine.get("/bookings/?page=x")) == first


@pytest.mark.parametrize("rows", [1, 9])
def test_the_list_asks_as_many_questions_for_many_bookings_as_for_few(mine, rows, django_assert_max_num_queries):
    for n in range(rows):
        appointment_row(open_schedule(day=TODAY + timedelta(days=n + 1)), mine.person)
        gone = appointment_row(open_schedule(day=TODAY - timedelta(days=n + 1)), mine.person)
        changes.cancel(appointment=gone, by=None, channel="counter", now=NOW)
    mine.get("/bookings/")

    with django_assert_max_num_queries(10):
        mine.get("/bookings/")


def test_the_detail_page_is_cheap(mine, django_assert_max_num_queries):
    row = booked(mine, clinic(), mine.person)
    with django_assert_max_num_queries(8):
        mine.get(f"/bookings/{row.pk}/")


def test_an_add_on_after_the_end_shows_its_own_minutes(mine):
    schedule = clinic(numbers=1, minutes=240)
    doctor = UserFactory()
    row = extras.add_extra(schedule=schedule, patient=mine.person, by=doctor, reason="复查", request_key="k", now=NOW)

    assert "12:00–16:00" in words_of(mine.get(f"/bookings/{row.pk}/"))


def test_today_after_midnight_is_still_ahead_and_yesterday_is_over(mine):
    """The hospital's day, not UTC's: at 00:30 here it is still yesterday there."""
    today = appointment_row(open_schedule(day=SOON), mine.person)
    yesterday = appointment_row(open_schedule(day=SOON - timedelta(days=1)), mine.person)

    with at(mine, clock.at(SOON, time(0, 30))):
        page = mine.get("/bookings/")
        assert [card.row for card in page.context["coming"]] == [today]
        assert [card.row for card in page.context["past"]] == [yesterday]


def test_other_peoples_bookings_never_stand_in_the_list(mine):
    appointment_row(clinic(), PatientFactory(name="李秀英"))
    assert "没有要去看的预约" in words_of(mine.get("/bookings/"))
    assert Appointment.objects.count() == 1


# ---- one place, one time, and nothing to come to when there is nothing to come to ----


def test_a_floor_that_department_and_room_both_name_is_said_once_and_alike_everywhere(mine):
    schedule = clinic(
        department=DepartmentFactory(location="门诊楼 3 层"), room=RoomFactory(name="01诊室", floor="3层")
    )
    row = booked(mine, schedule, mine.person)
    page = f"/bookings/{row.pk}/"

    for address in (page, "/bookings/", "/book/", f"{page}change/", f"{page}cancel/"):
        words = words_of(mine.get(address))
        assert "本部院区 门诊楼 3 层 01诊室" in words, address
        assert "3层 01诊室" not in words, address
    file = mine.get(f"{page}calendar.ics").content.decode().replace("\r\n ", "")
    assert "本部院区 门诊楼 3 层 01诊室" in file


def test_a_room_elsewhere_than_its_department_keeps_its_floor(mine):
    room = RoomFactory(name="01诊室", floor="5层")
    assert DepartmentFactory(location="门诊楼 3 层").way_to(room) == "门诊楼 3 层 5层 01诊室"
    assert DepartmentFactory(location="").way_to(room) == "5层 01诊室"


def test_a_cancelled_or_stopped_card_promises_no_call_and_asks_for_no_money(mine):
    given_back = booked(mine, clinic(), mine.person)
    changes.cancel(appointment=given_back, by=mine.user, channel="web", now=NOW)
    schedule = clinic(day=SOON + timedelta(days=1))
    stopped = booked(mine, schedule, mine.person)
    extras.suspend(schedule=schedule, by=None, reason="医生外出会诊", now=NOW)

    for row in (given_back, stopped):
        words = words_of(mine.get(f"/bookings/{row.pk}/"))
        assert "叫到" not in words
        assert "到院后缴费" not in words
    assert "这次门诊停诊了，请改约或退号" in words_of(mine.get("/book/"))


def test_a_stopped_number_leads_to_the_other_doctors_of_the_department(mine):
    schedule = clinic()
    row = booked(mine, schedule, mine.person)
    link = f'href="/book/departments/{schedule.department_id}/">看同科室其他医生'
    assert link not in mine.get(f"/bookings/{row.pk}/").content.decode()
    extras.suspend(schedule=schedule, by=None, reason="医生外出会诊", now=NOW)

    for address in (f"/bookings/{row.pk}/", f"/bookings/{row.pk}/change/"):
        assert link in mine.get(address).content.decode()


def test_who_books_at_the_last_minute_is_sent_to_the_desk_now(mine):
    schedule = clinic()
    row = appointment_row(schedule, mine.person, number=4)
    with at(mine, schedule.starts_at + timedelta(minutes=35)):
        words = words_of(mine.get(f"/bookings/{row.pk}/"))
    assert "请现在就到本部院区" in words
    assert "前15分钟" not in words


def test_the_home_page_shows_the_slice_as_the_list_does(mine):
    appointment_row(clinic(), mine.person, number=2)
    assert "11月26日 周四 08:00–08:30" in words_of(mine.get("/book/"))
    assert "11月26日 周四 08:00–08:30" in words_of(mine.get("/bookings/"))
