"""A device goes down over tests of one draw of blood: one question, one offer, one answer for all of them (E10)."""

from datetime import time, timedelta

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.urls import reverse

from appointments.services.defaults import ensure_defaults
from exams.models import DowntimeCase, ExamBooking, ExamItem, OrderingRule
from exams.selectors import device_cases
from exams.services import booking, devices, holds
from exams.services.devices import cases
from hospital import clock
from hospital.models import Message, PatientTime
from tests.factories import (
    NOW,
    TODAY,
    ExamItemFactory,
    ExamRequestFactory,
    PatientFactory,
    UserFactory,
    exam_booking_row,
    exam_variant,
    open_device,
)

from .test_downtime import LATER, TOMORROW, deliver, fresh
from .test_pages import staff

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
ALL = "血常规、肝功能、血糖"


class Draw:
    """Three tests of one needle, booked back to back tomorrow at eight; another station can do them, too. Down."""

    def __init__(self, *, down=(time(8), time(12))):
        items = [ExamItemFactory(modality="lab", name="血常规")]
        house = items[0].organization
        items += [ExamItemFactory(modality="lab", name=name, organization=house) for name in ("肝功能", "血糖")]
        self.tests = [exam_variant(item=item, minutes=5) for item in items]
        ensure_defaults(house)
        self.device, self.other = (open_device(*self.tests, days=(1, 2), organization=house) for _each in range(2))
        self.by, self.patient = UserFactory(), PatientFactory()
        session = self.device.sessions.order_by("day").first()
        self.rows = [
            exam_booking_row(
                request=ExamRequestFactory(variant=test, patient=self.patient, organization=house),
                session=session,
                start=session.during.lower + 5 * n * MINUTE,
            )
            for n, test in enumerate(self.tests)
        ]
        during = DateTimeTZRange(*(clock.at(TOMORROW, each) for each in down))
        self.down = devices.take_down(device=self.device, during=during, cause="fault", reason="", by=self.by, now=NOW)
        deliver()

    @property
    def cases(self):
        return list(self.down.cases.order_by("booking__during"))

    def told(self, template):
        return list(Message.objects.filter(template=template, channel="sms").order_by("pk"))

    def times(self):
        return [(fresh(row).device, row.during.lower) for row in self.rows]


def in_a_row(device, start):
    return [(device, start + 5 * n * MINUTE) for n in range(3)]


@pytest.mark.parametrize("down", [(time(8, 10), time(12)), (time(6), time(8, 5)), (time(8, 5), time(8, 10))])
def test_a_downtime_that_tears_a_draw_asks_about_all_of_it(down):
    """E10: nobody comes twice for one needle, whichever part of it is in the downtime; it comes back as one, too."""
    draw = Draw(down=down)
    [asked] = draw.told("exam.device_asked")
    assert (asked.params["exam"], [case.booking for case in draw.cases]) == (ALL, draw.rows)
    assert not any(fresh(row).holds for row in draw.rows)
    assert len(devices.bring_up(downtime=draw.down, by=draw.by, now=LATER).back) == 3


def test_a_draw_is_asked_about_once_and_one_answer_moves_all_of_it():
    """E10: one message, the other time kept back to back, accepted once; one message that it moved."""
    draw = Draw()
    [asked] = draw.told("exam.device_asked")
    offers = [case.offer for case in draw.cases]
    start = offers[0].during.lower
    assert asked.params["exam"] == ALL
    assert [(each.device, each.during.lower) for each in offers] == in_a_row(draw.other, start)
    assert len({case.deadline for case in draw.cases}) == 1

    devices.accept(case=draw.cases[0], by=None, channel="web", now=LATER)
    assert draw.times() == in_a_row(draw.other, start)
    assert {case.answer for case in draw.cases} == {"accept"}
    assert PatientTime.objects.filter(patient=draw.patient).count() == 3
    deliver(LATER + MINUTE)
    assert len(draw.told("exam.moved")) == 1
    assert not ExamBooking.objects.filter(status="pending", holds=True).exists()


@pytest.mark.parametrize("place", [0, 2])
def test_another_time_is_for_the_whole_draw(place):
    """E10: whichever of the tests' pages it is chosen on."""
    draw = Draw()
    start = clock.at(TODAY + timedelta(days=2), time(9))
    devices.move(case=draw.cases[place], device=draw.other, start=start, by=None, channel="web", now=LATER)
    assert draw.times() == in_a_row(draw.other, start)
    assert {case.answer for case in draw.cases} == {"move"}


@pytest.mark.parametrize("end", ["cancelled", "no answer"])
def test_a_draw_ends_as_one(end):
    """E10: cancelled, or nobody answered by the end of its day: every test is open again, told of once."""
    draw = Draw()
    if end == "cancelled":
        devices.cancel(case=draw.cases[0], by=None, channel="web", now=LATER)
    else:
        late = draw.cases[0].deadline + MINUTE
        holds.lapse(now=late)
        assert [row.booking_id for row in device_cases.to_call(Q(), now=late)] == [draw.rows[0].pk]
        devices.follow_up(now=clock.at(TODAY + timedelta(days=2), time(0, 5)))
    assert {(fresh(row).status, fresh(row.request).status) for row in draw.rows} == {("cancelled", "open")}
    assert DowntimeCase.objects.filter(answer="").count() == 0
    deliver(clock.at(TODAY + timedelta(days=2), time(0, 6)))
    [said] = draw.told("exam.cancelled")
    assert said.params["exams"][0]["name"] == ALL


def test_a_draw_that_stands_again_stands_as_one():
    """E10: brought up sooner, all of it takes its time again, told of once; or, if one can't, none does."""
    draw = Draw()
    before = draw.times()
    Message.objects.update(status=Message.Status.SENT, sent_at=LATER)
    lifted = devices.bring_up(downtime=draw.down, by=draw.by, now=LATER)
    assert (sorted(lifted.back), lifted.left) == (sorted(row.pk for row in draw.rows), [])
    assert draw.times() == before
    assert all(fresh(row).holds for row in draw.rows)
    deliver(LATER + MINUTE)
    [said] = draw.told("exam.device_up")
    assert said.params["exam"] == ALL


def test_who_loses_the_question_of_the_draw_gets_one():
    """E10: the test that was asked about is cancelled on another page; the others are not left without a question."""
    draw = Draw()
    booking.cancel(booking=draw.rows[0], by=draw.by, channel="counter", hospital=True, now=LATER)
    deliver(LATER + MINUTE)
    deliver(LATER + MINUTE)
    assert [case.answer for case in draw.cases] == ["cancel", "", ""]
    assert [each.params["exam"] for each in draw.told("exam.device_asked")] == [ALL, "肝功能、血糖"]
    devices.accept(case=draw.cases[2], by=None, channel="web", now=LATER + MINUTE)
    assert [fresh(row).device for row in draw.rows] == [draw.device, draw.other, draw.other]


@time_machine.travel(LATER, tick=False)
def test_the_pages_speak_of_the_whole_draw(client):
    """E10: behind the link, on any of its tests; and the call list has it once."""
    draw = Draw()
    case = draw.cases[1]
    DowntimeCase.objects.filter(pk=case.pk).update(token_hash=cases.digest_of("key"))
    link = reverse("exams:case_answer", args=["key"])
    late = draw.cases[0].deadline
    DowntimeCase.objects.update(deadline=NOW)

    client.force_login(staff("office", draw.device.organization))
    listed = client.get(reverse("exams:case_calls"))
    assert len(listed.context["lines"]) == 1
    assert ALL in listed.content.decode()
    assert ALL in client.get(reverse("exams:case_call", args=[case.pk])).content.decode()
    DowntimeCase.objects.update(deadline=late)

    client.logout()
    shown = client.get(link)
    assert ALL in shown.content.decode()
    assert shown.context["offer"] == draw.cases[0].offer
    client.post(link, {"answer": "accept"})
    assert {fresh(row).device for row in draw.rows} == {draw.other}
    assert ALL in client.get(link).content.decode()


def test_two_exams_of_one_anaesthesia_are_one_question():
    """E10: both elsewhere, back to back in their order."""
    upper, lower = (exam_variant(minutes=20, name=name) for name in ("胃镜", "肠镜"))
    house = upper.item.organization
    ExamItem.objects.filter(pk=lower.item_id).update(organization=house)
    ensure_defaults(house)
    device, other = (open_device(upper, lower, days=(1, 2), organization=house) for _each in range(2))
    OrderingRule.objects.create(
        organization=house, name="先后", first_item=upper.item, second_item=lower.item, one_sitting=True, reverse="gap",
        why="同一次麻醉完成。", source="内镜规程", approved_by=UserFactory(), approved_at=NOW,
    )  # fmt: skip
    session, patient = device.sessions.order_by("day").first(), PatientFactory()
    rows = [
        exam_booking_row(
            request=ExamRequestFactory(variant=each, patient=patient, organization=house), session=session,
            start=session.during.lower + 20 * n * MINUTE,
        )
        for n, each in enumerate((upper, lower))
    ]  # fmt: skip
    during = DateTimeTZRange(session.during.lower, clock.at(TOMORROW, time(12)))
    down = devices.take_down(device=device, during=during, cause="fault", reason="", by=UserFactory(), now=NOW)
    deliver()
    assert Message.objects.filter(template="exam.device_asked", channel="sms").count() == 1
    devices.accept(case=down.cases.get(booking=rows[0]), by=None, channel="web", now=LATER)
    first, second = map(fresh, rows)
    assert (first.device, second.device, second.during.lower) == (other, other, first.during.upper)
