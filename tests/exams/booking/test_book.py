"""Hold, confirm, give back, move (E1–E3): all or nothing, and each refusal by name."""

from datetime import UTC, time, timedelta
from uuid import uuid4

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from exams.errors import (
    AlreadyBookedExam,
    HoldEnded,
    NotBookedAlone,
    NotFree,
    PatientBusy,
    TimeTaken,
    WrongExamState,
)
from exams.models import ExamBooking, ExamPlan, ExamRequest
from exams.services import booking, holds
from exams.services.booking import Wanted
from exams.services.devices.downtime import take_down
from hospital import clock
from hospital.models import AuditEvent, Fact, PatientTime
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    PatientFactory,
    PoolFactory,
    PractitionerFactory,
    UserFactory,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db

TOMORROW = TODAY + timedelta(days=1)


def at(hour, minute=0, day=TOMORROW):
    return clock.at(day, time(hour, minute))


@pytest.fixture
def house():
    """One house with a public pool, and two exams that a patient is to have."""
    scan, blood = exam_variant(minutes=20), exam_variant(minutes=10)
    PoolFactory(organization=scan.item.organization)
    patient = PatientFactory()
    requests = [ExamRequestFactory(variant=each, patient=patient) for each in (scan, blood)]
    return patient, requests, [open_device(scan), open_device(blood)]


def hold(house, *starts, basket=None, channel="consult", now=NOW):
    patient, requests, devices = house
    lines = [Wanted(r.pk, d.pk, s) for r, d, s in zip(requests, devices, starts, strict=False)]
    return booking.hold_plan(patient=patient, lines=lines, channel=channel, by=None, basket=basket or uuid4(), now=now)


def test_a_plan_is_held_and_confirmed_as_one(house):
    plan = hold(house, at(8), at(9))
    rows = list(plan.bookings.order_by("during"))
    assert [row.status for row in rows] == ["pending", "pending"]
    assert (plan.exams, plan.trips, plan.minutes) == (2, 1, 70)
    assert rows[0].fee == 180
    assert PatientTime.objects.filter(source="exam", source_id__in=[row.pk for row in rows]).count() == 2
    assert {row.status for row in ExamRequest.objects.all()} == {"booked"}

    for _double_click in range(2):
        confirmed = booking.confirm(basket=plan.basket, by=None, now=NOW)
        assert [row.status for row in confirmed] == ["booked", "booked"]
    assert Fact.objects.filter(topic="exam.booked").count() == 2


def test_one_taken_line_takes_nothing(house):
    patient, requests, devices = house
    other = ExamRequestFactory(variant=requests[1].variant)
    booking.hold_one(request=other, device=devices[1], start=at(9), channel="consult", by=None, basket=None, now=NOW)
    with pytest.raises(TimeTaken) as refusal:
        hold(house, at(8), at(9, 5))
    assert refusal.value.details["exam"] == requests[1].variant.name
    assert not ExamBooking.objects.filter(patient=patient).exists()
    assert not ExamPlan.objects.exists()
    assert requests[0].variant.name not in refusal.value.sentence


def test_the_same_plan_again_is_the_same_answer_and_another_replaces_it(house):
    basket = uuid4()
    first = hold(house, at(8), at(9), basket=basket)
    assert hold(house, at(8), at(9), basket=basket) == first
    again = hold(house, at(10), at(11), basket=basket)
    assert again == first
    assert {row.start for row in first.bookings.filter(holds=True)} == {at(10), at(11)}
    assert PatientTime.objects.filter(source="exam").count() == 2
    booking.confirm(basket=basket, by=None, now=NOW)
    assert hold(house, at(10), at(11), basket=basket) == first, "a second click on the old page"
    with pytest.raises(AlreadyBookedExam):
        hold(house, at(8), at(9), basket=basket)


def test_a_hold_that_ran_out_is_taken_over_by_whoever_books(house):
    """The former holder's request is open again, at once and without the minute's job."""
    _patient, requests, devices = house
    other = ExamRequestFactory(variant=requests[0].variant)
    booking.hold_one(request=other, device=devices[0], start=at(8), channel="web", by=None, basket=None, now=NOW)
    with pytest.raises(TimeTaken):
        hold(house, at(8, 10), now=NOW + timedelta(minutes=9))
    plan = hold(house, at(8, 10), now=NOW + timedelta(minutes=10))
    other.refresh_from_db()
    assert other.status == "open"
    assert list(other.bookings.values_list("status", "holds", "note")) == [("cancelled", False, "lapsed")]
    assert plan.bookings.get().holds


def test_holds_that_ran_out_are_let_go_each_minute_and_cannot_be_confirmed(house):
    plan = hold(house, at(8), at(9), channel="consult")
    late = NOW + timedelta(minutes=30)
    with pytest.raises(HoldEnded):
        booking.confirm(basket=plan.basket, by=None, now=late)
    assert holds.lapse(now=late - timedelta(seconds=1)) == 0
    assert holds.lapse(now=late) == 2
    assert holds.lapse(now=late) == 0
    assert not PatientTime.objects.exists()
    assert {row.status for row in ExamRequest.objects.all()} == {"open"}
    with pytest.raises(HoldEnded):
        booking.confirm(basket=plan.basket, by=None, now=late)


def test_an_old_lapse_does_not_end_a_newer_plan_of_the_same_basket(house):
    """A consult room's basket lives for the whole sitting."""
    patient, requests, devices = house
    basket = uuid4()
    hold(house, at(8), at(9), basket=basket)
    later = NOW + timedelta(minutes=31)
    holds.lapse(now=later)
    hold(house, at(8), basket=basket, now=later)
    [row] = booking.confirm(basket=basket, by=None, now=later)
    assert (row.request, row.status) == (requests[0], "booked")
    assert ExamPlan.objects.get().exams == 1


def test_dropping_and_cancelling_twice_is_once_and_opens_the_request(house):
    plan = hold(house, at(8), at(9))
    first, second = plan.bookings.order_by("during")
    for _again in range(2):
        booking.drop(booking=first, by=None, now=NOW)
    booking.confirm(basket=plan.basket, by=None, now=NOW)
    with pytest.raises(WrongExamState):
        booking.drop(booking=second, by=None, now=NOW)
    for _again in range(2):
        booking.cancel(booking=second, by=None, channel="counter", note="不做了", now=NOW)
    assert [row.status for row in ExamRequest.objects.order_by("pk")] == ["open", "open"]
    assert Fact.objects.filter(topic="exam.cancelled").count() == 1
    assert not PatientTime.objects.exists()


def test_a_withdrawn_request_is_not_to_be_booked_again(house):
    plan = hold(house, at(8))
    [row] = booking.confirm(basket=plan.basket, by=None, now=NOW)
    booking.cancel(booking=row, by=None, channel="consult", note="改用超声", withdraw=True, now=NOW)
    row.request.refresh_from_db()
    assert (row.request.status, row.request.note) == ("cancelled", "改用超声")
    assert Fact.objects.filter(topic="exam.withdrawn", key=f"examrequest:{row.request_id}").count() == 1
    assert AuditEvent.objects.filter(action="exam.withdrawn", subject=f"examrequest:{row.request_id}").count() == 1
    with pytest.raises(WrongExamState):
        hold(house, at(8))


def test_an_exam_moves_as_the_same_row_and_keeps_its_time_when_refused(house):
    plan = hold(house, at(8), at(9))
    row, other = booking.confirm(basket=plan.basket, by=None, now=NOW)
    moved = booking.move(booking=row, device=row.device, start=at(10), channel="counter", by=None, now=NOW)
    assert (moved.pk, moved.start, moved.status) == (row.pk, at(10), "booked")
    assert PatientTime.objects.get(source_id=row.pk).during.lower == at(10)
    again = booking.move(booking=row, device=row.device, start=at(10), channel="counter", by=None, now=NOW)
    assert again.start == at(10)
    assert list(Fact.objects.filter(topic="exam.moved").values_list("payload__from_start", flat=True)) == [
        at(8).astimezone(UTC).isoformat()
    ]
    with pytest.raises(PatientBusy):
        booking.move(booking=row, device=row.device, start=other.start, channel="counter", by=None, now=NOW)
    row.refresh_from_db()
    assert row.start == at(10)
    nearby = booking.move(booking=row, device=row.device, start=at(10, 10), channel="counter", by=None, now=NOW)
    assert nearby.start == at(10, 10), "onto minutes that are partly its own"


def test_what_was_said_at_check_in_does_not_go_to_another_day(house):
    """E5: a doctor let it go on today; on another day that is asked anew."""
    [row] = booking.confirm(basket=hold(house, at(8)).basket, by=None, now=NOW)
    said = {"status": "arrived", "checked_in_at": at(7), "passed_at": at(8), "priority": 2, "answers": {"a": "yes"}}
    doctor = PractitionerFactory()
    ExamBooking.objects.filter(pk=row.pk).update(**said, override="急", override_by=doctor)
    later = open_device(row.variant, days=(2,))

    where = {"device": later, "start": at(9, day=TOMORROW + timedelta(days=1))}
    moved = booking.move(booking=row, **where, channel="counter", by=None, hospital=True, now=at(8))

    moved.refresh_from_db()
    assert (moved.status, moved.checked_in_at, moved.passed_at, moved.priority) == ("booked", None, None, 0)
    assert (moved.answers, moved.override, moved.override_by) == ({}, "", None)


def test_a_time_nobody_opened_is_refused_by_name(house):
    _patient, requests, devices = house
    for start in (at(7), at(11, 50), at(8, 3), at(8, 0, day=TODAY), at(8, 0, day=TODAY + timedelta(days=9))):
        with pytest.raises(NotFree) as refusal:
            hold(house, start)
        assert refusal.value.details == {"exam": requests[0].variant.name}
    with pytest.raises(NotFree):  # a device that can't do it
        hold((_patient, requests[:1], devices[1:]), at(8))
    with pytest.raises(WrongExamState):
        hold((PatientFactory(), requests, devices), at(8))


def test_alone_people_book_what_is_simple_and_staff_book_all(house):
    _patient, requests, _devices = house
    item = requests[0].variant.item
    item.simple = False
    item.save()
    for channel in ("web", "app", "phone", "kiosk"):
        with pytest.raises(NotBookedAlone):
            hold(house, at(8), channel=channel)
    assert hold(house, at(8), channel="counter").exams == 1


def test_a_displaced_exam_gets_an_offer_and_moves_there(house):
    """C's downtime: the row stays booked without time; the offer is held beside it and the request stays booked."""
    _patient, requests, devices = house
    plan = hold(house, at(8))
    [row] = booking.confirm(basket=plan.basket, by=None, now=NOW)
    PatientTime.objects.filter(source_id=row.pk).delete()
    ExamBooking.objects.filter(pk=row.pk).update(holds=False)
    with pytest.raises(AlreadyBookedExam):
        hold(house, at(9))
    until = NOW + timedelta(hours=2)
    offer = booking.hold_one(
        request=requests[0], device=devices[0], start=at(9), channel="phone", by=None, basket=None,
        hold_until=until, now=NOW,
    )  # fmt: skip
    assert offer.hold_until == until
    holds.lapse(now=until)
    requests[0].refresh_from_db()
    assert requests[0].status == "booked"
    moved = booking.move(booking=row, device=devices[0], start=at(9), channel="phone", by=None, hospital=True, now=NOW)
    assert (moved.holds, moved.start, moved.status) == (True, at(9), "booked")
    assert PatientTime.objects.get().source_id == row.pk
    cancelled = booking.cancel(booking=row, by=None, channel="phone", hospital=True, now=at(8, 59))
    assert cancelled.status == "cancelled"


def test_who_stands_at_the_desk_gets_the_next_free_minutes(house):
    _patient, requests, devices = house
    booking.confirm(basket=hold(house, at(8)).basket, by=None, now=NOW)
    other = ExamRequestFactory(variant=requests[0].variant)
    row = booking.walk_in(request=other, device=devices[0], by=None, now=at(8, 3))
    assert (row.start, row.status, row.walk_in) == (at(8, 20), "booked", True)
    night = ExamRequestFactory(variant=requests[0].variant)
    row = booking.walk_in(request=night, device=devices[0], by=None, now=at(20, 1))
    assert (row.start, row.session) == (at(20, 5), None)


def test_the_query_count_does_not_grow_with_exams(house, django_assert_max_num_queries):
    with django_assert_max_num_queries(46):
        hold(house, at(8), at(9))


def test_a_plan_whose_device_goes_down_while_it_is_held_is_not_booked_in_part(house):
    """E3: all or none, also when the house itself takes one time away."""
    plan = hold(house, at(8), at(9))
    during = DateTimeTZRange(at(8), at(8, 30))
    take_down(device=house[2][0], during=during, cause="fault", reason="球管", by=UserFactory(), now=NOW)
    with pytest.raises(HoldEnded):
        booking.confirm(basket=plan.basket, by=None, now=NOW)
    assert not plan.bookings.filter(status="booked").exists()
