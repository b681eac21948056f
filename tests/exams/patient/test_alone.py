"""One simple exam booked alone: questions, time, preparation, confirm; and all that may go wrong (E2, E4)."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from exams.models import Device, ExamBooking, ExamNoShow, ExamRequest, ScreeningQuestion
from exams.services import booking
from hospital import consents
from hospital.models import AuditEvent
from tests.bookings.test_cards import words_of
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    NoticeFactory,
    exam_booking_row,
    exam_variant,
    open_device,
)

from .scenes import abdomen, account_with, asked_for, booked, hold, people, question, slots

pytestmark = pytest.mark.django_db


def test_questions_time_preparation_and_the_card(mine):
    """E2, E4: three pages; what must be done before stands with its clock time."""
    wanted = asked_for(mine.person)
    question(items=[wanted.variant.item])
    start = f"/exams/requests/{wanted.pk}/"
    assert "预约这项检查" in words_of(mine.get("/exams/"))
    assert "体内有金属植入物吗" in words_of(mine.get(start))
    assert mine.get(f"{start}times/").url == start  # the questions come first

    times = mine.post(start, {"q-implant": "no"})
    assert times.url == f"{start}times/"
    page = words_of(mine.get(times.url))
    assert "11月25日 周三" in page
    assert "08:00–08:30" in page
    shut = words_of(mine.get(f"{times.url}?day={TODAY}"))
    assert "这一天不开放这项检查" in shut  # not: somebody else was quicker
    assert "不开放" in shut.partition("这一天")[0]
    row = hold(mine, wanted)
    held = words_of(mine.get(f"/exams/bookings/{row.pk}/confirm/"))
    for words in (
        "为您留到 10:10（还有 10",
        "11月24日 周二 22:00后禁食",
        "检查前8小时不吃东西",
        "请 07:45 到院报到",
        "¥180.00",
    ):
        assert words in held, words

    done = mine.post(f"/exams/bookings/{row.pk}/confirm/", {"read": "1"})
    card = words_of(mine.get(done.url))
    assert "约好了" in card
    assert "11月24日 周二 22:00后禁食" in card
    wanted.refresh_from_db()
    assert (wanted.status, wanted.answers) == ("booked", {"implant": "no"})
    assert AuditEvent.objects.filter(action="exam.preparation_read", subject=f"exam:{row.pk}").count() == 1
    listed = words_of(mine.get("/exams/"))
    assert "11月24日 周二 22:00后禁食" in listed
    assert "预约这项检查" not in listed


def test_without_questions_the_first_page_leads_on_to_the_times(mine):
    wanted = asked_for(mine.person)
    assert mine.get(f"/exams/requests/{wanted.pk}/").url == f"/exams/requests/{wanted.pk}/times/"


def test_what_is_missing_or_made_up_keeps_what_was_answered(mine):
    wanted = asked_for(mine.person)
    question(items=[wanted.variant.item])
    question("fever", text="现在发烧吗？", items=[wanted.variant.item])
    page = mine.post(f"/exams/requests/{wanted.pk}/", {"q-implant": "no", "q-fever": "perhaps"})

    assert page.status_code == 422
    assert "请从下面的答案里选一个" in page.content.decode()
    assert 'value="no" required checked' in page.content.decode()
    wanted.refresh_from_db()
    assert wanted.answers == {}


def test_an_answer_that_refuses_is_said_with_where_to_go_written_down_and_can_be_put_right(mine):
    wanted = asked_for(mine.person)
    question(items=[wanted.variant.item])
    start = f"/exams/requests/{wanted.pk}/"
    page = mine.post(start, {"q-implant": "yes"})

    assert page.status_code == 409
    assert "有金属植入物的，不能做这项检查" in page.content.decode()
    assert "检查预约中心" in page.content.decode()
    wanted.refresh_from_db()
    assert wanted.answers == {"implant": "yes"}
    assert mine.get(f"{start}times/").url == start
    assert mine.post(start, {"q-implant": "no"}).url == f"{start}times/"


def test_an_answer_of_the_doctor_that_stops_is_not_answered_away(mine):
    wanted = asked_for(mine.person, answers={"implant": "yes"})
    question(items=[wanted.variant.item])
    page = mine.post(f"/exams/requests/{wanted.pk}/", {"q-implant": "no"})

    assert page.status_code == 409
    assert "工作人员已记下" in page.content.decode()
    wanted.refresh_from_db()
    assert wanted.answers == {"implant": "yes"}


def test_a_complicated_exam_says_where_it_is_booked(mine):
    wanted = asked_for(mine.person, abdomen(simple=False))
    house = wanted.organization
    house.phone = "0512-6600"
    house.save()
    assert "这项要和工作人员一起安排" in words_of(mine.get("/exams/"))

    page = words_of(mine.get(f"/exams/requests/{wanted.pk}/"))
    assert "不能自己在网上预约" in page
    assert "0512-6600" in page
    assert mine.post(f"/exams/requests/{wanted.pk}/", {}).status_code == 409
    assert mine.get(f"/exams/requests/{wanted.pk}/times/").url == f"/exams/requests/{wanted.pk}/"


def test_nothing_is_confirmed_that_was_not_read(mine):
    row = hold(mine, asked_for(mine.person))
    page = mine.post(f"/exams/bookings/{row.pk}/confirm/", {})

    assert page.status_code == 422
    assert "请先看完检查准备" in page.content.decode()
    row.refresh_from_db()
    assert row.status == "pending"


def test_who_books_at_the_last_hour_hears_before_that_it_cannot_be_given_back_alone(mine):
    row = hold(mine, asked_for(mine.person))
    address, late = f"/exams/bookings/{row.pk}/confirm/", row.start - timedelta(hours=1)
    assert "11月25日 06:00前可以在网上取消或改时间" in words_of(mine.get(address))
    ExamBooking.objects.filter(pk=row.pk).update(hold_until=late + timedelta(minutes=10))
    with time_machine.travel(late, tick=False):
        mine.force_login(mine.user, backend="django.contrib.auth.backends.ModelBackend")
        page = words_of(mine.get(address))
    assert "已过自助取消或改时间的截止时间（11月25日 06:00）" in page
    assert "前可以在网上取消" not in page


def test_pressed_twice_and_the_back_button_are_one_booking(mine):
    wanted = asked_for(mine.person)
    address = f"/exams/requests/{wanted.pk}/times/"
    slot = slots(mine.get(address))[0]
    first, again = (mine.post(address, {"slot": slot}) for _n in range(2))
    assert first.url == again.url

    other = mine.post(address, {"slot": slots(mine.get(address))[1]})  # back, and another time
    assert ExamBooking.objects.filter(holds=True).count() == 1
    pressed = [mine.post(other.url, {"read": "1"}).url for _n in range(2)]
    assert pressed[0] == pressed[1] == other.url.replace("confirm", "done")
    assert mine.get(other.url).url == pressed[0]
    assert mine.get(address).url == f"/exams/requests/{wanted.pk}/"
    assert "已经预约" in words_of(mine.get(f"/exams/requests/{wanted.pk}/"))


def test_pressed_twice_at_once_the_page_that_opens_still_holds_the_time(mine):
    """Each press has looked before the other wrote, so each comes with a basket of its own."""
    wanted = asked_for(mine.person)
    device, _at, start = slots(mine.get(f"/exams/requests/{wanted.pk}/times/"))[0].partition("@")
    asked = {"request": wanted, "device": Device.objects.get(pk=device), "start": datetime.fromisoformat(start)}
    held = [booking.hold_one(**asked, channel="web", by=mine.user, basket=uuid4(), now=NOW) for _n in range(2)]
    assert held[0] == held[1]
    assert "留到" in words_of(mine.get(f"/exams/bookings/{held[0].pk}/confirm/"))


def test_a_hold_that_ran_out_is_said_and_books_nothing(mine):
    wanted = asked_for(mine.person)
    row = hold(mine, wanted)
    with time_machine.travel(NOW + timedelta(minutes=11), tick=False):
        page = mine.get(f"/exams/bookings/{row.pk}/confirm/")
        assert "留时间已到" in words_of(page)
        pressed = mine.post(f"/exams/bookings/{row.pk}/confirm/", {"read": "1"})
        assert pressed.status_code == 409
        assert "留时间已到" in pressed.content.decode()
        assert "预约这项检查" in words_of(mine.get("/exams/"))
        assert booked(mine, wanted, place=1).status == "booked"


def test_a_time_that_somebody_took_is_said_over_the_fresh_list(mine):
    variant = abdomen()
    wanted = asked_for(mine.person, variant)
    address = f"/exams/requests/{wanted.pk}/times/"
    first = slots(mine.get(address))[0]
    other = account_with("李秀英")
    mine.force_login(other)
    hold(mine, asked_for(people(other)[0], variant))
    mine.force_login(mine.user)
    page = mine.post(address, {"slot": first})

    assert page.status_code == 409
    assert "刚被占用" in page.content.decode()
    assert first not in slots(page)
    assert ExamBooking.objects.filter(request=wanted).count() == 0


NO_TIMES = ("", "x", "1@", "@2026", "1@yesterday", "9" * 90, "0@2026-11-25T00:00:00Z", "1@9999-12-31T23:59:59Z")


def test_a_made_up_time_is_a_sentence(mine):
    wanted = asked_for(mine.person)
    for slot in NO_TIMES:
        page = mine.post(f"/exams/requests/{wanted.pk}/times/?day=2026-02-30", {"slot": slot})
        assert (page.status_code, "请先选一个检查时间。" in page.content.decode()) == (422, True), slot


def test_somebody_elses_exam_does_not_exist(mine):
    theirs = asked_for(people(account_with("李秀英"))[0])
    row = exam_booking_row(request=theirs)
    for address in (f"requests/{theirs.pk}/", f"requests/{theirs.pk}/times/", f"bookings/{row.pk}/"):
        assert mine.get(f"/exams/{address}").status_code == 404
    for act in ("confirm/", "done/", "move/", "cancel/", "calendar.ics"):
        assert mine.get(f"/exams/bookings/{row.pk}/{act}").status_code == 404
        assert mine.post(f"/exams/bookings/{row.pk}/{act}").status_code in {404, 405}
    row.refresh_from_db()
    assert row.status == "booked"


def test_who_missed_three_is_told_until_when_and_where_to_go(mine):
    wanted = asked_for(mine.person)
    for days in (1, 2, 3):
        row = exam_booking_row(request=ExamRequestFactory(patient=mine.person, variant=wanted.variant),
                               start=None, status="noshow", holds=False, ended_at=NOW, confirmed_at=NOW,
                               device=open_device(wanted.variant, days=()))  # fmt: skip
        ExamNoShow.objects.create(booking=row, patient=mine.person, day=TODAY - timedelta(days=days), marked_at=NOW)
    page = mine.get(f"/exams/requests/{wanted.pk}/")
    assert "自助预约检查暂停到" in words_of(page)
    assert mine.get(f"/exams/requests/{wanted.pk}/times/").url == f"/exams/requests/{wanted.pk}/"


def test_consent_is_asked_before_anything_is_answered_or_confirmed(mine):
    """O4."""
    wanted = asked_for(mine.person)
    row = hold(mine, wanted)
    NoticeFactory(kind="health")
    assert mine.get(f"/exams/requests/{wanted.pk}/times/").url == f"/exams/requests/{wanted.pk}/"
    assert "需要先看过并同意告知书" in words_of(mine.get(f"/exams/requests/{wanted.pk}/"))
    assert mine.post(f"/exams/bookings/{row.pk}/confirm/", {"read": "1"}).status_code == 409

    for notice in consents.missing(mine.user, mine.person, NOW):
        consents.give(account=mine.user, notice=notice, patient=mine.person, now=NOW)
    assert mine.post(f"/exams/bookings/{row.pk}/confirm/", {"read": "1"}).status_code == 302


def test_a_person_whom_nobody_proved_shows_nothing_of_the_doctors_requests(mine):
    """B22: a name and a document number are for sale."""
    mine.user.family.update(proof="registered")
    wanted = asked_for(mine.person)
    page = words_of(mine.get("/exams/"))
    assert "腹部超声" not in page
    assert "请带证件到窗口核验一次" in page
    assert mine.get(f"/exams/requests/{wanted.pk}/").status_code == 404


def test_a_form_from_elsewhere_does_nothing(mine):
    """CSRF."""
    row = hold(mine, asked_for(mine.person))
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(mine.user, backend="django.contrib.auth.backends.ModelBackend")
    for address in (f"requests/{row.request_id}/", f"requests/{row.request_id}/times/", f"bookings/{row.pk}/confirm/",
                    f"bookings/{row.pk}/move/", f"bookings/{row.pk}/cancel/"):  # fmt: skip
        assert careful.post(f"/exams/{address}", {"read": "1"}).status_code == 403
    row.refresh_from_db()
    assert row.status == "pending"


def test_a_birthday_before_the_exam_brings_up_no_question_that_nobody_was_asked(mine):
    """E4: sixty on Tuesday, so the question for those from sixty on is asked on Monday already."""
    born = TODAY.replace(year=TODAY.year - 60) + timedelta(days=1)
    mine.person.birth_date = born
    mine.person.save()
    wanted = asked_for(mine.person)
    ScreeningQuestion.objects.filter(pk=question(items=[wanted.variant.item]).pk).update(min_age=60)

    start = f"/exams/requests/{wanted.pk}/"
    assert "体内有金属植入物吗" in words_of(mine.get(start))
    assert mine.post(start, {"q-implant": "no"}).status_code == 302
    assert booked(mine, wanted).status == "booked"


def test_a_full_house_says_whom_to_call(mine):
    wanted = asked_for(mine.person, exam_variant(name="肺功能"))
    page = words_of(mine.get(f"/exams/requests/{wanted.pk}/times/"))
    assert "28天内没有空的时间" in page
    assert ExamRequest.objects.get().status == "open"


def test_pages_ask_few_questions_of_the_database(mine, django_assert_max_num_queries):
    """However many people, exams and times."""
    variant = abdomen(days=range(1, 15))
    wanted = [asked_for(mine.person, variant) for _n in range(5)]
    question(items=[variant.item])
    ExamRequest.objects.update(answers={"implant": "no"})
    rows = [booked(mine, each, place=place) for place, each in enumerate(wanted[:2])]
    with django_assert_max_num_queries(14):
        mine.get("/exams/")
    with django_assert_max_num_queries(36):
        mine.get(f"/exams/requests/{wanted[4].pk}/times/")
    with django_assert_max_num_queries(12):
        mine.get(f"/exams/bookings/{rows[0].pk}/")
    with django_assert_max_num_queries(36):
        mine.get(f"/exams/bookings/{rows[0].pk}/move/")
    with django_assert_max_num_queries(48):
        mine.get(f"/exams/together/{mine.person.pk}/plans/")
