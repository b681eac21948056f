"""What of the devices' time a channel may take, to the second (E1, E10), and what PostgreSQL says beneath it."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.errors import (
    AlreadyBookedExam,
    ExamsSuspended,
    NoExamPrice,
    NotAnswered,
    NotFree,
    NotPossible,
    PatientBusy,
    TimeTaken,
)
from exams.models import Downtime, ExamNoShow, ScreeningAnswer, ScreeningQuestion, StaffTeam
from exams.selectors.free import free_times, segments
from exams.selectors.rules import pools_for_exams
from exams.services import booking, claims
from hospital import clock
from hospital.models import PatientTime, PriceItem
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    OrganizationFactory,
    PoolFactory,
    UserFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def at(day, hour, minute=0):
    return clock.at(TODAY + day * DAY, time(hour, minute))


@pytest.fixture
def house():
    house = OrganizationFactory()
    PoolFactory(organization=house)
    return house


@pytest.fixture
def scan(house):
    return exam_variant(organization=house, minutes=20)


def free(device, *, channel="web", now=NOW, requests=(), days=3):
    pools = pools_for_exams(channel, organization_id=device.organization_id, day=TODAY, requests=list(requests))
    found = free_times(devices=[device], first_day=TODAY, days=days, pools=pools, now=now)[device.pk]
    return [(each.start, each.end) for each in found]


def hold(request, device, start, *, channel="consult", now=NOW):
    return booking.hold_one(
        request=request, device=device, start=start, channel=channel, by=None, basket=uuid4(), now=now
    )


def test_a_reserve_is_its_own_channels_until_the_moment_it_is_shared(house, scan):
    """E10: the inpatient reserve 10:00–11:00 opens to the ward, and to everybody at 20:00 the evening before."""
    device = open_device(scan, organization=house)
    session, shared = device.sessions.get(), at(0, 20)
    kept = PoolFactory(organization=house, kind="inpatient")
    session.windows.create(
        pool=kept, during=DateTimeTZRange(at(1, 10), at(1, 11)), opens_at=NOW - DAY, shared_from=shared
    )
    rest, all_of_it = [(at(1, 8), at(1, 10)), (at(1, 11), at(1, 12))], [(at(1, 8), at(1, 12))]
    assert free(device) == free(device, now=shared - timedelta(microseconds=1)) == rest
    assert free(device, now=shared) == all_of_it
    lying = ExamRequestFactory(variant=scan, inpatient=True)
    assert free(device, requests=[lying]) == free(device, channel="ward") == all_of_it
    walking = ExamRequestFactory(variant=scan)
    with pytest.raises(NotFree):
        hold(walking, device, at(1, 9, 50))
    assert hold(lying, device, at(1, 9, 50)).holds, "half in the reserve"
    assert hold(walking, device, at(1, 10, 20), now=shared).holds


def test_nothing_is_open_before_its_moment(house, scan):
    device = open_device(scan, organization=house, days=())
    device_session(device, opens_at=NOW + timedelta(hours=1))
    assert free(device) == []
    assert free(device, now=NOW + timedelta(hours=1)) == [(at(1, 8), at(1, 12))]
    device.sessions.update(closed=True)
    assert free(device, now=NOW + timedelta(hours=1)) == []


def test_downtimes_and_a_team_without_a_hand_take_time_and_what_was_taken_back_gives_it(house, scan):
    team = StaffTeam.objects.create(organization=house, name="超声一组", size=1)
    device, other = (open_device(scan, organization=house, team=team) for _room in range(2))
    exam_booking_row(request=ExamRequestFactory(variant=scan), session=other.sessions.get(), start=at(1, 9))
    down = Downtime.objects.create(
        device=device,
        during=DateTimeTZRange(at(1, 11, 2), at(1, 13)),
        cause="fault",
        by=UserFactory(),
        created_at=NOW,
    )
    assert free(device) == [(at(1, 8), at(1, 9)), (at(1, 9, 20), at(1, 11))]
    with pytest.raises(TimeTaken):
        hold(ExamRequestFactory(variant=scan), device, at(1, 8, 45))
    Downtime.objects.filter(pk=down.pk).update(stands=False)
    assert free(device)[-1] == (at(1, 9, 20), at(1, 12))


def test_a_session_over_midnight_can_be_booked_on_both_days(house, scan):
    """Emergency CT at 00:10 on the first of the month: its day is the hospital's, its session began the day before."""
    device = open_device(scan, organization=house, days=())
    ahead = (datetime(2026, 11, 30).date() - TODAY).days  # noqa: DTZ001
    session = device_session(device, day=TODAY + ahead * DAY, starts=time(22), ends=time(23, 55))
    session.during = DateTimeTZRange(at(ahead, 22), at(ahead + 1, 2))
    session.save()
    pools = pools_for_exams("web", organization_id=house.pk, day=TODAY, requests=[])
    look = {"devices": [device], "days": 1, "pools": pools, "now": NOW}
    [first] = free_times(first_day=TODAY + ahead * DAY, **look)[device.pk]
    [second] = free_times(first_day=TODAY + (ahead + 1) * DAY, **look)[device.pk]
    assert (first.end, second.start, second.end) == (at(ahead + 1, 0), at(ahead + 1, 0), at(ahead + 1, 2))
    row = hold(ExamRequestFactory(variant=scan, priority="emergency"), device, at(ahead + 1, 0, 10))
    assert (row.day.isoformat(), row.session) == ("2026-12-01", session)
    across = hold(ExamRequestFactory(variant=scan, priority="emergency"), device, at(ahead, 23, 50))
    assert across.day.isoformat() == "2026-11-30"
    with pytest.raises(TimeTaken):
        hold(ExamRequestFactory(variant=scan), device, at(ahead + 1, 0, 5))


def test_published_half_hours_leave_out_where_the_patient_is(house, scan):
    device = open_device(scan, organization=house, ends=time(10))
    request = ExamRequestFactory(variant=scan)
    PatientTime.objects.create(
        patient=request.patient, during=DateTimeTZRange(at(1, 8, 30), at(1, 9)), source="appointment", source_id=1
    )
    found = segments(request=request, channel="web", first_day=TODAY, days=3, now=NOW)
    assert [(each.start, each.first_start, each.left) for each in found] == [
        (at(1, 8), at(1, 8), 1),  # ten minutes' walk to the visit
        (at(1, 9), at(1, 9, 10), 1),
        (at(1, 9, 30), at(1, 9, 30), 1),
    ]
    with pytest.raises(PatientBusy):
        hold(request, device, at(1, 8, 40))


def test_answers_stop_whom_they_must_and_a_price_is_needed(house, scan):
    device, request = open_device(scan, organization=house), ExamRequestFactory(variant=scan)
    signed = {"organization": house, "source": "规程", "approved_by": UserFactory(), "approved_at": NOW}
    question = ScreeningQuestion.objects.create(code="renal", text="肾功能正常吗？", **signed)
    question.items.add(scan.item)
    for code, effect in (("yes", "ok"), ("no", "check"), ("implant", "refuse")):
        ScreeningAnswer.objects.create(question=question, code=code, text=code, effect=effect, sentence="须先评估")
    with pytest.raises(NotAnswered):
        hold(request, device, at(1, 8))
    for answer in ("no", "implant"):
        request.answers = {"renal": answer}
        request.save()
        with pytest.raises(NotPossible):
            hold(request, device, at(1, 8), channel="web")
    request.answers = {"renal": "yes"}
    request.save()
    PriceItem.objects.update(effective_to=TODAY)
    with pytest.raises(NoExamPrice):
        hold(request, device, at(1, 8))
    PriceItem.objects.update(effective_to=None)
    assert hold(request, device, at(1, 8)).fee == 180


def test_who_missed_too_many_books_with_the_house_only(house, scan):
    """E5."""
    device, request = open_device(scan, organization=house), ExamRequestFactory(variant=scan)
    session = device_session(device, day=TODAY - DAY)
    for number in range(3):
        missed = exam_booking_row(
            request=ExamRequestFactory(variant=scan, patient=request.patient),
            session=session,
            start=session.during.lower + timedelta(minutes=20 * number),
            status="noshow",
            holds=False,
            ended_at=NOW,
        )
        ExamNoShow.objects.create(booking=missed, patient=request.patient, day=missed.day, marked_at=NOW)
    with pytest.raises(ExamsSuspended):
        hold(request, device, at(1, 8), channel="web")
    assert hold(request, device, at(1, 8), channel="counter").holds


@pytest.mark.parametrize(
    ("constraint", "refusal"),
    [
        ("a_device_does_one_exam_at_a_time", TimeTaken),
        ("exambooking_within_the_team", TimeTaken),
        ("exambooking_not_during_downtime", NotFree),
        ("exambooking_inside_its_session", NotFree),
        ("exambooking_one_per_request", AlreadyBookedExam),
        ("patienttime_not_in_two_places", PatientBusy),
    ],
)
def test_what_postgresql_refuses_is_said_as_the_service_would(house, scan, constraint, refusal):
    """Whoever slipped past the services' own look: each constraint has its sentence, and none is a 500."""
    team = StaffTeam.objects.create(organization=house, name="超声一组", size=1)
    device, other = (open_device(scan, organization=house, team=team) for _room in range(2))
    request, session = ExamRequestFactory(variant=scan), device.sessions.get()
    about = {"request": request, "session": session, "start": at(1, 9)}
    match constraint:
        case "a_device_does_one_exam_at_a_time":
            exam_booking_row(request=ExamRequestFactory(variant=scan), session=session, start=at(1, 9, 10), team=None)
        case "exambooking_within_the_team":
            exam_booking_row(request=ExamRequestFactory(variant=scan), session=other.sessions.get(), start=at(1, 9, 10))
        case "exambooking_not_during_downtime":
            span = DateTimeTZRange(at(1, 9), at(1, 10))
            Downtime.objects.create(device=device, during=span, cause="fault", by=UserFactory(), created_at=NOW)
        case "exambooking_inside_its_session":
            about["start"] = at(1, 11, 50)
        case "exambooking_one_per_request":
            exam_booking_row(request=request, session=session, start=at(1, 10))
        case "patienttime_not_in_two_places":
            PatientTime.objects.create(
                patient=request.patient, during=DateTimeTZRange(at(1, 9), at(1, 10)), source="x", source_id=1
            )
    with pytest.raises(refusal) as told, transaction.atomic(), claims.naming(scan.name):
        exam_booking_row(**about)
    assert told.value.sentence
    assert isinstance(told.value.__cause__, IntegrityError)
