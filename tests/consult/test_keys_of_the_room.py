"""The consult room's verbs over HTTP (B1, B2, B4, B20, B21): what each key does, and what it refuses."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from appointments.models import Appointment, BookingRule, ConsultLevelRule, Encounter
from appointments.selectors import slips
from appointments.services import booking
from hospital.models import AuditEvent, Condition, Fact
from tests.consult.rooms import bring_in, checked_in, doctor_with_a_room, held, key, now, today, with_a_strip
from tests.factories import OrganizationFactory, PatientFactory, StaffFactory, appointment_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(client):
    room = doctor_with_a_room(waiting=3)
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    return room


def open_page(client, **address):
    return client.get(reverse("appointments:consult"), address)


def take(client, room, schedule, number=1, **more):
    said = {"schedule": schedule.pk, "number": number, "encounter": room.waiting[0].pk, "request_key": key(), **more}
    return client.post(reverse("appointments:consult_lines"), said, headers={"HX-Request": "true"})


def confirm(client, room, **more):
    said = {"encounter": room.waiting[0].pk, "request_key": key(), **more}
    return client.post(reverse("appointments:consult_confirm"), said, headers={"HX-Request": "true"})


def press_next(client, current=""):
    return client.post(reverse("appointments:consult_next"), {"current": current})


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
        schedule=there, number=1, patient=room.first, channel="counter", by=room.user, request_key=None, confirmed=True
    )

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


def test_levels_that_the_office_closed_to_consult_rooms_are_greyed_and_refused(client, room):
    """B4"""
    ConsultLevelRule.objects.create(
        organization=OrganizationFactory(), levels=["specialty"], effective_from=date(2020, 1, 1)
    )
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)

    page = open_page(client).content.decode()
    response = take(client, room, schedule)

    assert "诊间目前只能预约：专科。" in page
    assert 'name="number"' not in page
    assert response.status_code == 409
    assert held() == []


def test_a_level_rule_of_tomorrow_does_not_hold_today(client, room):
    """B4: dated."""
    ConsultLevelRule.objects.create(
        organization=OrganizationFactory(), levels=["specialty"], effective_from=today() + timedelta(days=1)
    )
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)

    assert take(client, room, schedule).status_code == 200


def test_a_booked_visit_is_cancelled_from_the_consult_room(client, room):
    """B14"""
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    booked = appointment_row(schedule, room.first, number=4)

    response = client.post(
        reverse("appointments:consult_cancel"),
        {"appointment": booked.pk, "encounter": room.waiting[0].pk, "request_key": key()},
    )

    booked.refresh_from_db()
    assert response.status_code == 200
    assert booked.status == "cancelled"


def test_another_patients_visit_is_not_cancelled_from_here(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    booked = appointment_row(schedule, PatientFactory(), number=4)

    response = client.post(
        reverse("appointments:consult_cancel"),
        {"appointment": booked.pk, "encounter": room.waiting[0].pk, "request_key": key()},
    )

    assert response.status_code == 404


def test_a_booked_visit_moves_to_another_number_in_one_step(client, room):
    """B14"""
    bring_in(room)
    schedules = with_a_strip(room)
    take(client, room, schedules[0])
    confirm(client, room)
    [booked] = Appointment.objects.filter(status="booked")

    response = client.post(
        f"{reverse('appointments:consult_move')}?move={booked.pk}",
        {"schedule": schedules[3].pk, "number": 5, "encounter": room.waiting[0].pk, "request_key": key()},
        headers={"HX-Request": "true"},
    )

    booked.refresh_from_db()
    page = response.content.decode()
    assert (response.status_code, response["HX-Retarget"]) == (200, "#main")
    assert (booked.schedule, booked.slot.number, booked.status) == (schedules[3], 5, "booked")
    assert "已改到" in page
    assert "选中即改到这个时间" not in page


def test_a_refused_move_keeps_the_old_number(client, room):
    """B14"""
    bring_in(room)
    schedules = with_a_strip(room)
    take(client, room, schedules[0])
    confirm(client, room)
    [booked] = Appointment.objects.filter(status="booked")
    appointment_row(schedules[3], PatientFactory(), number=5)

    response = client.post(
        f"{reverse('appointments:consult_move')}?move={booked.pk}",
        {"schedule": schedules[3].pk, "number": 5, "encounter": room.waiting[0].pk, "request_key": key()},
        headers={"HX-Request": "true"},
    )

    booked.refresh_from_db()
    assert response.status_code == 409
    assert "这个时段刚被约满" in response.content.decode()
    assert (booked.schedule, booked.slot.number, booked.status) == (schedules[0], 1, "booked")


def add_on(client, room, schedule, reason="术后复查"):
    said = {"schedule": schedule.pk, "reason": reason, "encounter": room.waiting[0].pk, "request_key": key()}
    return client.post(reverse("appointments:consult_extra"), said, headers={"HX-Request": "true"})


def test_an_add_on_number_is_booked_at_once_with_its_reason(client, room):
    """B10"""
    bring_in(room)
    schedules = with_a_strip(room)

    answer = add_on(client, room, schedules[2])

    row = Appointment.objects.get(extra=True)
    assert answer.status_code == 200
    assert (row.status, row.note, row.patient, row.booked_from) == ("booked", "术后复查", room.first, room.waiting[0])
    assert open_page(client).context["page"].extra["left"] == 4


def test_an_add_on_needs_a_reason(client, room):
    """B10"""
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)

    assert add_on(client, room, schedule, reason=" ").status_code == 422
    assert not Appointment.objects.filter(extra=True).exists()


def test_nobody_adds_on_to_a_colleagues_schedule(client, room):
    """B10"""
    bring_in(room)
    [theirs] = with_a_strip(doctor_with_a_room(waiting=0, name="陈立"), days=[(28, "am")])

    assert add_on(client, room, theirs).status_code == 404


def test_beyond_its_limit_the_add_on_is_greyed_with_the_reason(client, room):
    """B10: 5 a session."""
    BookingRule.objects.update(extra_limit=0)
    bring_in(room)
    with_a_strip(room)

    page = open_page(client)

    assert str(page.context["page"].extra["refusal"].code) == "extra_limit"
    assert "这个出诊单元的加号已满（上限0个）。" in page.content.decode()


def test_opening_a_patient_leaves_one_trace(client, room):
    """O4"""
    bring_in(room)

    open_page(client)
    open_page(client)

    assert AuditEvent.objects.filter(action="patient.seen.consult", patient=room.first).count() == 1


def test_the_bar_shows_allergies_problems_and_a_masked_phone(client, room):
    bring_in(room)
    Condition.objects.create(patient=room.first, kind="allergy", text="青霉素")
    Condition.objects.create(patient=room.first, kind="problem", text="冠心病")

    page = open_page(client).content.decode()

    assert '<span class="tag tag--bad" title="青霉素">过敏：青霉素</span>' in page
    assert "冠心病" in page
    assert "138****0000" in page
    assert room.first.phone not in page


def test_a_slip_names_the_visit_but_not_the_person(client, room):
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    take(client, room, schedule)
    confirm(client, room)
    basket = Appointment.objects.get(schedule=schedule).basket

    page = client.get(reverse("appointments:consult_slip", args=[basket])).content.decode()

    assert "李*英" in page
    assert room.first.name not in page
    assert "<svg" in page
    assert slips.patient_of(slips.code_of(basket)) == room.first
    assert slips.patient_of(f"{basket.hex}:made-up") is None


def test_a_scanned_slip_opens_the_patient_at_the_desk(client, room):
    """B20"""
    bring_in(room)
    [schedule, *_rest] = with_a_strip(room)
    take(client, room, schedule)
    basket = Appointment.objects.get(schedule=schedule).basket
    client.force_login(StaffFactory(roles="triage"), backend="django.contrib.auth.backends.ModelBackend")

    answer = client.post(reverse("appointments:desk"), {"q": slips.code_of(basket)})

    assert answer["Location"] == reverse("appointments:desk_patient", args=[room.first.pk])


def test_the_in_visit_rate_is_the_share_of_this_months_visits_booked_in_a_consult_room(client, room):
    """K: visits finished this month by this doctor whose channel was consult or ward / all of them."""
    for number, channel in ((5, "consult"), (6, "ward"), (7, "web")):
        seen = checked_in(room.schedule, number=number, channel=channel)
        seen.status, seen.practitioner, seen.started_at, seen.finished_at = "finished", room.doctor, now(), now()
        seen.save()

    rate = open_page(client).context["page"].rate

    assert (rate.numerator, rate.denominator, rate.percent) == (2, 3, 66.7)


def test_nothing_new_is_answered_with_204_and_a_taken_number_with_the_changed_parts(client, room):
    bring_in(room)
    schedules = with_a_strip(room)
    url = open_page(client).context["page"].fresh_url

    assert client.get(url, headers={"HX-Request": "true"}).status_code == 204

    appointment_row(schedules[2], PatientFactory(), number=1)
    answer = client.get(url, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert 'id="times" hx-swap-oob="true"' in answer.content.decode()


def test_a_page_that_shows_a_patient_who_left_is_told_to_load_again(client, room):
    bring_in(room)
    url = open_page(client).context["page"].fresh_url
    press_next(client, room.waiting[0].pk)

    assert client.get(url, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_the_page_asks_the_database_a_fixed_number_of_questions(client, room, django_assert_max_num_queries):
    bring_in(room)
    with_a_strip(room, numbers=30, consult=20)
    for number in range(10, 30):
        checked_in(room.schedule, number=number)
    for ahead in range(40, 70):
        with_a_strip(room, days=[(ahead, "am")])
    open_page(client)

    with django_assert_max_num_queries(25):
        open_page(client)


def test_nonsense_in_the_address_falls_back_to_the_likeliest(client, room):
    bring_in(room)
    with_a_strip(room)

    for address in (
        {"day": "2026-13-45", "weeks": "x"},
        {"kind": "money"},
        {"schedule": "-1", "role": "99999999999999999999"},
    ):
        assert open_page(client, **address).status_code == 200


def test_the_bare_address_of_a_key_leads_to_the_page(client, room):
    """After a new sign-in the browser asks for the address it was at."""
    for name in ("consult_lines", "consult_next", "consult_confirm"):
        assert client.get(reverse(f"appointments:{name}"))["Location"] == reverse("appointments:consult")


def test_the_consult_room_is_for_doctors(client):
    client.force_login(StaffFactory(roles="office"), backend="django.contrib.auth.backends.ModelBackend")

    assert open_page(client).status_code == 403


def test_strangers_are_sent_to_sign_in(client):
    assert open_page(client).status_code == 302
