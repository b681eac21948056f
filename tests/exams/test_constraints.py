"""What PostgreSQL refuses of exams, whoever writes (E1, E10)."""

from datetime import time, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.models import Downtime, StaffTeam
from tests.factories import (
    NOW,
    ExamRequestFactory,
    PatientFactory,
    UserFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def variant():
    return exam_variant(minutes=20)


def requests(variant, count):
    return [ExamRequestFactory(variant=variant) for _each in range(count)]


def refused(name):
    return pytest.raises(IntegrityError, match=name)


def test_two_exams_never_overlap_on_a_device(variant):
    """E1: not even by five minutes; back to back they stand."""
    session = device_session(open_device(variant, days=()))
    one, two, three = requests(variant, 3)
    row = exam_booking_row(request=one, session=session)
    exam_booking_row(request=two, session=session, start=row.during.upper)
    with refused("a_device_does_one_exam_at_a_time"), transaction.atomic():
        exam_booking_row(request=three, session=session, start=row.during.upper - timedelta(minutes=5))


def test_what_was_given_back_holds_no_time(variant):
    session = device_session(open_device(variant, days=()))
    one, two = requests(variant, 2)
    exam_booking_row(request=one, session=session, status="cancelled", holds=False, ended_at=NOW)
    exam_booking_row(request=two, session=session)


def test_an_exam_stays_within_its_session(variant):
    session = device_session(open_device(variant, days=()), starts=time(8), ends=time(9))
    with refused("the exam does not fit into its session"), transaction.atomic():
        exam_booking_row(
            request=ExamRequestFactory(variant=variant),
            session=session,
            start=session.during.upper - timedelta(minutes=10),
        )


def test_one_team_for_two_rooms_does_one_exam_at_a_time(variant):
    """E10: staff limits. Size two lets both rooms run, not three."""
    team = StaffTeam.objects.create(organization=variant.item.organization, name="超声一组", size=1)
    rooms = [device_session(open_device(variant, days=(), team=team)) for _room in range(2)]
    one, two = requests(variant, 2)
    row = exam_booking_row(request=one, session=rooms[0])
    with refused("the team has no hand free"), transaction.atomic():
        exam_booking_row(request=two, session=rooms[1], start=row.during.lower + timedelta(minutes=15))
    exam_booking_row(request=two, session=rooms[1], start=row.during.upper)


def test_a_longer_exam_around_two_short_ones_is_counted_right():
    """Two hands: 08:00–08:10 and 08:20–08:30 never meet, so 08:00–08:30 beside them is the second, not the third."""
    short, long = exam_variant(minutes=10), exam_variant(minutes=30)
    team = StaffTeam.objects.create(organization=short.item.organization, name="超声一组", size=2)
    rooms = [device_session(open_device(short, long, days=(), team=team)) for _room in range(3)]
    start = rooms[0].during.lower
    exam_booking_row(request=ExamRequestFactory(variant=short), session=rooms[0], start=start)
    exam_booking_row(request=ExamRequestFactory(variant=short), session=rooms[1], start=start + timedelta(minutes=20))
    exam_booking_row(request=ExamRequestFactory(variant=long), session=rooms[2], start=start)
    with refused("the team has no hand free"), transaction.atomic():
        exam_booking_row(
            request=ExamRequestFactory(variant=short), session=rooms[0], start=start + timedelta(minutes=20)
        )


def test_a_device_that_is_down_takes_nobody_and_nobody_is_on_one_that_goes_down(variant):
    session = device_session(open_device(variant, days=()))
    one, two = requests(variant, 2)
    row = exam_booking_row(request=one, session=session)
    down = {"device": session.device, "cause": "fault", "by": UserFactory(), "created_at": NOW}
    hour = timedelta(hours=1)
    with refused("exams are booked on the device then"), transaction.atomic():
        Downtime.objects.create(during=DateTimeTZRange(row.during.lower, row.during.lower + hour), **down)
    Downtime.objects.create(during=DateTimeTZRange(row.during.lower + hour, session.during.upper), **down)
    with refused("the device is down then"), transaction.atomic():
        exam_booking_row(request=two, session=session, start=row.during.lower + hour)


def test_a_patient_is_not_in_two_places(variant):
    """House rule: consultation and exam share PatientTime."""
    patient = PatientFactory()
    sessions = [device_session(open_device(variant, days=())) for _room in range(2)]
    exam_booking_row(request=ExamRequestFactory(variant=variant, patient=patient), session=sessions[0])
    other = ExamRequestFactory(variant=exam_variant(), patient=patient)
    sessions[1].device.abilities.create(variant=other.variant)
    with refused("patienttime_not_in_two_places"), transaction.atomic():
        exam_booking_row(request=other, session=sessions[1])
