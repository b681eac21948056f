"""改约 in one step: the same booking moves, or the old number stays (B14)."""

from datetime import time, timedelta
from uuid import uuid4

import pytest

from appointments.models import Appointment, PatientSuspension, Schedule
from hospital import clock
from hospital.models import Fact, RelatedPerson
from tests.factories import NOW, TODAY, NoticeFactory, PatientFactory, TeamFactory, appointment_row, open_schedule

from .scenes import SOON, agree, at, booked, clinic, eve, key_on
from .test_cancel import words_of_refused
from .test_cards import words_of

pytestmark = pytest.mark.django_db


def value(schedule, start=None) -> str:
    return f"{schedule.pk}@{(start or schedule.starts_at).astimezone(clock.ZONE).isoformat()}"


def move(client, row, slot, *, key=None):
    return client.post(f"/bookings/{row.pk}/change/", {"slot": slot, "request_key": key or str(uuid4())})


@pytest.fixture
def two_days(mine):
    """The same doctor tomorrow's tomorrow and the day after; booked on the first."""
    first = clinic()
    second = clinic(day=SOON + timedelta(days=1), role=first.role)
    return booked(mine, first, mine.person), first, second


def test_the_page_shows_the_slices_of_the_same_doctor_only(mine, two_days):
    row, _first, second = two_days
    other = clinic(day=SOON + timedelta(days=1))
    page = mine.get(f"/bookings/{row.pk}/change/?day={second.day}").content.decode()

    assert value(second) in page
    assert f'value="{other.pk}@' not in page
    assert "现在的号" in page


def test_one_post_moves_the_same_booking_and_frees_the_old_number(mine, two_days):
    row, first, second = two_days
    page = mine.get(f"/bookings/{row.pk}/change/?day={second.day}")
    done = move(mine, row, value(second), key=key_on(page))

    assert done.url == f"/bookings/{row.pk}/"
    moved = Appointment.objects.get()
    assert (moved.pk, moved.schedule, moved.status) == (row.pk, second, "booked")
    assert first.slots.get(number=1).status == "free"
    assert "已改约，原来的号已放回" in words_of(mine.get(done.url))


def test_moving_twice_with_one_key_is_once(mine, two_days):
    row, _first, second = two_days
    key = str(uuid4())
    assert move(mine, row, value(second), key=key).url == move(mine, row, value(second), key=key).url
    assert Fact.objects.filter(topic="appointment.moved").count() == 1


def test_a_lost_race_keeps_the_old_number_and_says_so_over_a_fresh_list(mine, two_days):
    row, _first, second = two_days
    for number in (1, 2):
        appointment_row(second, PatientFactory(), number=number)
    lost = move(mine, row, value(second))

    assert lost.status_code == 409
    page = words_of_refused(lost)
    assert "这个时段刚被约满" in page
    assert "原来的号还给您留着" in page
    assert "08:30–09:00" in page
    assert Appointment.objects.get(patient=mine.person).schedule == row.schedule


def test_nothing_chosen_is_said_and_the_key_is_kept(mine, two_days):
    key = str(uuid4())
    page = mine.post(f"/bookings/{two_days[0].pk}/change/", {"request_key": key})

    assert page.status_code == 422
    assert key_on(page) == key
    assert "请先选一个就诊时段" in words_of_refused(page)


def test_another_doctors_slice_is_not_a_change(mine, two_days):
    assert move(mine, two_days[0], value(clinic())).status_code == 404
    assert move(mine, two_days[0], "999999@2026-11-26T08:00:00+08:00").status_code == 404


def test_after_the_cut_off_a_click_on_an_old_page_is_refused_and_the_number_stays(mine, two_days):
    row, first, second = two_days
    with at(mine, eve(first, hour=15, second=1)):
        late = move(mine, row, value(second))
    assert late.status_code == 409
    assert "退号截止时间" in words_of_refused(late)
    assert Appointment.objects.get().schedule == first


def test_a_used_key_with_another_slice_moves_nothing_and_gets_a_new_key(mine, two_days):
    row, first, second = two_days
    key = str(uuid4())
    move(mine, row, value(second), key=key)
    again = move(mine, row, value(first), key=key)

    assert again.status_code == 422
    assert key_on(again) != key
    assert Appointment.objects.get().schedule == second


def test_the_limit_does_not_count_the_booking_that_moves(mine):
    """B16: three in seven days stay three."""
    first = clinic()
    rows = [booked(mine, first, mine.person)]
    rows += [booked(mine, clinic(day=SOON + timedelta(days=n)), mine.person) for n in (1, 2)]
    second = clinic(day=SOON + timedelta(days=3), role=first.role)

    assert move(mine, rows[0], value(second)).status_code == 302


def test_a_team_and_a_plain_clinic_move_within_themselves(mine):
    team = TeamFactory()
    for fields in (
        {"role": None, "team": team, "department": team.department, "service": team.service},
        {"role": None, "department": team.department, "service": clinic().service},
    ):
        first = clinic(day=SOON + timedelta(days=2 if fields.get("team") else 0), **fields)
        second = clinic(day=first.day + timedelta(days=1), **fields)
        row = booked(mine, first, mine.person)
        assert f'value="{second.pk}@' in mine.get(f"/bookings/{row.pk}/change/?day={second.day}").content.decode()
        assert move(mine, row, value(second)).status_code == 302


def test_a_stopped_clinic_can_be_changed_on_the_very_day(mine, two_days):
    row, first, second = two_days
    Schedule.objects.filter(pk=first.pk).update(status="stopped", stop_reason="会诊")
    with at(mine, first.starts_at - timedelta(minutes=30)):
        assert move(mine, row, value(second)).status_code == 302


def test_the_page_says_until_when_the_number_of_the_day_shown_could_be_given_back(mine, two_days):
    """B14: not until when the present one could: whoever moves to tomorrow after the cut-off can't undo it."""
    row, first, second = two_days
    tomorrow = clinic(day=SOON - timedelta(days=2), role=first.role)
    with at(mine, clock.at(TODAY, time(16))):
        late, open_still = (mine.get(f"/bookings/{row.pk}/change/?day={each.day}") for each in (tomorrow, second))

    assert "这一天的网上退号时间已过" in late.content.decode()
    assert f"{SOON.month}月{SOON.day}日 15:00前可以在网上退号或改约" in open_still.content.decode()


@pytest.mark.parametrize("days", [1, 5])
def test_the_page_asks_as_many_questions_for_five_days_as_for_one(mine, days, django_assert_max_num_queries):
    first = clinic()
    row = booked(mine, first, mine.person)
    for n in range(days):
        clinic(day=TODAY + timedelta(days=1 + n + (n > 1)), role=first.role)
    mine.get(f"/bookings/{row.pk}/change/")

    with django_assert_max_num_queries(14):
        mine.get(f"/bookings/{row.pk}/change/")


def test_what_the_doctor_booked_is_moved_by_the_patient(mine):
    first = clinic()
    row = appointment_row(first, mine.person, channel="consult")
    second = open_schedule(day=SOON + timedelta(days=1), role=first.role)

    assert move(mine, row, value(second)).status_code == 302
    assert row.start > NOW


def test_without_consent_nothing_is_moved_and_the_page_leads_to_it(mine, two_days):
    """O4: as when booking."""
    row, _first, second = two_days
    NoticeFactory(kind="health")
    person = RelatedPerson.objects.get(patient=mine.person)
    to_consent = f'href="/me/family/{person.pk}/consent/?next='

    assert to_consent in mine.get(f"/bookings/{row.pk}/change/").content.decode()
    refused = move(mine, row, value(second))
    assert (refused.status_code, to_consent in refused.content.decode()) == (409, True)
    assert Appointment.objects.get().schedule != second
    agree(mine.user, mine.person)
    assert move(mine, row, value(second)).status_code == 302


def test_a_suspended_patient_is_told_until_when_and_keeps_the_number(mine, two_days):
    """B16."""
    row, _first, second = two_days
    PatientSuspension.objects.create(patient=mine.person, starts_at=NOW, ends_at=NOW + timedelta(days=30))

    refused = move(mine, row, value(second))

    assert refused.status_code == 409
    assert "暂停至12月23日" in words_of_refused(refused)
    assert Appointment.objects.get().schedule != second
