"""Several simple exams of one person in one plan, all or nothing; and what an account may have a copy of (E3, O4)."""

import re
from datetime import time, timedelta
from uuid import uuid4

import pytest

from exams.models import DiagnosticReport, ExamBooking, ExamNoShow, ExamPlan, Preparation
from exams.services import booking, planning
from hospital import messages
from hospital.models import Message
from hospital.personal_data import ahead_of, copy_of
from tests.bookings.test_cards import words_of
from tests.factories import NOW, TODAY, UserFactory, exam_booking_row, exam_variant, open_device
from tests.messages.test_notices import worker

from .scenes import SOON, abdomen, account_with, add_person, asked_for, booked, people, question, signed

pytestmark = pytest.mark.django_db


def tokens(page) -> list[str]:
    return re.findall(r'name="token" value="([^"]+)"', page.content.decode())


@pytest.fixture
def two(mine):
    """A fasting ultrasound and an ECG."""
    return [asked_for(mine.person, abdomen()), asked_for(mine.person, abdomen(name="心电图", preparation=False))]


def test_two_simple_exams_are_planned_in_one_trip_held_together_and_confirmed_in_one_go(mine, two):
    """E3: the best and others to choose from; one page to read, one button."""
    question(items=[two[0].variant.item])
    start = f"/exams/together/{mine.person.pk}/"
    assert "一起安排" in words_of(mine.get("/exams/"))
    assert mine.get(f"{start}plans/").url == start
    assert mine.post(start, {"q-implant": "no"}).url == f"{start}plans/"
    page = mine.get(f"{start}plans/")
    assert "来1次" in words_of(page)
    assert "11月25日 周三" in words_of(page)

    held = mine.post(f"{start}plans/", {"token": tokens(page)[0]})
    shown = words_of(mine.get(held.url))
    for words in ("腹部超声", "心电图", "11月24日 周二 22:00后禁食", "2项检查，来1次", "¥360.00"):
        assert words in shown, words
    other = mine.post(f"{start}plans/", {"token": tokens(mine.get(f"{start}plans/"))[-1]})  # back, and another plan
    assert ExamBooking.objects.filter(holds=True).count() == 2

    done = mine.post(other.url, {"read": "1"})
    assert "约好了" in words_of(mine.get(done.url))
    assert set(ExamBooking.objects.filter(holds=True).values_list("status", "channel")) == {("booked", "web")}
    assert ExamPlan.objects.get(confirmed_at__isnull=False).exams == 2
    assert mine.get(start).url == "/exams/"


def test_a_plan_pressed_twice_at_once_is_one_plan(mine, two):
    """E3: each press comes with a basket of its own."""
    token = tokens(mine.get(f"/exams/together/{mine.person.pk}/plans/"))[0]
    asked = {"patient": mine.person, "lines": planning.lines_of(token, mine.person), "channel": "web"}
    held = [booking.hold_plan(**asked, by=mine.user, basket=uuid4(), now=NOW) for _n in range(2)]
    assert held[0] == held[1]
    assert held[0].bookings.filter(holds=True).count() == 2


def test_who_is_examined_that_day_already_hears_how_the_whole_day_is_prepared_for(mine):
    """E4: who fasts for another exam too may not eat or drink after the one that is being booked."""
    booked(mine, asked_for(mine.person, abdomen(days=(3,))), place=-1)  # 09:30
    full = signed(Preparation, name="憋尿", text="检查前憋尿。", full_bladder=True)
    bladder = exam_variant(name="膀胱超声", preparation=full)
    open_device(bladder, days=(3,), starts=time(10), ends=time(11))
    asked_for(mine.person, abdomen(days=(3,), name="空腹采血"))
    asked_for(mine.person, bladder)
    plans = mine.get(f"/exams/together/{mine.person.pk}/plans/")
    held = mine.post(f"/exams/together/{mine.person.pk}/plans/", {"token": tokens(plans)[0]})
    confirm = mine.get(held.url)
    done = mine.get(mine.post(held.url, {"read": "1"}).url)
    entry = mine.get(held.url.replace("confirm/", "calendar.ics")).content.decode().replace("\r\n ", "")
    worker()

    assert "做完腹部超声再喝水，有明显尿意时做膀胱超声" in words_of(plans)
    for page in (words_of(confirm), words_of(done)):
        assert "做完“腹部超声”再吃东西" in page
        assert "同一天还要做：09:30 腹部超声" in page
        assert page.count("检查前憋尿。") == 1
    assert "做完腹部超声再吃" in entry
    text = messages.wording_of(Message.objects.filter(channel="sms").latest("id"), language="zh-hans").body
    assert "做完腹部超声再吃。做完腹部超声再喝水，有明显尿意时做膀胱超声。" in text


def test_half_a_plan_is_never_held(mine, two):
    page = mine.get(f"/exams/together/{mine.person.pk}/plans/?half=am&day={SOON}")
    [token, *_others] = tokens(page)
    theirs = people(account_with("李秀英"))[0]
    starts = re.search(r"(\d\d:\d\d)</b> 心电图", page.content.decode())[1]
    assert starts
    device = two[1].variant.abilities.get().device
    session = device.sessions.get(day=SOON)
    for n in range(6):
        request = asked_for(theirs, two[1].variant)
        exam_booking_row(request=request, session=session, start=session.during.lower + timedelta(minutes=20 * n))
    refused = mine.post(f"/exams/together/{mine.person.pk}/plans/", {"token": token})

    assert refused.status_code == 409
    assert "心电图的这个时间刚被占用，本次没有预约任何检查" in refused.content.decode()
    assert ExamBooking.objects.filter(patient=mine.person).count() == 0


def test_a_made_up_plan_is_a_sentence(mine, two):
    for token in ("", "x", "a:b:c", "9" * 5000):
        page = mine.post(f"/exams/together/{mine.person.pk}/plans/?day=9999-99-99&half=night", {"token": token})
        assert page.status_code in {409, 422}, token
        assert any(said in page.content.decode() for said in ("请先选一个方案。", "请重新选一个方案。")), token


def test_a_plan_of_another_person_or_of_other_exams_is_not_taken(mine, two):
    token = tokens(mine.get(f"/exams/together/{mine.person.pk}/plans/"))[0]
    asked_for(mine.person, abdomen(name="肝功能", preparation=False))
    refused = mine.post(f"/exams/together/{mine.person.pk}/plans/", {"token": token})
    assert refused.status_code == 409
    assert "方案已经过期" in refused.content.decode()


def test_with_a_complicated_one_among_them_it_is_said_where_to_go(mine, two):
    asked_for(mine.person, abdomen(name="胃镜", simple=False))
    page = words_of(mine.get("/exams/"))
    assert "检查预约中心办理" in page
    assert "只约这一项" in page
    assert mine.get(f"/exams/together/{mine.person.pk}/").url == "/exams/"


def test_somebody_elses_person_is_not_planned_for(mine, two):
    stranger = account_with("李秀英")
    mine.force_login(stranger)
    for address in ("", "plans/"):
        assert mine.get(f"/exams/together/{two[0].patient_id}/{address}").status_code == 404


def test_the_copy_holds_requests_bookings_missed_exams_and_released_reports(mine):
    """O4: and what still lies ahead is named before an account is closed."""
    row = booked(mine, asked_for(mine.person))
    missed = exam_booking_row(request=asked_for(mine.person), status="noshow", holds=False, ended_at=NOW)
    ExamNoShow.objects.create(booking=missed, patient=mine.person, day=TODAY, marked_at=NOW)
    report = DiagnosticReport.objects.create(
        organization=row.request.organization, patient=mine.person, variant=row.variant, performed_at=NOW
    )
    version = report.versions.create(number=1, conclusion="未见异常", by=UserFactory(), written_at=NOW)
    grown_up = add_person(mine.user, "李秀英")
    exam_booking_row(request=asked_for(grown_up))
    [own, hers] = copy_of(mine.user, now=NOW).people
    sections = {each.code: each for each in own.sections}

    assert [len(sections[f"exam_{name}"].entries) for name in ("requests", "bookings", "noshows")] == [2, 2, 1]
    theirs = {each.code: len(each.entries) for each in hers.sections}
    assert (theirs["exam_bookings"], theirs["exam_requests"]) == (1, 0)  # another adult's records are hers to ask for
    assert sections["exam_reports"].entries == []  # written, not released
    version.released_at, version.released_by = NOW, UserFactory()
    version.save()
    DiagnosticReport.objects.filter(pk=report.pk).update(status="released", current=version, released_at=NOW)
    sections = {each.code: each for each in copy_of(mine.user, now=NOW).people[0].sections}
    assert "未见异常" in str(sections["exam_reports"].entries)
    assert ahead_of([mine.person.pk], now=NOW, account=mine.user) == ["周*明 11月25日 星期三 08:00 腹部超声"]
