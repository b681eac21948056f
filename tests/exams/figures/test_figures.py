"""检查指标: counted from rows, by month and modality; the page with its definitions."""

import uuid
from datetime import date, time, timedelta

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse

from appointments.stats import Rate
from exams import stats
from exams.models import DiagnosticReport, Downtime, ExamNoShow, ExamPlan, RepeatCheck
from hospital import clock
from hospital.models import Room
from tests.factories import (
    NOW,
    TODAY,
    DepartmentFactory,
    EncounterFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)
from tests.factories.exams import (
    ExamRequestFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db

MONTH = TODAY.replace(day=1)


@pytest.fixture
def house():
    return OrganizationFactory()


def months_figures(house, **more):
    return stats.figures(organization=house.pk, month=MONTH, **more)


def done(**more):
    times = dict.fromkeys(("started_at", "finished_at"), NOW)
    return exam_booking_row(status="done", **times, **more)


@pytest.fixture
def month(house):
    """A device open four hours on TODAY: three done (one walked in), a no-show, one that was excused, one cancelled."""
    variant = exam_variant(minutes=20, organization=house)
    device = open_device(variant, days=(), organization=house)
    session = device_session(device, day=TODAY, starts=time(8), ends=time(12))
    starts = [session.during.lower + timedelta(minutes=20 * number) for number in range(7)]

    def request(days_ago):
        return ExamRequestFactory(variant=variant, asked_at=NOW - timedelta(days=days_ago))

    done(request=request(2), session=session, start=starts[0])
    done(request=request(4), session=session, start=starts[1])
    done(request=request(0), session=session, start=starts[2], walk_in=True)
    for number, excused in ((3, None), (4, NOW)):
        row = exam_booking_row(
            request=request(1), session=session, start=starts[number], status="noshow", holds=False, ended_at=NOW
        )
        ExamNoShow.objects.create(booking=row, patient=row.patient, day=TODAY, marked_at=NOW, excused_at=excused)
    exam_booking_row(
        request=request(1), session=session, start=starts[5], status="cancelled", holds=False, ended_at=NOW
    )
    Downtime.objects.create(
        device=device, during=DateTimeTZRange(clock.at(TODAY, time(11)), clock.at(TODAY, time(13))), cause="fault",
        by=StaffFactory(), created_at=NOW,
    )  # fmt: skip
    return device


def test_the_figures_of_a_month_and_of_each_modality_are_counted_from_its_bookings(house, month):
    """E1, E5: share with a booked time, waiting, occupancy (an hour of four was down), no-shows."""
    figures = months_figures(house)
    exams = figures.chosen.exams

    assert figures.modalities == [("超声", exams)]
    assert exams.segment == Rate(2, 3)
    assert exams.segment_is_low
    assert (exams.wait_days, exams.wait_days_90) == (2.0, 3.6)
    assert exams.occupancy == Rate(60, 180)
    assert exams.noshow == Rate(1, 4)
    assert [month.first for month in figures.months][0] == stats.month_before(MONTH, 5)


def plan(house, *, trips, first_come, exams=3, patient=None, at=NOW):
    return ExamPlan.objects.create(
        basket=uuid.uuid4(), patient=patient or PatientFactory(), organization=house, channel="consult", exams=exams,
        trips=trips, minutes=60, first_come_trips=first_come, created_at=NOW, confirmed_at=at,
    )  # fmt: skip


def test_trips_saved_are_counted_per_patient_and_only_of_plans_that_were_confirmed(house):
    """E3: one trip, and trips against first-come."""
    patient = PatientFactory()
    plan(house, trips=1, first_come=3, patient=patient)
    plan(house, trips=2, first_come=2, patient=patient)
    plan(house, trips=1, first_come=2)
    plan(house, trips=1, first_come=9, exams=1)
    plan(house, trips=1, first_come=9, at=None)
    plan(OrganizationFactory(code="H2"), trips=1, first_come=9)

    plans = months_figures(house).chosen.plans

    assert plans.one_trip_share == Rate(2, 3)
    assert (plans.saved, plans.patients, plans.saved_each) == (3, 2, 1.5)


def test_repeats_avoided_are_counted_among_all_that_doctors_were_told_of(house):
    """E6."""
    variant = exam_variant(organization=house)
    patient, doctor = PatientFactory(), PractitionerFactory()
    report = DiagnosticReport.objects.create(
        organization=house, patient=patient, variant=variant, performed_at=NOW - timedelta(days=3)
    )
    known = {"patient": patient, "variant": variant, "report": report, "by": doctor, "at": NOW}
    RepeatCheck.objects.create(**known, outcome="avoided")
    RepeatCheck.objects.create(
        **known, outcome="went_on", reason="症状加重", request=ExamRequestFactory(variant=variant, patient=patient)
    )

    assert months_figures(house).chosen.plans.avoided_share == Rate(1, 2)

    visit = EncounterFactory(appointment=appointment_row(open_schedule(), patient))
    RepeatCheck.objects.create(**known, outcome="avoided", encounter=visit)
    assert months_figures(house).chosen.plans.avoided_share == Rate(2, 3)
    other_way = exam_variant(item=variant.item, kind="contrast")
    ExamRequestFactory(variant=other_way, patient=patient, encounter=visit, asked_at=NOW)
    assert months_figures(house).chosen.plans.avoided_share == Rate(1, 2), "asked for after all"


def test_the_office_of_a_department_sees_its_own_devices_and_not_the_whole_houses_plans(house, month):
    plan(house, trips=1, first_come=3)
    Room.objects.filter(pk=month.room_id).update(department=DepartmentFactory(organization=house))
    month.room.refresh_from_db()
    own = months_figures(house, departments=[month.room.department_id])
    other = months_figures(house, departments=[DepartmentFactory(organization=house, code="ANOTHER").pk])

    assert own.chosen.exams.done == 3
    assert other.chosen.exams.done == own.chosen.plans.plans == 0


@pytest.mark.parametrize(("first", "back", "expected"), [((2026, 1), 1, (2025, 12)), ((2026, 12), -1, (2027, 1))])
def test_months_go_over_the_turn_of_the_year(first, back, expected):
    assert stats.month_before(date(*first, 1), back) == date(*expected, 1)


@pytest.fixture
def office(client, house):
    with time_machine.travel(NOW, tick=False):
        client.force_login(StaffFactory(roles="office"))
        yield client


def test_the_page_says_each_figure_with_its_definition(office, house, month, django_assert_max_num_queries):
    plan(house, trips=1, first_come=3)
    address = reverse("exams:office_exam_figures")
    office.get(address)

    with django_assert_max_num_queries(16):
        page = office.get(address).content.decode()

    for words in ("66.7%", "2 / 3 项", "低于 80%", "人均少跑", "2.0", "分母：当月做完的全部检查", "超声"):
        assert words in page


@pytest.mark.parametrize("said", ["", "?month=2019-02", "?month=x", "?month=9999-99", "?month=2099-01&house=x"])
def test_a_month_without_exams_says_so_and_a_wrong_one_is_this_month(office, said):
    assert "这个月没有检查" in office.get(reverse("exams:office_exam_figures") + said).content.decode()


def test_a_doctor_has_no_business_here(client):
    client.force_login(StaffFactory(roles="doctor"))

    assert client.get(reverse("exams:office_exam_figures")).status_code == 403
