"""再约一次: the same doctor for the same patient, the next three slices, one tap to the summary (B22)."""

import html
import re
from datetime import timedelta

import pytest

from appointments.models import Schedule
from appointments.selectors.again import again_for
from tests.factories import NOW, TODAY, PatientFactory, RoleFactory, TeamFactory, appointment_row, open_schedule

from .scenes import SOON, add_person, clinic

pytestmark = pytest.mark.django_db


def seen(patient, *, days=10, role=None, **fields):
    """A visit some days ago; its doctor."""
    fields = {"role": role or RoleFactory()} | fields
    past = open_schedule(day=TODAY - timedelta(days=days), **fields)
    appointment_row(past, patient, status="fulfilled")
    return past.role


def test_who_was_seen_last_is_offered_with_the_next_three_slices_and_one_tap_leads_to_step_four(mine):
    doctor = seen(mine.person)
    soon = clinic(role=doctor, numbers=10)
    page = mine.get("/book/").content.decode()
    assert "再约一次" in page
    assert "给周*明" in page

    [again] = again_for(mine.user, now=NOW)
    assert [offer.start for offer in again.offers] == [soon.starts_at + timedelta(minutes=30 * n) for n in range(3)]
    assert [offer.left for offer in again.offers] == [2, 2, 2]
    taps = [html.unescape(each) for each in re.findall(r'href="(/book/who/[^"]+)"', page)]
    assert len(taps) == 3
    step_four = mine.get(taps[0]).content.decode()
    assert "08:00–08:30" in step_four
    assert f'value="{mine.person.pk}" checked' in step_four


def test_a_taken_slice_is_passed_over_and_what_is_not_open_to_the_web_does_not_show(mine):
    doctor = seen(mine.person)
    soon = clinic(role=doctor, numbers=4)
    for number in (1, 2):
        appointment_row(soon, PatientFactory(), number=number)
    clinic(role=doctor, day=SOON + timedelta(days=1), opened=NOW + timedelta(hours=1))
    clinic(role=doctor, day=SOON + timedelta(days=2), pool="consult")

    [again] = again_for(mine.user, now=NOW)
    assert [offer.start for offer in again.offers] == [soon.starts_at + timedelta(minutes=30)]


def test_a_day_on_which_the_department_has_the_patient_already_is_not_offered(mine):
    doctor = seen(mine.person)
    soon, later = clinic(role=doctor), clinic(role=doctor, day=SOON + timedelta(days=1))
    appointment_row(soon, mine.person)

    [again] = again_for(mine.user, now=NOW)
    assert {offer.schedule for offer in again.offers} == {later}


def test_at_most_three_the_latest_first_and_each_patient_with_each_doctor_once(mine):
    child = add_person(mine.user, "周小雨")
    doctors = [seen(mine.person, days=days) for days in (40, 30, 20)]
    seen(mine.person, days=50, role=doctors[2])
    seen(child, days=10, role=doctors[2])

    found = [(again.patient, again.schedule.role) for again in again_for(mine.user, now=NOW)]
    assert found == [(child, doctors[2]), (mine.person, doctors[2]), (mine.person, doctors[1])]


def test_a_team_is_offered_as_a_team_and_a_doctor_who_left_is_not(mine):
    team = TeamFactory()
    place = {"role": None, "team": team, "department": team.department, "service": team.service}
    past = open_schedule(day=TODAY - timedelta(days=9), **place)
    appointment_row(past, mine.person, status="fulfilled")
    soon = clinic(**place)
    gone = seen(mine.person)
    gone.active = False
    gone.save()

    [again] = again_for(mine.user, now=NOW)
    assert again.offers[0].schedule == soon


def test_a_stopped_clinic_is_not_offered_and_the_way_to_the_doctor_stays(mine):
    doctor = seen(mine.person)
    Schedule.objects.filter(pk=clinic(role=doctor).pk).update(status="stopped")

    assert again_for(mine.user, now=NOW)[0].offers == []
    assert f"/book/doctors/{doctor.pk}/" in mine.get("/book/").content.decode()


def test_somebody_elses_visits_are_never_offered(mine):
    seen(PatientFactory())
    assert again_for(mine.user, now=NOW) == []


def test_it_is_three_questions_however_much_was_booked(mine, django_assert_num_queries):
    for n in range(4):
        doctor = seen(mine.person, days=10 + n)
        clinic(role=doctor, day=TODAY + timedelta(days=1 + n))
    again_for(mine.user, now=NOW)

    with django_assert_num_queries(3):
        assert len(again_for(mine.user, now=NOW)) == 3
