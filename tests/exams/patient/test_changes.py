"""Moving one exam and giving it back: until when, what follows, and what the others of the day want (E3, E5)."""

from datetime import time, timedelta

import pytest

from exams.models import ExamBooking, ExamGroup, OrderingRule
from exams.services import devices
from hospital import clock
from hospital.models import Fact
from tests.bookings.test_calendar import event_of
from tests.bookings.test_cards import words_of
from tests.factories import NOW, OrganizationFactory, UserFactory, exam_booking_row
from tests.messages.test_notices import worker

from .scenes import SOON, abdomen, asked_for, at, booked, signed, slots

pytestmark = pytest.mark.django_db


def group(code, *variants):
    row = ExamGroup.objects.create(organization=OrganizationFactory(), code=code, name=code)
    for variant in variants:
        variant.groups.add(row)
    return row


def test_moving_keeps_the_booking_and_gives_the_old_time_back(mine):
    row = booked(mine, asked_for(mine.person))
    first, start = f"/exams/bookings/{row.pk}/", row.start
    page = mine.get(f"{first}move/")
    assert "现在的时间" in words_of(page)
    slot = slots(page)[-1]
    answers = [mine.post(f"{first}move/", {"slot": slot}) for _n in range(2)]

    assert {answer.url for answer in answers} == {first}
    row.refresh_from_db()
    assert row.start != start
    assert ExamBooking.objects.filter(holds=True).count() == 1
    assert Fact.objects.filter(topic="exam.moved").count() == 1
    assert "已改时间" in words_of(mine.get(first))


def test_a_day_with_nothing_but_the_own_time_says_so(mine):
    """E5: no button that could only refuse; the day is not called open."""
    row = booked(mine, asked_for(mine.person, abdomen(days=(2, 3))))
    row.device.sessions.filter(day=row.day).update(during=row.during)
    address = f"/exams/bookings/{row.pk}/move/?day={row.day}"
    page = words_of(mine.get(address))
    assert "现在的时间" in page
    assert "这一天没有空的时间" in page
    assert "改到选好的时间" not in page
    assert "无空" in page


def test_a_day_that_costs_one_more_trip_says_so_before_it_is_chosen(mine):
    """E3, E5"""
    row = booked(mine, asked_for(mine.person, abdomen(days=(2, 3))))
    address = f"/exams/bookings/{row.pk}/move/?day={row.day + timedelta(days=1)}"
    alone = words_of(mine.get(address))
    booked(mine, asked_for(mine.person, abdomen(days=(2,), name="钡餐", preparation=False)), place=2)
    page = words_of(mine.get(address))

    assert "多来一次" not in alone
    assert "改到这一天要多来一次医院：11月25日 周三您还是要来（钡餐）。" in page
    assert "多来一次" not in words_of(mine.get(f"/exams/bookings/{row.pk}/move/?day={row.day}"))


def test_a_time_against_the_order_of_the_others_is_refused_with_the_rules_own_sentence(mine):
    """E3: ultrasound before the barium meal; the times that would break it are not offered, and not taken."""
    sono, meal = abdomen(days=(2, 3)), abdomen(days=(2, 3), name="钡餐", preparation=False)
    signed(OrderingRule, name="先超声后钡餐", why="钡剂会挡住超声，先做超声。",
           first_group=group("sono", sono), second_group=group("barium", meal))  # fmt: skip
    row = booked(mine, asked_for(mine.person, sono))
    barium = booked(mine, asked_for(mine.person, meal), place=1)
    assert barium.start > row.start
    device, late = row.device_id, clock.at(SOON, time(9, 40))
    page = mine.post(f"/exams/bookings/{row.pk}/move/", {"slot": f"{device}@{late.isoformat()}"})

    assert page.status_code == 409
    assert "钡剂会挡住超声，先做超声" in page.content.decode()
    assert "原来的时间还给您留着" in page.content.decode()
    row.refresh_from_db()
    assert row.start < barium.start


def test_after_the_deadline_the_buttons_are_grey_and_the_act_is_refused_with_whom_to_call(mine):
    """E5: two hours before, unless the house's rule says otherwise."""
    row = booked(mine, asked_for(mine.person))
    first = f"/exams/bookings/{row.pk}/"
    with at(mine, row.start - timedelta(minutes=119)):
        page = mine.get(first)
        assert 'aria-disabled="true">取消这项' in page.content.decode()
        assert "11月25日 06:00" in words_of(page)
        for act in ("cancel/", "move/"):
            assert "请致电检查预约中心" in words_of(mine.get(first + act))
            refused = mine.post(
                first + act, {"slot": f"{row.device_id}@{(row.start + timedelta(minutes=30)).isoformat()}"}
            )
            assert refused.status_code == 409
    row.refresh_from_db()
    assert row.status == "booked"


def test_who_is_too_late_to_check_in_is_not_asked_to_come(mine):
    """E5: also while nobody has marked the exam as missed yet, and on the day after."""
    row = exam_booking_row(request=asked_for(mine.person))
    address = f"/exams/bookings/{row.pk}/"
    with at(mine, row.start):
        assert "请现在就来报到" in words_of(mine.get(address))
    for later in (timedelta(hours=3), timedelta(days=1)):
        with at(mine, row.start + later):
            page = words_of(mine.get(address))
            assert "报到时间已过，请致电检查预约中心。" in page
            assert "请现在就来报到" not in page
            assert "禁食" not in page + words_of(mine.get("/exams/"))


def test_what_follows_is_said_before_and_cancelling_twice_is_once(mine):
    wanted = asked_for(mine.person)
    row = booked(mine, wanted)
    first = f"/exams/bookings/{row.pk}/"
    page = words_of(mine.get(f"{first}cancel/"))
    assert "11月25日 06:00前取消不收钱" in page
    assert "以后可以重新预约" in page

    answers = [mine.post(f"{first}cancel/") for _n in range(2)]
    assert {answer.url for answer in answers} == {first}
    assert Fact.objects.filter(topic="exam.cancelled").count() == 1
    wanted.refresh_from_db()
    assert wanted.status == "open"
    assert "重新预约" in words_of(mine.get(first))
    assert "预约这项检查" in words_of(mine.get("/exams/"))


def test_a_held_time_is_given_up_at_once_and_the_others_of_the_day_stay(mine):
    variant = abdomen()
    stays = booked(mine, asked_for(mine.person, variant), place=2)
    page = words_of(mine.get(f"/exams/bookings/{booked(mine, asked_for(mine.person, variant)).pk}/cancel/"))
    assert "同一天的其他检查不取消" in page
    stays.refresh_from_db()
    assert stays.status == "booked"


def test_a_complicated_exam_is_moved_with_the_house_and_given_back_alone(mine):
    row = exam_booking_row(request=asked_for(mine.person, abdomen(simple=False)))
    first = f"/exams/bookings/{row.pk}/"
    assert "要和工作人员一起换时间" in words_of(mine.get(f"{first}move/"))
    assert mine.post(f"{first}cancel/").url == first


def test_when_the_device_is_down_no_deadline_holds(mine):
    row = exam_booking_row(request=asked_for(mine.person, abdomen(days=(4,))))
    devices.take_down(device=row.device, during=row.session.during, cause="fault", reason="", by=UserFactory(), now=NOW)
    worker()
    offer = ExamBooking.objects.get(status="pending")
    first = f"/exams/bookings/{row.pk}/"
    listed = words_of(mine.get("/exams/"))
    assert "设备停机" in listed
    assert "看准备并确认" not in listed  # what is kept for them is taken where the question is answered
    assert "设备停机，腹部超声要改时间或取消" in words_of(mine.get("/book/"))
    assert mine.post(f"/exams/bookings/{offer.pk}/confirm/", {"read": "1"}).status_code == 404
    assert f"{first}answer/" in mine.get(first).content.decode()  # the question, with the time that is kept
    assert {mine.get(f"{first}{act}/").url for act in ("move", "cancel")} == {f"{first}answer/"}
    with at(mine, row.start - timedelta(minutes=5)):
        page = words_of(mine.get(first))
        assert "不限时间，也不算爽约" in page
        assert mine.post(f"{first}cancel/").url == first
    row.refresh_from_db()
    offer.refresh_from_db()
    assert (row.status, offer.status, row.request.status) == ("cancelled", "cancelled", "open")
    assert "预约这项检查" in words_of(mine.get("/exams/"))  # nothing keeps them from booking it again


def test_the_calendar_file_says_when_to_be_there_how_to_prepare_and_follows_the_booking(mine):
    """V1: and no more of the person than the page."""
    row = booked(mine, asked_for(mine.person))
    address = f"/exams/bookings/{row.pk}/calendar.ics"
    seen = [event_of(mine.get(address).content)]
    assert seen[0].start == row.stay.lower
    for words in ("周*明", "07:45到", "11月24日 22:00后禁食，做完腹部超声再吃", "11月25日 06:00前取消"):
        assert words in seen[0]["DESCRIPTION"]
    mine.post(f"/exams/bookings/{row.pk}/move/", {"slot": slots(mine.get(f"/exams/bookings/{row.pk}/move/"))[-1]})
    seen.append(event_of(mine.get(address).content))
    mine.post(f"/exams/bookings/{row.pk}/cancel/")
    seen.append(event_of(mine.get(address).content))

    assert len({str(event["UID"]) for event in seen}) == 1
    assert [int(event["SEQUENCE"]) for event in seen] == [0, 1, 2]
    assert str(seen[2]["STATUS"]) == "CANCELLED"
