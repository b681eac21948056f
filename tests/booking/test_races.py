"""Many at once on one number, one patient, one appointment: real connections, real locks (X2, B16)."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from appointments import errors
from appointments.models import Appointment, Slot
from appointments.services import booking, changes, extras, noshow, visit
from hospital.models import Fact, Patient
from tests.booking.acts import take as take_once
from tests.booking.crowd import Crowd, await_waiting, in_processes
from tests.booking.sound import deadlocks, unsound
from tests.factories import NOW, TODAY, PatientFactory, UserFactory, open_schedule

pytestmark = pytest.mark.django_db(transaction=True)

TOMORROW = TODAY + timedelta(days=1)  # too near for a number to rest
IN_A_WEEK = TODAY + timedelta(days=7)
AT_THE_END = NOW + timedelta(minutes=15)  # of a hold from the web


@pytest.fixture(autouse=True)
def _sound_afterwards():
    before = deadlocks()
    yield
    assert unsound() == {}
    assert deadlocks() == before


def take(*args, **more):
    """As a client does: a 503 means come back, on a machine that is busy with other things too."""
    for _time in range(20):
        with suppress(errors.Busy):
            return take_once(*args, **more)
    raise AssertionError("busy for ever")


def won(answers):
    return [answer for answer in answers if isinstance(answer, Appointment)]


def kinds(answers):
    return Counter(type(answer) for answer in answers)


def test_twenty_processes_race_for_five_numbers():
    schedule, user = open_schedule(numbers=5), UserFactory()
    patients = PatientFactory.create_batch(20)

    def race(patient):
        try:
            return take(schedule, patient, by=user).slot_id
        except errors.SoldOut:
            return "sold out"

    answers = in_processes([partial(race, patient) for patient in patients])

    assert answers.count("sold out") == 15
    assert set(answers) - {"sold out"} == set(schedule.slots.values_list("pk", flat=True))


def test_twenty_processes_ask_for_the_very_same_number():
    schedule, user = open_schedule(numbers=5), UserFactory()

    def race(patient):
        try:
            return take(schedule, patient, by=user, number=3).slot.number
        except errors.SoldOut:
            return "sold out"

    answers = in_processes([partial(race, patient) for patient in PatientFactory.create_batch(20)])

    assert Counter(answers) == {3: 1, "sold out": 19}


@pytest.mark.parametrize(("days", "allowed"), [([0], 2), ([0, 2, 4, 6], 3)], ids=["two a day", "three in seven days"])
def test_fifty_simultaneous_requests_of_one_person_never_pass_a_limit(days, allowed):
    """Fifteen rounds: a count in one statement with the claim was wrong in fifteen of fifteen."""
    schedules = [open_schedule(day=IN_A_WEEK + timedelta(days=day), numbers=20) for day in days for _n in range(10)]
    patients, user = PatientFactory.create_batch(15), UserFactory()
    asked = (schedules * 5)[:50]

    with Crowd(50) as crowd:
        for patient in patients:
            answers = crowd.at_once(*(partial(take, schedule, patient, by=user) for schedule in asked))
            assert len(won(answers)) == allowed
            assert set(kinds(answers)) <= {Appointment, errors.LimitReached, errors.AlreadyBooked}


def test_a_double_click_is_one_booking_and_never_hears_sold_out():
    """The last number, the same request on two connections, twenty rounds."""
    user = UserFactory()
    with Crowd(2) as crowd:
        for n in range(20):
            schedule, patient = open_schedule(numbers=1, day=IN_A_WEEK + timedelta(days=n)), PatientFactory()
            click = partial(take, schedule, patient, by=user, key=f"click {n}")

            first, second = crowd.at_once(click, click)

            assert isinstance(first, Appointment), first
            assert isinstance(second, Appointment), second
            assert first.pk == second.pk


def test_the_second_click_that_saw_no_key_and_then_no_number_looks_at_the_key_again():
    """Between its two looks the first click was committed: it holds the prices locked until then."""
    schedule, patient, user = open_schedule(numbers=1), PatientFactory(), UserFactory()
    click = partial(take, schedule, patient, by=user, key="k")
    click_elsewhere = partial(take, open_schedule(numbers=1, day=IN_A_WEEK), PatientFactory(), by=user)

    with Crowd(1) as crowd:
        crowd.at_once(click_elsewhere)  # a connection that knows the rules
        with transaction.atomic():
            first = click()
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE hospital_priceitem IN ACCESS EXCLUSIVE MODE")
            second = crowd.begin(click)
            await_waiting(1)

        assert second.result().pk == first.pk


def test_one_key_for_two_people_at_once_books_one_of_them():
    user, schedule = UserFactory(), open_schedule(numbers=40)
    with Crowd(2) as crowd:
        for n in range(15):
            answers = crowd.at_once(
                *(partial(take, schedule, PatientFactory(), by=user, key=str(n)) for _n in range(2))
            )

            assert kinds(answers) == {Appointment: 1, errors.KeyReused: 1}


def test_a_hold_that_has_passed_is_taken_over_by_one_of_two():
    user = UserFactory()
    with Crowd(2) as crowd:
        for _round in range(15):
            schedule = open_schedule(numbers=1)
            held = take(schedule, by=user, channel="consult")

            answers = crowd.at_once(
                *(partial(take, schedule, PatientFactory(), by=user, now=AT_THE_END) for _n in "ab")
            )

            assert kinds(answers) == {Appointment: 1, errors.SoldOut: 1}
            assert Appointment.objects.get(pk=held.pk).status == "cancelled"


def test_who_confirms_in_time_and_who_takes_over_never_both_have_it():
    """The holder's last moment against the next patient's first."""
    user = UserFactory()
    outcomes = Counter()
    with Crowd(2) as crowd:
        for _round in range(20):
            schedule = open_schedule(numbers=1, day=TOMORROW)
            held = take(schedule, by=user)

            answers = crowd.at_once(
                partial(changes.confirm, appointment=held, by=user, now=AT_THE_END - timedelta(microseconds=1)),
                partial(take, schedule, by=user, now=AT_THE_END),
            )

            assert len(won(answers)) == 1, answers
            assert Appointment.objects.filter(schedule=schedule).exclude(status="cancelled").count() == 1
            outcomes[type(answers[0])] += 1
    assert set(outcomes) <= {Appointment, errors.HoldLapsed}


def test_who_takes_over_a_hold_does_not_wait_for_its_former_holder(monkeypatch):
    """Who holds a patient waits for nobody: a stop may hold the one and wait for the other."""
    monkeypatch.setattr(booking, "sleep", lambda _seconds: None)
    schedule, former, user = open_schedule(numbers=1), PatientFactory(), UserFactory()
    take(schedule, former, by=user, channel="consult")

    with Crowd(1) as crowd:
        with transaction.atomic():
            Patient.objects.select_for_update(no_key=True).get(pk=former.pk)
            [answer] = crowd.at_once(partial(take_once, schedule, by=user, now=AT_THE_END))
        assert isinstance(answer, errors.Busy)
        [answer] = crowd.at_once(partial(take_once, schedule, by=user, now=AT_THE_END))
        assert answer.schedule == schedule


def test_two_people_who_took_over_each_others_holds_at_once_do_not_deadlock():
    """Each holds their own patient and wants the other's: who holds a patient waits for nobody."""
    user = UserFactory()
    with Crowd(2) as crowd:
        for _round in range(15):
            first, second = open_schedule(numbers=1), open_schedule(numbers=1, day=IN_A_WEEK)
            left, right = PatientFactory(), PatientFactory()
            take(first, left, by=user, channel="consult")
            take(second, right, by=user, channel="consult")

            answers = crowd.at_once(
                partial(take, second, left, by=user, now=AT_THE_END),
                partial(take, first, right, by=user, now=AT_THE_END),
            )

            assert kinds(answers) == {Appointment: 2}


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
