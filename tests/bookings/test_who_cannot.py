"""第四步: who can't be booked is grey with the reason of the claim (B15, B16, B17, B22, O4)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from appointments.models import Appointment, PatientSuspension
from hospital.models import PatientTime
from tests.bookings.scenes import greyed, text_of
from tests.factories import (
    NOW,
    TODAY,
    NoticeFactory,
    appointment_row,
    open_schedule,
)

from .scenes import (
    SOON,
    add_person,
    agree,
    booked,
    choose,
    clinic,
    where,
)

pytestmark = pytest.mark.django_db


# ---- who can't be booked, and why ----


def test_a_suspended_person_sees_until_when_and_what_stays_open(mine):
    """B16."""
    PatientSuspension.objects.create(
        patient=mine.person, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=30), reason="爽约3次"
    )
    schedule = clinic()
    page = greyed(mine, schedule)
    assert "自助预约已暂停至12月23日" in page
    assert "医生在诊间预约" in page
    refused = choose(mine, schedule, mine.person, key=str(uuid4()))
    assert refused.status_code == 409
    assert "自助预约已暂停至12月23日" in text_of(refused)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([0, 0], "当天 2/2"),
        ([-1, 1, 2], "7天 3/3"),
        ([-80, -60, -40, 5, 8], "90天 5/5"),
    ],
)
def test_limits_are_shown_with_what_is_used_and_refused_with_the_same_sentence(mine, days, said):
    """B16: 2 a day, 3 in 7 days, 5 in 90, by visit day."""
    for place, after in enumerate(days):
        other = open_schedule(day=SOON + timedelta(days=after), numbers=20)
        appointment_row(other, mine.person, number=10 + place)
    schedule = clinic()

    page = greyed(mine, schedule)
    assert "已达到预约次数上限（一天2次、7天3次、90天5次）" in page
    assert said in page
    refused = choose(mine, schedule, mine.person, key=str(uuid4()))
    assert refused.status_code == 409
    assert "已达到预约次数上限" in text_of(refused)


def test_what_the_doctor_booked_does_not_count(mine):
    for after in (-1, 1, 2):
        appointment_row(open_schedule(day=SOON + timedelta(days=after)), mine.person, channel="consult", counts=False)
    assert booked(mine, clinic(), mine.person).status == "booked"


def test_a_service_that_is_exempt_is_not_limited(mine):
    for after in (-1, 1, 2):
        appointment_row(open_schedule(day=SOON + timedelta(days=after)), mine.person)
    schedule = clinic()
    schedule.service.limits_exempt = True
    schedule.service.save()

    page = text_of(mine.get(where(schedule)))
    assert "disabled" not in page
    assert booked(mine, schedule, mine.person).status == "booked"


def test_a_person_who_is_elsewhere_at_that_time_sees_so(mine):
    elsewhere = open_schedule(day=SOON, numbers=1, minutes=30)
    appointment_row(elsewhere, mine.person, channel="consult")
    PatientTime.objects.create(
        patient=mine.person,
        during=(elsewhere.starts_at, elsewhere.starts_at + timedelta(minutes=30)),
        source="appointment",
        source_id=1,
    )
    schedule = clinic()

    assert "这个时间就诊人已有其他安排" in greyed(mine, schedule)
    refused = choose(mine, schedule, mine.person, key=str(uuid4()))
    assert refused.status_code == 409
    assert "这个时间就诊人已有其他安排" in text_of(refused)


def test_a_person_whose_consent_is_missing_is_led_to_it_and_not_booked(mine):
    """O4: health data are asked for separately."""
    NoticeFactory(kind="health")
    agree(mine.user, mine.person)
    child = add_person(mine.user, "周小雨", agreed=False)
    schedule = clinic()
    page = text_of(mine.get(where(schedule)))

    assert page.count("需要先看过并同意告知书") == 1
    row = mine.user.family.get(patient=child)
    assert f"/me/family/{row.pk}/consent/?next=/book/who/%3Fslot" in page
    refused = choose(mine, schedule, child, key=str(uuid4()))
    assert refused.status_code == 409
    assert not Appointment.objects.exists()


def test_a_hold_that_has_run_out_stands_in_nobodys_way(mine):
    schedule = clinic()
    held = appointment_row(schedule, mine.person, number=4, status="pending")
    held.slot.hold_until = NOW - timedelta(seconds=1)
    held.slot.save()

    assert "disabled" not in text_of(mine.get(where(schedule)))
    assert booked(mine, schedule, mine.person).pk != held.pk


def test_a_refused_person_does_not_keep_the_others_from_being_booked(mine):
    other = add_person(mine.user, "周小雨")
    schedule = clinic()
    booked(mine, schedule, mine.person)

    assert booked(mine, schedule, other).patient == other


@pytest.mark.parametrize("count", [1, 5])
def test_the_page_asks_as_many_questions_for_five_people_as_for_one(mine, count, django_assert_max_num_queries):
    for place in range(count - 1):
        person = add_person(mine.user, f"家人{place}")
        appointment_row(open_schedule(day=TODAY + timedelta(days=9 + place)), person)
    address = where(clinic())
    mine.get(address)

    with django_assert_max_num_queries(20):
        mine.get(address)
