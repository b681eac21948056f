"""Many at once who change, move, stop and add: real connections, real locks (X2, B10, B13, B14)."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from appointments import errors
from appointments.models import Appointment, Slot
from appointments.services import booking, changes, extras, noshow, visit
from hospital.models import Fact, Patient
from tests.booking.acts import take as take_once
from tests.booking.crowd import Crowd, await_waiting, kinds, take, won
from tests.booking.sound import deadlocks, unsound
from tests.factories import NOW, TODAY, PatientFactory, UserFactory, open_schedule

pytestmark = pytest.mark.django_db(transaction=True)

TOMORROW = TODAY + timedelta(days=1)  # too near for a number to rest
IN_A_WEEK = TODAY + timedelta(days=7)


@pytest.fixture(autouse=True)
def _sound_afterwards():
    before = deadlocks()
    yield
    assert unsound() == {}
    assert deadlocks() == before


def test_two_tabs_reschedule_one_appointment_and_it_is_in_one_place():
    user = UserFactory()
    with Crowd(2) as crowd:
        for _round in range(15):
            old, left, right = (open_schedule(numbers=1, day=IN_A_WEEK + timedelta(days=n)) for n in range(3))
            row = take(old, by=user)
            changes.confirm(appointment=row, by=user, now=NOW)

            crowd.at_once(
                *(
                    partial(
                        booking.reschedule,
                        appointment=row,
                        schedule=schedule,
                        by=user,
                        channel="counter",
                        request_key=None,
                        now=NOW,
                    )
                    for schedule in (left, right)
                )
            )

            taken = Slot.objects.filter(schedule__in=[old, left, right], status="booked").get()
            assert taken.pk == Appointment.objects.get(pk=row.pk).slot_id
            assert taken.schedule_id in {left.pk, right.pk}


def test_one_tab_cancels_while_the_other_moves():
    """Whichever comes first: no number is lost and none is kept by a cancelled visit."""
    user = UserFactory()
    with Crowd(2) as crowd:
        for _round in range(15):
            old, new = open_schedule(numbers=1, day=TOMORROW), open_schedule(numbers=2, day=IN_A_WEEK)
            row = take(old, by=user)

            cancelled, moved = crowd.at_once(
                partial(changes.cancel, appointment=row, by=user, channel="web", now=NOW),
                partial(
                    booking.reschedule, appointment=row, schedule=new, by=user, channel="web", request_key=None, now=NOW
                ),
            )

            assert cancelled.status == "cancelled"
            assert isinstance(moved, (Appointment, errors.WrongState))
            assert set(Slot.objects.filter(schedule__in=[old, new]).values_list("status", flat=True)) == {"free"}


def test_two_patients_swap_their_numbers_at_once_without_a_deadlock():
    user = UserFactory()
    with Crowd(2) as crowd:
        for _round in range(15):
            schedule = open_schedule(numbers=2)
            rows = [take(schedule, by=user) for _n in range(2)]

            answers = crowd.at_once(
                *(
                    partial(
                        booking.reschedule,
                        appointment=row,
                        schedule=schedule,
                        number=other.slot.number,
                        by=user,
                        channel="web",
                        request_key=None,
                        now=NOW,
                    )
                    for row, other in zip(rows, reversed(rows), strict=True)
                )
            )

            assert kinds(answers) == {errors.SoldOut: 2}


def test_eight_add_ons_at_once_stop_at_the_limit_with_numbers_of_their_own():
    user = UserFactory()
    with Crowd(8) as crowd:
        for _round in range(5):
            schedule = open_schedule(numbers=3, day=IN_A_WEEK)

            answers = crowd.at_once(
                *(
                    partial(
                        extras.add_extra,
                        schedule=schedule,
                        patient=PatientFactory(),
                        by=user,
                        reason="术后",
                        request_key=f"{schedule.pk}:{n}",
                        now=NOW,
                    )
                    for n in range(8)
                )
            )

            assert kinds(answers) == {Appointment: 5, errors.ExtraLimit: 3}
            assert sorted(row.slot.number for row in won(answers)) == [4, 5, 6, 7, 8]


def test_who_books_while_the_clinic_is_stopped_is_told_or_refused_and_never_forgotten():
    """B13: every booked patient is in the stop's fact, and nothing is left to take."""
    user = UserFactory()
    with Crowd(8) as crowd:
        for _round in range(10):
            schedule = open_schedule(numbers=12)

            answers = crowd.at_once(
                partial(extras.suspend, schedule=schedule, by=user, reason="会议", now=NOW),
                *(partial(take, schedule, PatientFactory(), by=user, confirmed=True) for _n in range(7)),
            )

            booked = set(schedule.appointments.filter(status="booked").values_list("pk", flat=True))
            assert set(answers[0]) == booked
            assert set(Fact.objects.get(key=f"schedule:{schedule.pk}").payload["affected"]) == booked
            assert {row.pk for row in won(answers[1:])} == booked
            assert not schedule.slots.exclude(status__in=["booked", "blocked"]).exists()
            assert set(kinds(answers[1:])) <= {Appointment, errors.Stopped, errors.SoldOut}


def test_a_stop_waits_for_a_booking_that_is_half_way_and_lets_its_hold_go():
    user, schedule = UserFactory(), open_schedule(numbers=2)
    with Crowd(1) as crowd:
        with transaction.atomic():
            row = take(schedule, by=user)
            stopped = crowd.begin(partial(extras.suspend, schedule=schedule, by=user, reason="会议", now=NOW))
            await_waiting(1)

        assert stopped.result() == []
        row.refresh_from_db()
        assert row.status == "cancelled"
        assert set(schedule.slots.values_list("status", flat=True)) == {"blocked"}


def test_a_cancel_that_a_move_overtook_lets_go_before_it_looks_again():
    """Else it holds the patient and waits for the new number, and the stop of its clinic the other way round."""
    user = UserFactory()
    with Crowd(2) as crowd:
        for _round in range(8):
            old, new = open_schedule(numbers=1), open_schedule(numbers=1, day=IN_A_WEEK)
            row = take(old, by=user)
            with transaction.atomic():
                booking.reschedule(appointment=row, schedule=new, by=user, channel="web", request_key=None, now=NOW)
                cancelled = crowd.begin(partial(changes.cancel, appointment=row, by=user, channel="web", now=NOW))
                stopped = crowd.begin(partial(extras.suspend, schedule=new, by=user, reason="会议", now=NOW))
                await_waiting(2)

            assert cancelled.result().status == "cancelled"
            assert stopped.result() == []
            assert new.slots.get().status == "blocked"


def test_a_booking_whose_connection_breaks_before_it_is_committed_leaves_nothing():
    schedule, patient, user = open_schedule(numbers=1), PatientFactory(), UserFactory()

    def broken():
        connection.set_autocommit(False)
        take(schedule, patient, by=user)
        connection.connection.close()  # the other end rolls back
        connection.close()
        connection.set_autocommit(True)

    with Crowd(1) as crowd:
        crowd.at_once(broken)

    assert not Appointment.objects.exists()
    assert not Fact.objects.exists()
    assert take(schedule, patient, by=user)


def test_a_number_that_somebody_is_at_is_busy_and_not_sold_out(monkeypatch):
    """A miss under SKIP LOCKED is looked at again: the other may still let go."""
    monkeypatch.setattr(booking, "sleep", lambda _seconds: None)
    schedule, user = open_schedule(numbers=1), UserFactory()
    somebody = PatientFactory()
    answers = []

    connection.set_autocommit(False)
    Slot.objects.select_for_update().get(schedule=schedule)
    with Crowd(1) as crowd:
        answers += crowd.at_once(partial(take_once, schedule, somebody, by=user))
        connection.rollback()
        connection.set_autocommit(True)
        answers += crowd.at_once(partial(take_once, schedule, somebody, by=user))

    assert [type(answer) for answer in answers] == [errors.Busy, Appointment]
    assert answers[0].status == 503
    assert Patient.objects.count() == 1


def test_a_finished_visits_number_is_not_raced_for():
    schedule, user = open_schedule(numbers=1, day=TODAY, starts_at=NOW, ends_at=NOW + timedelta(hours=2)), UserFactory()
    row = take(schedule, by=user, confirmed=True, channel="counter")
    encounter = visit.check_in(appointment=row, by=user, now=NOW)
    visit.start(encounter=encounter, by=user, now=NOW)
    visit.finish(encounter=encounter, by=user, now=NOW)

    with Crowd(4) as crowd:
        answers = crowd.at_once(
            *(partial(take, schedule, PatientFactory(), by=user, channel="counter") for _n in range(4))
        )

    assert kinds(answers) == {errors.SoldOut: 4}


def test_a_visit_that_the_window_moves_while_no_shows_are_counted_is_not_one():
    """B15: either it was missed, or it is coming; never a missed visit of next week."""
    user, evening = UserFactory(), NOW + timedelta(hours=12)
    with Crowd(2) as crowd:
        for _round in range(15):
            missed, coming = open_schedule(numbers=1, day=TODAY), open_schedule(numbers=1, day=IN_A_WEEK)
            row = take(missed, by=user, confirmed=True, channel="counter")

            _marked, moved = crowd.at_once(
                partial(noshow.mark_noshows, now=evening),
                partial(
                    booking.reschedule,
                    appointment=row,
                    schedule=coming,
                    by=user,
                    channel="counter",
                    request_key=None,
                    now=evening,
                ),
            )

            row.refresh_from_db()
            assert isinstance(moved, (Appointment, errors.WrongState)), moved
            assert (row.status, row.schedule) in {("noshow", missed), ("booked", coming)}
