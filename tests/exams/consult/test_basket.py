"""Exams in the basket of the consult room, and those booked before (E2, E3): nothing goes unseen."""

from datetime import timedelta

import pytest
from django.urls import reverse

from appointments.models import Appointment, Slot
from exams.models import ExamBooking, ExamPlan, ExamRequest
from tests.consult.rooms import confirm, held, now, open_page, press_next, take, with_a_strip
from tests.exams.consult.acts import released_report
from tests.factories import PatientFactory
from tests.factories.exams import ExamRequestFactory, exam_booking_row

from .rooms import add, hold_a_plan, offered, page_of, press, states

pytestmark = pytest.mark.django_db


def test_one_key_confirms_numbers_and_exams(client, room):
    [schedule] = with_a_strip(room, days=[(28, "am")])
    take(client, room, schedule)
    hold_a_plan(client, room, *offered(2))

    answer = confirm(client, room)

    assert "已约好3项（号1项，检查2项）" in answer.content.decode()
    assert held() == []
    assert states() == ["booked", "booked"]


def test_exams_whose_hold_has_ended_do_not_take_the_number_with_them(client, room):
    [schedule] = with_a_strip(room, days=[(28, "am")])
    take(client, room, schedule)
    hold_a_plan(client, room, *offered(1))
    ExamBooking.objects.update(hold_until=now() - timedelta(seconds=1))

    page = confirm(client, room).content.decode()

    assert "已约好1项" in page
    assert "锁定的时间已到期。" in page
    assert Appointment.objects.filter(status="booked", channel="consult").count() == 1
    assert states() == ["pending"]


def test_a_number_whose_hold_has_ended_does_not_take_the_exams_with_it(client, room):
    [schedule] = with_a_strip(room, days=[(28, "am")])
    take(client, room, schedule)
    hold_a_plan(client, room, *offered(1))
    Slot.objects.filter(status="held").update(hold_until=now() - timedelta(seconds=1))

    page = confirm(client, room).content.decode()

    assert "已约好1项" in page
    assert "号已放回" in page
    assert states() == ["booked"]


def test_the_next_patient_waits_for_held_exams_and_for_chosen_ones(client, room):
    first, second = offered(2)
    add(client, room, first)
    chosen = press_next(client, room.waiting[0].pk)
    hold_a_plan(client, room, second)
    waiting = press_next(client, room.waiting[0].pk)
    confirm(client, room)
    went = press_next(client, room.waiting[0].pk)

    assert "选好的1项检查还没有开单。" in chosen.content.decode()
    assert "预约单里还有2项没有确认。" in waiting.content.decode()
    assert went.status_code == 302


def test_backspace_lets_the_plan_go_and_a_line_goes_alone(client, room):
    hold_a_plan(client, room, *offered(3))
    one = ExamBooking.objects.first()

    press(client, room, "", url="exams:consult_drop", drop=one.pk, back="kind=exams")
    assert sorted(states()) == ["cancelled", "pending", "pending"]
    undo = page_of(client).context["page"].undo
    press(client, room, "", url="exams:consult_drop_plan", drop=undo["drop"], back="kind=exams")

    assert undo["url"] == reverse("exams:consult_drop_plan")
    assert states() == ["cancelled"] * 3
    assert set(states(ExamRequest)) == {"open"}


def test_an_exam_planned_later_leaves_those_held_before(client, room):
    """Asked for when the others were held already, or its hold ran out and another time is chosen."""
    first, second, third = offered(3)
    hold_a_plan(client, room, first, second)
    hold_a_plan(client, room, third)
    assert states() == ["pending"] * 3

    ExamBooking.objects.filter(variant=first).update(hold_until=now() - timedelta(seconds=1))
    token = page_of(client).context["work"].proposal.best.token
    press(client, room, f"hold:{token}")

    live = ExamBooking.objects.filter(holds=True, hold_until__gt=now())
    assert {row.variant for row in live} == {first, second, third}
    confirm(client, room)
    assert ExamPlan.objects.get().exams == 3


def test_what_was_held_before_a_lapse_does_not_end_a_new_plan(client, room):
    first, second = offered(2)
    hold_a_plan(client, room, first, second)
    press(client, room, "", url="exams:consult_drop_plan", drop="")
    press(client, room, f"withdraw:{ExamRequest.objects.get(variant=first).pk}")
    token = page_of(client).context["work"].proposal.best.token
    press(client, room, f"hold:{token}")

    confirm(client, room)

    assert ExamBooking.objects.get(status="booked").variant == second


def test_the_slip_prints_exams_with_what_to_prepare(client, room):
    hold_a_plan(client, room, *offered(1))
    confirm(client, room)

    slip = client.get(reverse("appointments:consult_slip", args=[ExamBooking.objects.get().basket])).content.decode()

    assert "腹部超声" in slip
    assert room.first.name not in slip


# ---- known before ----


def test_exams_booked_before_are_given_back_or_withdrawn_under_known(client, room):
    keep, give_back, stop = offered(3, days=(1, 2, 3))
    rows = {}
    for days, variant in enumerate((give_back, stop), 1):
        request = ExamRequestFactory(patient=room.first, variant=variant, asked_at=now())
        session = variant.abilities.get().device.sessions.order_by("day")[days]
        rows[variant] = exam_booking_row(request=request, session=session).request
    released_report(room.first, keep, now=now(), conclusion="窦性心律")
    shown = open_page(client, kind="booked").content.decode()

    press(client, room, "", url="exams:consult_cancel", request=rows[give_back].pk)
    press(client, room, "", url="exams:consult_cancel", request=rows[stop].pk, withdraw="yes")
    stranger = ExamRequestFactory(patient=PatientFactory(), variant=keep)

    assert "窦性心律" in shown
    assert press(client, room, "", url="exams:consult_cancel", request=stranger.pk).status_code == 404
    assert {row.variant: row.status for row in ExamRequest.objects.filter(patient=room.first)} == {
        give_back: "open",
        stop: "cancelled",
    }
