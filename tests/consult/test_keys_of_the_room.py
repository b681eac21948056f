"""The consult room's verbs over HTTP (B1, B2, B4, B20, B21): what each key does, and what it refuses."""

from datetime import timedelta

import pytest
from django.urls import reverse

from appointments.models import Appointment, Encounter
from appointments.services import booking
from hospital.models import Fact
from tests.consult.rooms import (
    bring_in,
    confirm,
    doctor_with_a_room,
    held,
    key,
    now,
    open_page,
    press_next,
    take,
    today,
    with_a_strip,
)
from tests.factories import PatientFactory, appointment_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(client):
    room = doctor_with_a_room(waiting=3)
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    return room


def test_next_patient_calls_the_first_of_the_queue_into_the_room(client, room):
    """B20, B21"""
    assert press_next(client).status_code == 302

    room.waiting[0].refresh_from_db()
    assert (room.waiting[0].status, room.waiting[0].practitioner) == ("in_room", room.doctor)
    assert room.first.name in open_page(client).content.decode()


def test_next_patient_finishes_the_one_in_the_room(client, room):
    """B21"""
    bring_in(room)

    press_next(client, room.waiting[0].pk)

    assert list(Encounter.objects.order_by("pk").values_list("status", flat=True)) == ["finished", "in_room", "waiting"]


def test_a_second_press_of_next_on_the_same_page_skips_nobody(client, room):
    """B21"""
    bring_in(room)

    press_next(client, room.waiting[0].pk)
    press_next(client, room.waiting[0].pk)

    assert list(Encounter.objects.order_by("pk").values_list("status", flat=True)) == ["finished", "in_room", "waiting"]


def test_next_patient_waits_until_held_numbers_are_confirmed_or_dropped(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    take(client, room, schedule)

    response = press_next(client, room.waiting[0].pk)

    assert response.status_code == 409
    assert "预约单里还有1项没有确认" in response.content.decode()
    assert [one.status for one in held()] == ["pending"]
    assert Encounter.objects.get(pk=room.waiting[0].pk).status == "in_room"


def test_somebody_may_be_asked_in_out_of_turn(client, room):
    third = room.waiting[2]

    client.post(reverse("appointments:consult_call"), {"encounter": third.pk, "current": ""})

    assert Encounter.objects.get(status="in_room") == third


def test_a_colleagues_patient_cannot_be_asked_in(client, room):
    other = doctor_with_a_room(waiting=1, name="陈立")

    response = client.post(reverse("appointments:consult_call"), {"encounter": other.waiting[0].pk, "current": ""})

    assert response.status_code == 404


def test_the_page_proposes_the_same_doctor_in_four_weeks_at_the_same_half_day(client, room):
    """B1"""
    bring_in(room)
    schedules = with_a_strip(room)

    page = open_page(client).context["page"]

    assert page.wish.day == today() + timedelta(weeks=4)
    assert page.strip.chosen.schedule == schedules[2]
    assert page.strip.likely.number == 1


def test_an_interval_key_moves_the_strip(client, room):
    bring_in(room)
    with_a_strip(room)
    [week] = with_a_strip(room, days=[(7, "am")])

    page = open_page(client, kind="own", weeks=1).context["page"]

    assert page.strip.chosen.schedule == week


def test_when_everything_around_the_day_is_full_the_strip_moves_to_the_next_free_number(client, room):
    bring_in(room)
    for schedule in with_a_strip(room):
        schedule.slots.update(status="booked")
    [later] = with_a_strip(room, days=[(60, "am")])

    page = open_page(client).context["page"]

    assert (page.strip.chosen.schedule, page.strip.moved) == (later, True)


def test_a_number_at_an_hour_when_the_patient_is_elsewhere_is_not_proposed(client, room):
    bring_in(room)
    schedules = with_a_strip(room)
    other = doctor_with_a_room(waiting=0, name="陈立")
    [there, *_rest] = with_a_strip(other, days=[(28, "am")])
    booking.book(
        schedule=there, number=1, patient=room.first, channel="counter", by=room.user, request_key=None, confirmed=True,
        now=now(),
    )  # fmt: skip

    page = open_page(client).context["page"]

    assert [one.state for one in page.strip.chosen.numbers[:2]] == ["clash", "free"]
    assert page.strip.chosen.schedule == schedules[2]
    assert page.strip.likely.number == 2


def test_a_number_is_held_for_three_minutes_and_confirmed(client, room):
    """B1, P1: opened_at and confirmed_at are kept as data."""
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    before = now()
    open_page(client)

    response = take(client, room, schedule, number=7)

    [line] = held()
    assert response.status_code == 200
    assert (line.channel, line.booked_from, line.slot.number) == ("consult", room.waiting[0], 7)
    assert timedelta(minutes=2, seconds=50) < line.slot.hold_until - before < timedelta(minutes=3, seconds=20)

    confirm(client, room)

    line.refresh_from_db()
    assert line.status == "booked"
    assert before <= line.opened_at <= line.created_at <= line.confirmed_at


def test_opened_at_is_the_first_look_at_this_patient(client, room):
    """The measure of how long a booking took is kept by the server."""
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    open_page(client)
    first_look = now()
    open_page(client)

    take(client, room, schedule)

    assert held()[0].opened_at < first_look


def test_the_session_stays_open_when_its_last_number_is_taken(client, room):
    """Nothing jumps under the finger."""
    bring_in(room)
    schedules = with_a_strip(room, numbers=1, consult=0)

    page = take(client, room, schedules[2]).context["page"]

    assert page.strip.chosen.schedule == schedules[2]


def test_the_same_key_again_lets_the_number_go(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    take(client, room, schedule)
    [line] = held()

    client.post(
        reverse("appointments:consult_lines"),
        {"drop": line.pk, "schedule": schedule.pk, "encounter": room.waiting[0].pk, "request_key": key()},
        headers={"HX-Request": "true"},
    )

    line.refresh_from_db()
    assert (line.status, line.note) == ("cancelled", "dropped")
    assert schedule.slots.get(number=1).status == "free"


def test_a_double_click_on_a_number_is_one_hold(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    form = key()

    answers = [take(client, room, schedule, request_key=form).status_code for _click in range(2)]

    assert answers == [200, 200]
    assert Appointment.objects.filter(schedule=schedule).count() == 1


def test_a_double_click_on_confirm_is_one_booking(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    take(client, room, schedule)
    form = key()

    answers = [confirm(client, room, request_key=form).status_code for _click in range(2)]

    assert answers == [200, 200]
    assert Fact.objects.filter(topic="appointment.booked").count() == 1


def test_a_number_that_somebody_else_just_took_is_refused_beside_the_basket(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    take(client, room, schedule, number=2)
    appointment_row(schedule, PatientFactory(), number=1)

    response = take(client, room, schedule, number=1)

    page = response.content.decode()
    assert response.status_code == 409
    assert response["HX-Retarget"] == "#basket"
    assert "这个时段刚被约满。" in page
    assert "待确认" in page  # the line held before stands
    assert [line.slot.number for line in held()] == [2]


def test_an_expired_hold_is_said_beside_its_line_and_can_be_taken_again(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    take(client, room, schedule)
    [line] = held()
    line.slot.hold_until = now() - timedelta(seconds=1)
    line.slot.save()

    response = confirm(client, room)
    page = response.content.decode()
    assert response.status_code == 409
    assert "锁号时间已过，号已放回。" in page
    assert "重新锁号" in page

    again = take(client, room, schedule)
    assert again.status_code == 200
    assert "锁号时间已过" not in again.content.decode()
    assert [one.slot.number for one in held()] == [1]


def test_keys_of_a_page_whose_patient_has_gone_do_nothing(client, room):
    """Two tabs: the other one went on."""
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    press_next(client, room.waiting[0].pk)

    response = take(client, room, schedule)

    assert response.status_code == 409
    assert "诊室里的患者已经换了" in response.content.decode()
    assert held() == []


def test_a_line_of_another_basket_cannot_be_dropped(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    stranger = appointment_row(schedule, PatientFactory(), number=3, status="pending")

    response = client.post(reverse("appointments:consult_drop"), {"drop": stranger.pk, "encounter": room.waiting[0].pk})

    assert response.status_code == 404
    stranger.refresh_from_db()
    assert stranger.status == "pending"
