"""The consult room beyond the main path: closed levels, cancelling, moving, add-ons, the slip (B1, B4, B10, B14)."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from appointments.models import Appointment, BookingRule, ConsultLevelRule
from appointments.selectors import slips
from hospital.models import AuditEvent, Condition
from tests.consult.rooms import (
    bring_in,
    checked_in,
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
from tests.factories import OrganizationFactory, PatientFactory, StaffFactory, appointment_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(client):
    room = doctor_with_a_room(waiting=3)
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    return room


def add_on(client, room, schedule, reason="术后复查"):
    said = {"schedule": schedule.pk, "reason": reason, "encounter": room.waiting[0].pk, "request_key": key()}
    return client.post(reverse("appointments:consult_extra"), said, headers={"HX-Request": "true"})


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

    with django_assert_max_num_queries(27):  # one is of who comes by referral
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
