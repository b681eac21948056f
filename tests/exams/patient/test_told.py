"""What patients hear of their exams, and when (E2, E4, V1)."""

from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from exams.models import ExamBooking
from exams.services import booking as core
from exams.services import notices, reminders
from hospital import clock, messages, outbox
from hospital.models import Message
from tests.bookings.test_cards import words_of
from tests.factories import NOW, TODAY, ExamRequestFactory, PatientFactory, exam_booking_row, exam_variant
from tests.messages.test_notices import worker

from .scenes import SOON, abdomen, asked_for, at, booked, eve, fasting, slots

pytestmark = pytest.mark.django_db


def texts(*, language="zh-hans"):
    rows = Message.objects.filter(channel="sms").order_by("id")
    return [messages.wording_of(row, language=language).body for row in rows]


def told():
    return list(Message.objects.filter(channel="sms").order_by("id").values_list("template", "status"))


def test_booking_moving_and_cancelling_are_told_each_once_in_their_order(mine):
    row = booked(mine, asked_for(mine.person))
    worker()
    mine.post(f"/exams/bookings/{row.pk}/move/", {"slot": slots(mine.get(f"/exams/bookings/{row.pk}/move/"))[-1]})
    worker()
    mine.post(f"/exams/bookings/{row.pk}/cancel/")
    worker()

    assert [template for template, _status in told()] == ["exam.booked", "exam.moved", "exam.cancelled"]
    booked_text, moved, cancelled = texts()
    assert booked_text.startswith(
        "【江州市中心医院】周*明您好，已为您预约检查：11月25日 星期三 08:00 腹部超声。请11月25日 星期三 07:45到"
    )
    assert (
        "11月24日 星期二 22:00后禁食，做完腹部超声再吃。如不能来，请在11月25日 星期三 06:00前取消或改时间。"
        in booked_text
    )
    assert "已改到11月26日" in moved or "已改到11月25日 星期三 09:30" in moved
    assert "原时间11月25日 星期三 08:00不再保留" in moved
    assert "的腹部超声预约已取消" in cancelled
    assert "重新预约" in cancelled
    assert all("周志明" not in text for text in texts())


def test_exams_of_one_sitting_that_move_together_are_told_of_once(mine):
    first = booked(mine, asked_for(mine.person))
    second = ExamRequestFactory(patient=mine.person, variant=exam_variant(name="肝功能", modality="lab", minutes=5))
    other = exam_booking_row(request=second, session=first.session, start=first.during.upper, status="booked")
    worker()
    Message.objects.all().delete()
    with transaction.atomic():
        for row in (first, other):
            said = {"booking": row.pk, "from_start": row.start.isoformat(), "together": [first.pk, other.pk]}
            outbox.publish(topic="exam.moved", key=f"exam:{row.pk}", payload=said, actor=None, now=NOW)
    worker()
    [text] = texts()
    assert "您的腹部超声、肝功能已改到" in text


def test_what_was_booked_in_one_go_is_told_in_one_message(mine):
    basket, rows = uuid4(), []
    variant = abdomen()
    for hour in (0, 20):
        request = asked_for(mine.person, variant)
        start = clock.at(SOON, time(8)) + timedelta(minutes=hour)
        rows.append(
            core.hold_one(request=request, device=variant.abilities.get().device, start=start, channel="counter",
                          by=None, basket=basket if hour else None, now=NOW)
        )  # fmt: skip
    ExamBooking.objects.filter(pk=rows[0].pk).update(basket=basket)
    core.confirm(basket=basket, by=None, now=NOW)
    worker()

    [text] = texts()
    assert "11月25日 星期三 08:00 腹部超声；11月25日 星期三 08:20 腹部超声。" in text
    assert text.count("禁食") == 1


def test_the_words_stand_in_english_too(mine):
    row = exam_booking_row(request=asked_for(mine.person))
    notices.say([row], template=notices.REMINDER, dedupe="x", now=NOW)
    [text] = texts(language="en")
    assert "24 Nov" in text


def remind(now):
    count = reminders.remind(now=now)
    messages.send_waiting(now=now)
    return count


def row_of(patient=None, **more):
    """Confirmed long before."""
    request = asked_for(patient or PatientFactory(), **more)
    return exam_booking_row(request=request)


def test_the_reminder_goes_out_once_on_the_eve_and_says_from_when_to_fast():
    row = row_of()  # tomorrow 08:00
    assert remind(eve(row.day, 17)) == 0
    assert [remind(eve(row.day, 18)), remind(eve(row.day, 19))] == [1, 0]

    assert told() == [("exam.reminder", "sent")]
    assert "11月23日 星期一 22:00后禁食" in texts()[0]


def test_one_person_gets_one_reminder_for_a_day_and_nobody_is_woken():
    patient, variant = PatientFactory(), abdomen(days=())
    row = exam_booking_row(request=asked_for(patient, variant))
    exam_booking_row(request=asked_for(patient, variant), start=row.end)
    assert remind(clock.at(row.day, time(6))) == 0  # owed since yesterday evening, said at seven
    assert remind(clock.at(row.day, time(7))) == 1
    assert "08:00 腹部超声；11月24日 星期二 08:20 腹部超声。" in texts()[0]


def test_what_was_moved_or_cancelled_meanwhile_is_not_said():
    row, gone = row_of(), row_of()
    assert reminders.remind(now=eve(row.day, 18)) == 2
    core.cancel(booking=gone, by=None, channel="counter", now=eve(row.day, 18))
    messages.send_waiting(now=eve(row.day, 18))
    assert [status for template, status in told() if template == "exam.reminder"] == ["sent", "dropped"]


def test_who_booked_after_the_hour_has_just_been_told_and_is_promised_no_reminder(mine):
    row = row_of(mine.person)
    ExamBooking.objects.filter(pk=row.pk).update(confirmed_at=eve(row.day, 19))
    assert remind(eve(row.day, 20)) == 0
    for hour, promised in ((17, True), (19, False)):
        with at(mine, eve(row.day, hour)):
            assert ("医院会发短信提醒" in words_of(mine.get(f"/exams/bookings/{row.pk}/done/"))) == promised


def test_who_moved_after_the_hour_has_just_been_told(mine):
    row = exam_booking_row(request=asked_for(mine.person, abdomen(days=(1, 2))))
    evening = eve(row.day, 19)
    with at(mine, evening):
        page = mine.get(f"/exams/bookings/{row.pk}/move/?day={row.day}")
        assert mine.post(f"/exams/bookings/{row.pk}/move/", {"slot": slots(page)[-1]}).status_code == 302
    assert remind(eve(row.day, 20)) == 0


def test_a_preparation_of_days_is_reminded_of_before_it_begins():
    """E4: two days of low residue before a colonoscopy on Thursday begin on Tuesday morning: told on Monday evening."""
    day = TODAY + timedelta(days=3)
    variant = abdomen(days=(3,), name="肠镜")
    variant.preparation = fasting(lead_minutes=2 * 24 * 60)
    variant.save()
    session = variant.abilities.get().device.sessions.get()
    exam_booking_row(request=asked_for(PatientFactory(), variant), session=session)

    assert [remind(eve(day - timedelta(days=n), 18)) for n in (3, 2, 1, 0)] == [0, 1, 0, 1]
    assert "11月24日 星期二 08:00前开始按说明做准备" in texts()[0]


def test_a_displaced_patient_is_not_reminded_of_a_time_that_is_gone():
    row = row_of()
    ExamBooking.objects.filter(pk=row.pk).update(holds=False)
    assert remind(eve(row.day, 18)) == 0
