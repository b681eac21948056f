"""Many at once on one number, one patient, one appointment: real connections, real locks (X2, B16)."""

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from appointments import errors
from appointments.models import Appointment
from appointments.services import booking, changes
from hospital.models import Patient
from tests.booking.acts import take as take_once
from tests.booking.crowd import Crowd, await_waiting, in_processes, kinds, take, won
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
