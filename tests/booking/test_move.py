"""Reschedule in one step: the same row moves, the old number goes back, a refusal keeps it (B14)."""

from datetime import timedelta

import pytest

from appointments import errors
from appointments.models import Appointment, PatientSuspension, Slot
from appointments.services import booking, changes, extras
from hospital.models import Fact, PatientTime, PriceItem
from tests.booking.acts import A_SECOND, take, take_and_confirm, utc
from tests.factories import NOW, TODAY, DepartmentFactory, PatientFactory, UserFactory, open_schedule

pytestmark = pytest.mark.django_db

IN_A_WEEK = TODAY + timedelta(days=7)


def move(row, schedule, *, channel="web", by=None, key=None, now=NOW, **more):
    return booking.reschedule(
        appointment=row, schedule=schedule, by=by, channel=channel, request_key=key, now=now, **more
    )


def status_of(row):
    return Slot.objects.get(pk=row.slot_id).status


def test_the_same_row_moves_with_the_patients_time_and_the_old_number_goes_back():
    old, new = open_schedule(day=IN_A_WEEK), open_schedule(day=IN_A_WEEK + timedelta(days=1))
    patient = PatientFactory()
    row = take_and_confirm(old, patient)

    moved = move(row, new, number=3)

    assert (moved.pk, moved.schedule, moved.slot.number, moved.status) == (row.pk, new, 3, "booked")
    assert (moved.day, moved.start, moved.department_id) == (new.day, moved.slot.start, new.department_id)
    assert (status_of(row), status_of(moved)) == ("free", "booked")
    during = PatientTime.objects.get(patient=patient).during
    assert (during.lower, during.upper) == (moved.start, moved.start + timedelta(minutes=moved.slot.minutes))
    assert Fact.objects.filter(topic="appointment.moved").get().payload["from_slot"] == row.slot_id


def test_the_price_of_the_new_day_holds():
    old, new = open_schedule(day=IN_A_WEEK), open_schedule(day=IN_A_WEEK + timedelta(days=1))
    PriceItem.objects.update(effective_to=IN_A_WEEK)
    PriceItem.objects.create(
        organization=new.organization, code="G", name="普通挂号费", amount=30, effective_from=new.day
    )

    assert move(take_and_confirm(old), new).fee == 30


@pytest.mark.parametrize(("channel", "clock"), [("web", 15), ("consult", 2 + 3), ("counter", 2 + 5)])
def test_a_held_line_moves_and_its_clock_runs_on_for_patients_and_starts_again_for_staff(channel, clock):
    """Choosing another time in the basket: the same line. B14: nobody holds numbers for ever by moving to and fro."""
    schedule = open_schedule()
    row = take(schedule, channel=channel)

    moved = move(row, schedule, channel=channel, number=5, now=NOW + timedelta(minutes=2))

    assert (moved.pk, moved.status) == (row.pk, "pending")
    assert moved.slot.hold_until == NOW + timedelta(minutes=clock)
    assert status_of(row) == "free"


def suspended_until(patient, days=30, **more):
    return PatientSuspension.objects.create(
        patient=patient, starts_at=NOW - A_SECOND, ends_at=NOW + timedelta(days=days), **more
    )


def test_a_suspended_patient_books_nothing_by_moving_and_the_window_may_move():
    """B16: a booking kept for this would be the way round every suspension."""
    row, new = take_and_confirm(open_schedule(day=IN_A_WEEK)), open_schedule(day=IN_A_WEEK)
    suspended_until(row.patient)

    with pytest.raises(errors.PatientSuspended) as refusal:
        move(row, new)
    assert "12月23日" in refusal.value.sentence
    assert status_of(row) == "booked"
    assert move(row, row.schedule, number=5).slot.number == 5
    assert move(row, new, channel="counter").schedule == new


def test_a_suspended_patient_moves_away_from_what_the_hospital_stopped():
    """B13."""
    row, new = take_and_confirm(open_schedule(day=IN_A_WEEK)), open_schedule(day=IN_A_WEEK)
    suspended_until(row.patient)
    extras.suspend(schedule=row.schedule, by=None, reason="会议", now=NOW)

    assert move(row, new).schedule == new


def test_a_hold_that_has_passed_cannot_be_moved():
    row = take(open_schedule())

    with pytest.raises(errors.HoldLapsed):
        move(row, open_schedule(), now=NOW + timedelta(minutes=15))


@pytest.mark.parametrize("named", [{"number": 2}, {"slice": True}], ids=["number", "slice"])
def test_moving_to_where_it_is_already_is_the_same_answer_and_changes_nothing(named):
    schedule = open_schedule(numbers=8)
    row = take_and_confirm(schedule, number=2)
    where = {"start": row.start} if named.get("slice") else named

    moved = move(row, schedule, **where)

    assert (moved.slot_id, moved.status, status_of(row)) == (row.slot_id, "booked", "booked")
    assert not Fact.objects.filter(topic="appointment.moved").exists()


def test_limits_do_not_count_the_row_that_moves():
    """B16: with two visits that day, one of them may still move to another time of the day."""
    patient = PatientFactory()
    first, second, third = (open_schedule(day=IN_A_WEEK) for _n in range(3))
    take_and_confirm(first, patient, number=1)
    row = take_and_confirm(second, patient, number=5)

    assert move(row, third, number=9).schedule == third


def test_limits_still_count_the_others():
    patient = PatientFactory()
    for _n in range(2):
        take_and_confirm(open_schedule(day=IN_A_WEEK), patient)
    row = take_and_confirm(open_schedule(day=IN_A_WEEK + timedelta(days=1)), patient)

    with pytest.raises(errors.LimitReached):
        move(row, open_schedule(day=IN_A_WEEK))
    row.refresh_from_db()
    assert (row.day, status_of(row)) == (IN_A_WEEK + timedelta(days=1), "booked")


def test_ones_own_expired_hold_stands_in_nobodys_way():
    """A forgotten basket is no visit: it neither fills a limit nor the patient's minute."""
    patient = PatientFactory()
    row = take_and_confirm(open_schedule(day=IN_A_WEEK + timedelta(days=20)), patient)
    for number in (2, 3):
        take(open_schedule(day=IN_A_WEEK), patient, number=number)
    new = open_schedule(day=IN_A_WEEK)

    assert move(row, new, number=2, now=NOW + timedelta(minutes=15)).slot.number == 2
    assert Appointment.objects.filter(status="cancelled").count() == 2


def test_a_second_visit_to_a_department_on_a_day_is_refused_and_the_old_number_kept():
    patient, department = PatientFactory(), DepartmentFactory()
    there = open_schedule(day=IN_A_WEEK, department=department)
    take_and_confirm(there, patient)
    row = take_and_confirm(open_schedule(day=IN_A_WEEK + timedelta(days=1)), patient)

    with pytest.raises(errors.AlreadyBooked):
        move(row, there)
    assert status_of(row) == "booked"


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (lambda: full_schedule(), errors.SoldOut),
        (lambda: open_schedule(status="stopped"), errors.Stopped),
        (lambda: open_schedule(opened=NOW + A_SECOND), errors.NotOpen),
        (lambda: open_schedule(day=TODAY - timedelta(days=1)), errors.PastNumber),
    ],
    ids=["sold out", "stopped", "not open", "over"],
)
def test_a_refused_move_keeps_the_old_number(make, refusal):
    row = take_and_confirm(open_schedule(day=IN_A_WEEK))
    before = Appointment.objects.filter(pk=row.pk).values().get()
    time_before = PatientTime.objects.filter(source_id=row.pk).values().get()

    with pytest.raises(refusal):
        move(row, make())

    assert Appointment.objects.filter(pk=row.pk).values().get() == before
    assert PatientTime.objects.filter(source_id=row.pk).values().get() == time_before
    assert status_of(row) == "booked"


def full_schedule():
    schedule = open_schedule(numbers=1)
    take_and_confirm(schedule)
    return schedule


def test_the_patients_other_visit_at_that_minute_refuses_the_move():
    patient = PatientFactory()
    there, elsewhere = open_schedule(day=IN_A_WEEK), open_schedule(day=IN_A_WEEK)
    take_and_confirm(elsewhere, patient, number=4)
    row = take_and_confirm(open_schedule(day=IN_A_WEEK + timedelta(days=1)), patient)

    with pytest.raises(errors.TimeConflict):
        move(row, there, number=4)


def test_a_move_may_overlap_the_time_that_it_leaves():
    """Half an hour later with another doctor, while the old visit would still have been running."""
    patient = PatientFactory()
    row = take_and_confirm(open_schedule(day=IN_A_WEEK, numbers=4), patient, number=1)  # 60 minutes each

    assert move(row, open_schedule(day=IN_A_WEEK, numbers=8), number=2).slot.number == 2


def test_the_old_number_of_a_sold_out_clinic_rests_and_what_the_consult_room_held_is_free_at_once():
    rows = [
        take_and_confirm(open_schedule(numbers=1)),
        take(open_schedule(numbers=1)),
        take(open_schedule(numbers=1), channel="consult"),
    ]

    for row in rows:
        move(row, open_schedule())

    assert [status_of(row) for row in rows] == ["resting", "resting", "free"]


def test_after_the_cut_off_a_patient_cannot_move_and_the_window_can():
    schedule, new = open_schedule(day=TODAY + timedelta(days=1)), open_schedule(day=IN_A_WEEK)
    row = take_and_confirm(schedule)
    late = utc(TODAY, 7, 0, 1)

    assert move(row, schedule, number=2, now=utc(TODAY, 6, 59, 59)).slot.number == 2
    with pytest.raises(errors.TooLateToCancel):
        move(row, new, now=late)
    assert move(row, new, channel="counter", now=late).schedule == new


def test_a_stopped_clinics_patient_moves_after_the_cut_off_too():
    """B13."""
    schedule, new = open_schedule(day=TODAY + timedelta(days=1)), open_schedule(day=IN_A_WEEK)
    row = take_and_confirm(schedule)
    extras.suspend(schedule=schedule, by=None, reason="会议", now=NOW)

    assert move(row, new, now=utc(TODAY, 9)).schedule == new
    assert status_of(row) == "blocked"


def test_a_page_that_is_out_of_date_does_not_get_round_the_cut_off():
    """Two tabs: the one shows a hold, or a visit next week; what counts is the appointment as it is."""
    tomorrow = open_schedule(day=TODAY + timedelta(days=1))
    still_a_hold = take(tomorrow, now=utc(TODAY, 6, 59))
    shown_next_week = take_and_confirm(open_schedule(day=IN_A_WEEK))
    changes.confirm(appointment=still_a_hold, by=None, now=utc(TODAY, 6, 59))
    move(shown_next_week, tomorrow)

    for shown in (still_a_hold, shown_next_week):
        with pytest.raises(errors.TooLateToCancel):
            move(shown, open_schedule(day=IN_A_WEEK), now=utc(TODAY, 7, 1))


@pytest.mark.parametrize("status", ["arrived", "cancelled"])
def test_only_a_coming_visit_moves(status):
    row = take_and_confirm(open_schedule(day=IN_A_WEEK))
    Appointment.objects.update(status=status, cancelled_at=NOW if status == "cancelled" else None)

    with pytest.raises(errors.WrongState):
        move(row, open_schedule())


def test_a_repeated_move_is_the_same_answer_even_after_the_cut_off():
    user = UserFactory()
    row = take_and_confirm(open_schedule(day=IN_A_WEEK), by=user)
    new = open_schedule(day=TODAY + timedelta(days=1))
    move(row, new, by=user, key="m")

    again = move(row, new, by=user, key="m", now=utc(TODAY, 9))

    assert (again.schedule, again.slot.number) == (new, 1)
    assert Fact.objects.filter(topic="appointment.moved").count() == 1


def test_a_repeated_move_of_what_was_cancelled_meanwhile_is_no_success():
    user, new = UserFactory(), open_schedule()
    row = take_and_confirm(open_schedule(), by=user)
    move(row, new, by=user, key="m")
    changes.cancel(appointment=row, by=user, channel="web", now=NOW)

    with pytest.raises(errors.HoldLapsed):
        move(row, new, by=user, key="m")


def test_an_add_on_that_moves_becomes_an_ordinary_number_and_leaves_none_behind():
    schedule, new = open_schedule(day=IN_A_WEEK, numbers=1), open_schedule()
    row = extras.add_extra(
        schedule=schedule, patient=PatientFactory(), by=UserFactory(), reason="术后", request_key="e", now=NOW
    )

    moved = move(row, new)

    assert (moved.extra, moved.slot.number, status_of(row)) == (False, 1, "blocked")


def test_a_move_takes_only_what_its_channel_may():
    consult_only = open_schedule(numbers=2, pool="consult")
    row = take_and_confirm(open_schedule(day=IN_A_WEEK))

    with pytest.raises(errors.NotOpen):
        move(row, consult_only)
    assert move(row, consult_only, channel="consult").schedule == consult_only
