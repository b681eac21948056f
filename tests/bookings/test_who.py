"""第四步: one POST books once; who can't be booked is grey with the reason of the claim itself (B14, B16, B22)."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from appointments.models import Appointment
from appointments.services import changes, extras
from hospital.models import Fact, Patient
from tests.bookings.scenes import greyed, text_of
from tests.factories import (
    NOW,
    DepartmentFactory,
    PatientFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

from .scenes import (
    SOON,
    account_with,
    add_person,
    at,
    booked,
    choose,
    clinic,
    key_on,
    new_account,
    people,
    where,
)

pytestmark = pytest.mark.django_db


def test_step_four_shows_what_was_chosen_and_for_whom_and_the_rules_in_force(mine):
    """B14, B22: doctor, department, place, time, fee, the person masked, the cut-off of this very visit."""
    page = text_of(mine.get(where(clinic())))

    for words in ("王医生", "心血管内科", "本部院区", "3层", "08:00–08:30", "¥20.00", "到院后缴费", "4/4"):
        assert words in page, words
    assert "周*明" in page
    assert "周志明" not in page
    assert "67岁" in page
    assert "11月25日 15:00前可以在网上退号" in page
    assert "90天内满3次，网上预约暂停90天" in page


def test_one_post_books_at_once_and_leads_to_the_success_card(mine):
    schedule = clinic()
    response = choose(mine, schedule, mine.person)

    row = Appointment.objects.get()
    assert response.url == f"/bookings/{row.pk}/done/"
    assert (row.status, row.channel, row.patient, row.by) == ("booked", "web", mine.person, mine.user)
    assert row.self_service
    assert row.counts
    assert Fact.objects.get(topic="appointment.booked").actor == mine.user


def test_the_visit_type_follows_from_the_departments_records(mine):
    assert booked(mine, clinic(), mine.person).visit_type == "first"


def test_a_double_click_is_one_booking(mine):
    schedule = clinic()
    key = key_on(mine.get(where(schedule)))
    first, second = (choose(mine, schedule, mine.person, key=key) for _n in range(2))

    assert first.url == second.url
    assert Appointment.objects.count() == 1


def test_after_the_back_button_the_old_page_gives_the_same_booking_and_a_fresh_one_says_it_is_booked(mine):
    schedule = clinic()
    key = key_on(mine.get(where(schedule)))
    row = booked(mine, schedule, mine.person, key=key)

    assert choose(mine, schedule, mine.person, key=key).url == f"/bookings/{row.pk}/done/"
    page = text_of(mine.get(where(schedule)))
    assert "同一天同一科室已有预约" in page
    assert f"/bookings/{row.pk}/" in page
    assert "disabled" in page


def test_the_last_number_is_mine_and_the_back_button_does_not_say_it_was_lost(mine):
    schedule = clinic(numbers=1, minutes=30)
    booked(mine, schedule, mine.person)

    page = mine.get(where(schedule))
    assert page.status_code == 200
    assert "您已经约好了：周*明" in text_of(page)
    assert "这个时段已经约满" not in text_of(page)
    assert "换一个时段" not in text_of(page)
    assert text_of(page).count(f"/bookings/{Appointment.objects.get().pk}/") == 3  # said, beside the name, the button


def test_who_holds_a_number_there_is_told_so_and_can_still_book_for_another(mine):
    add_person(mine.user, "周小雨")
    schedule = clinic()
    booked(mine, schedule, mine.person)

    page = text_of(mine.get(where(schedule, schedule.starts_at + timedelta(minutes=30))))
    assert "您已经约好了：周*明" in page
    assert '<span class="nowrap">08:00–08:30</span>' in page
    assert ">确认预约</button>" in page


def test_a_number_elsewhere_of_that_department_does_not_keep_the_page_of_a_full_slice(mine):
    schedule = clinic(numbers=1, minutes=30)
    other = open_schedule(day=SOON, half="pm", department=schedule.department, service=schedule.service)
    appointment_row(other, mine.person)
    appointment_row(schedule, PatientFactory(), number=1)

    assert "lost=1" in mine.get(where(schedule)).url


def test_the_old_page_for_another_person_books_nothing_by_mistake_and_its_next_click_counts(mine):
    """A replayed key with another body: said in words, with a new key."""
    child = add_person(mine.user, "周小雨")
    schedule = clinic()
    key = key_on(mine.get(where(schedule)))
    booked(mine, schedule, mine.person, key=key)

    again = choose(mine, schedule, child, key=key)
    assert again.status_code == 422
    assert "没有重复预约" in text_of(again)
    assert Appointment.objects.count() == 1
    fresh = key_on(again)
    assert fresh != key
    assert booked(mine, schedule, child, key=fresh).patient == child


def test_the_old_page_of_a_booking_that_was_given_back_is_no_success(mine):
    schedule = clinic()
    key = key_on(mine.get(where(schedule)))
    row = booked(mine, schedule, mine.person, key=key)
    changes.cancel(appointment=row, by=mine.user, channel="web", now=NOW)

    again = choose(mine, schedule, mine.person, key=key)
    assert again.status_code == 409
    assert "已经退掉" in text_of(again)
    assert Appointment.objects.exclude(status="cancelled").count() == 0
    assert booked(mine, schedule, mine.person, key=key_on(again)).live


def test_a_lost_race_leads_back_to_fresh_slices_with_the_person_remembered(mine):
    """B14: 这个时段刚被约满，请换一个时段."""
    other = add_person(mine.user, "周小雨")
    schedule = clinic(numbers=2, minutes=30)
    key = key_on(mine.get(where(schedule)))
    appointment_row(schedule, PatientFactory(), number=1)

    lost = choose(mine, schedule, other, key=key)
    assert lost.status_code == 302
    assert f"patient={other.pk}" in lost.url
    slots = text_of(mine.get(lost.url))
    assert "这个时段刚被约满" in slots
    assert "08:30–09:00" in slots
    later = schedule.starts_at + timedelta(minutes=30)
    page = text_of(mine.get(where(schedule, later)))
    assert f'value="{other.pk}" checked' in page
    assert booked(mine, schedule, other, start=later, key=key).patient == other  # the key was not used up


def test_a_slice_that_is_gone_before_the_page_opens_leads_back_at_once(mine):
    schedule = clinic(numbers=1, minutes=30)
    appointment_row(schedule, PatientFactory(), number=1)

    assert mine.get(where(schedule)).url.startswith(f"/book/doctors/{schedule.role_id}/")


def test_a_clinic_stopped_between_page_and_click_says_so(mine):
    schedule = clinic()
    key = key_on(mine.get(where(schedule)))
    extras.suspend(schedule=schedule, by=None, reason="医生外出会诊", now=NOW)

    stopped = choose(mine, schedule, mine.person, key=key)
    assert "已停诊" in text_of(mine.get(stopped.url))
    assert not Appointment.objects.exists()


def test_back_to_a_clinic_that_was_stopped_leads_to_the_number_and_what_to_do_with_it(mine):
    schedule = clinic()
    row = booked(mine, schedule, mine.person)
    extras.suspend(schedule=schedule, by=None, reason="医生外出会诊", now=NOW)

    for page in (mine.get(where(schedule)), choose(mine, schedule, mine.person, key=str(uuid4()))):
        assert page.url == f"/bookings/{row.pk}/"
    assert "这次门诊停诊了" in text_of(mine.get(page.url))


def test_a_number_of_a_stopped_clinic_in_the_way_says_to_give_it_back_first(mine):
    stopped = clinic()
    row = booked(mine, stopped, mine.person)
    extras.suspend(schedule=stopped, by=None, reason="医生外出会诊", now=NOW)
    other = open_schedule(day=SOON, half="pm", department=stopped.department, service=stopped.service)

    page = greyed(mine, other)
    assert "请先改约或退掉停诊的那个号" in page
    assert f'href="/bookings/{row.pk}/">看停诊的号' in page


def test_the_only_person_is_chosen_already_and_of_two_none(mine):
    schedule = clinic()
    assert f'value="{mine.person.pk}" checked' in text_of(mine.get(where(schedule)))

    add_person(mine.user, "周小雨")
    assert " checked" not in text_of(mine.get(where(schedule)))


def test_the_person_named_in_the_address_is_chosen_but_never_somebody_elses(mine):
    other, stranger = add_person(mine.user, "周小雨"), PatientFactory()
    schedule = clinic()

    assert f'value="{other.pk}" checked' in text_of(mine.get(where(schedule, patient=other.pk)))
    assert " checked" not in text_of(mine.get(where(schedule, patient=stranger.pk)))


def test_nobody_chosen_is_said_and_the_page_keeps_its_key(mine):
    schedule, key = clinic(), str(uuid4())
    page = mine.post(where(schedule), {"request_key": key})

    assert page.status_code == 422
    assert "请先选一位就诊人" in text_of(page)
    assert key_on(page) == key


def test_somebody_elses_person_can_not_be_booked(mine):
    stranger = people(account_with("李秀英"))[0]
    page = choose(mine, clinic(), stranger)

    assert page.status_code == 422
    assert "请从自己的就诊人里选" in text_of(page)
    assert not Appointment.objects.exists()


def test_a_person_no_longer_looked_after_can_not_be_booked(mine):
    gone = add_person(mine.user, "周小雨")
    mine.user.family.filter(patient=gone).update(ended_at=NOW)

    assert choose(mine, clinic(), gone).status_code == 422


@pytest.mark.parametrize(
    "query",
    ["", "slot=", "slot=1", "slot=x@y", "slot=1@2026-11-26T08:00:00", "schedule=1", f"slot={10**30}@2026-11-26T08:00Z"],
)
def test_an_address_without_a_slice_leads_back_to_choosing(mine, query):
    response = mine.get(f"/book/who/?{query}")

    assert response.status_code == 302
    assert response.url == "/book/departments/"


def test_the_slices_button_without_a_slice_leads_back_where_it_was_pressed(mine):
    came_from = "http://testserver/book/doctors/7/?day=2026-11-26"
    assert mine.get("/book/who/", headers={"Referer": came_from}).url == came_from
    assert mine.get("/book/who/", headers={"Referer": "https://evil.example/"}).url == "/book/departments/"


@pytest.mark.parametrize(
    "query", ["slot=99999@2026-11-26T08:00:00%2B08:00", "schedule=99999&start=2026-11-26T00:00:00Z"]
)
def test_the_old_link_of_a_clinic_that_is_gone_leads_to_the_departments(mine, query):
    assert mine.get(f"/book/who/?{query}").url == "/book/departments/"
    assert "这个时段已过，请另选" in text_of(mine.get("/book/departments/"))


def test_a_moment_outside_of_the_clinic_leads_to_its_slices(mine):
    schedule = clinic()
    assert mine.get(where(schedule, schedule.ends_at)).url.startswith(f"/book/doctors/{schedule.role_id}/")


def test_the_old_link_of_a_slice_that_is_past_says_so(mine):
    schedule = clinic()
    with at(mine, schedule.ends_at + timedelta(days=2)):
        slots = mine.get(where(schedule))
        assert "这个时段已过，请另选" in text_of(mine.get(slots.url))


@pytest.mark.parametrize(("minute", "said"), [(29, False), (31, True)])
def test_a_number_that_is_about_to_begin_warns_before_it_is_confirmed(mine, minute, said):
    """The slice begins at 08:30: to be there at 08:15 there is no time left from 08:00 on."""
    schedule = clinic()
    start = schedule.starts_at + timedelta(minutes=30)
    with at(mine, start - timedelta(minutes=60 - minute)):
        page = text_of(mine.get(where(schedule, start)))
    assert ("这个号马上就到，今天不能在网上退。" in page) is said


def test_the_person_named_in_the_address_stands_first(mine):
    other = add_person(mine.user, "周小雨")
    page = text_of(mine.get(where(clinic(), patient=other.pk)))

    assert page.index("周*雨") < page.index("周*明")


@pytest.mark.parametrize(
    ("specialty", "person", "said"),
    [
        ("05.01", {"sex": "M"}, "这个科室看女病人，请确认"),
        ("05.02", {"sex": "F"}, ""),
        ("05.05", {"sex": "M"}, ""),
        ("07", {"birth_date": date(1990, 1, 1)}, "这个科室看小孩，请确认"),
        ("07", {"birth_date": date(2015, 1, 1)}, ""),
        ("03.01", {"birth_date": date(2015, 1, 1)}, "医院有儿科"),
        ("10", {"birth_date": date(2015, 1, 1)}, ""),
        ("", {"sex": "M"}, ""),
    ],
)
def test_a_department_that_hardly_fits_is_asked_about_and_never_refused(mine, specialty, person, said):
    Patient.objects.filter(pk=mine.person.pk).update(**person)
    DepartmentFactory(name="儿科", specialty="07")
    schedule = clinic(department=DepartmentFactory(specialty=specialty))
    page = text_of(mine.get(where(schedule)))

    doubts = ("请确认科室是否合适" in page, said in page)
    assert doubts == (bool(said), True)
    assert booked(mine, schedule, mine.person).live


def test_a_child_hears_nothing_of_a_childrens_department_that_is_not_there(mine):
    Patient.objects.filter(pk=mine.person.pk).update(birth_date=date(2015, 1, 1))
    DepartmentFactory(name="新生儿科", specialty="07.01")
    page = text_of(mine.get(where(clinic(department=DepartmentFactory(specialty="03.01")))))
    assert "儿科" not in page


def test_a_plus_sign_lost_on_the_way_is_put_back(mine):
    schedule = clinic()
    assert mine.get(f"/book/who/?slot={schedule.pk}@{SOON}T08:00:00+08:00").status_code == 200
    assert mine.get(f"/book/who/?schedule={schedule.pk}&start={SOON}T00:00:00Z").status_code == 200


def test_a_stranger_signs_in_first_and_the_choice_survives(client, db):
    address = where(clinic())
    response = client.get(address)

    assert response.status_code == 302
    assert response.url.startswith("/sign-in/?next=/book/who/%3Fslot%3D")


def test_staff_hear_that_this_is_for_patients(client, db):
    client.force_login(StaffFactory(roles="counter"))
    assert client.get(where(clinic())).status_code == 403


def test_an_account_without_people_adds_one_first_and_comes_back(client, db):
    client.force_login(new_account(), backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(where(clinic()))

    assert response.url.startswith("/me/family/add/?next=%2Fbook%2Fwho%2F%3Fslot")
