"""B9, X2: many at once, on real connections."""

from datetime import timedelta
from functools import partial

import pytest

from appointments import invariants
from appointments.errors import TooManyWaits
from appointments.models import Appointment, WaitlistEntry, WaitlistOffer
from appointments.services import waitlist
from hospital.errors import Refused
from tests.booking.acts import take
from tests.booking.crowd import Crowd
from tests.booking.sound import deadlocks
from tests.factories import NOW, PatientFactory

from .rows import entry as entry_row
from .scenes import DAY, full, give_back, join, states, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_many_join_at_once_for_a_patients_third_place_and_one_gets_it():
    patient = PatientFactory()
    for n in range(2):
        join(full(1, day=DAY + timedelta(days=n)), patient)
    lines = [full(1, day=DAY + timedelta(days=n)) for n in range(3, 9)]

    with Crowd(6) as crowd:
        answers = crowd.at_once(*(partial(join, schedule, patient) for schedule in lines))

    assert sum(isinstance(each, WaitlistEntry) for each in answers) == 1
    assert sum(isinstance(each, TooManyWaits) for each in answers) == 5
    assert sorted(WaitlistEntry.objects.values_list("seat", flat=True)) == [1, 2, 3]


def test_many_join_one_line_at_once_and_each_has_a_place_of_their_own():
    schedule, patients = full(1), [PatientFactory() for _n in range(6)]

    with Crowd(8) as crowd:
        twins = [partial(join, schedule, patients[0]) for _n in range(2)]
        answers = crowd.at_once(*(partial(join, schedule, each) for each in patients), *twins)

    assert sum(isinstance(each, WaitlistEntry) for each in answers) == 6  # the same person once
    assert WaitlistEntry.objects.count() == 6


def test_two_numbers_come_back_for_three_who_wait_while_workers_and_the_public_are_at_it():
    schedule, before = full(4), deadlocks()
    line = [join(schedule, now=NOW + timedelta(seconds=n)) for n in range(3)]
    acts = [partial(give_back, schedule, number) for number in (1, 2)]
    acts += [partial(waitlist.follow_up, now=NOW + timedelta(minutes=1)) for _worker in range(3)]
    acts += [partial(take, schedule, now=NOW + timedelta(minutes=1)) for _anybody in range(3)]

    with Crowd(8) as crowd:
        answers = crowd.at_once(*acts)
    work(NOW + timedelta(minutes=1))

    assert all(isinstance(each, Refused) for each in answers[5:]), "the line comes first"
    assert states(*line) == ["offered", "offered", "waiting"]
    slots = set(WaitlistOffer.objects.values_list("appointment__slot__number", flat=True))
    assert slots == {1, 2}
    assert deadlocks() == before


def test_accepting_leaving_and_declining_at_once_has_one_outcome():
    schedule = full()
    entry, second = join(schedule), join(schedule)
    give_back(schedule)
    work()
    who = {"entry_id": entry.pk, "by": None, "now": NOW}

    with Crowd(6) as crowd:
        crowd.at_once(*(partial(act, **who) for act in (waitlist.accept, waitlist.leave, waitlist.decline) * 2))
    work()

    offer = WaitlistOffer.objects.get(entry=entry)
    expected = {
        "filled": ("accepted", "booked", "waiting"),
        "withdrawn": ("declined", "cancelled", "offered"),
        "ended": ("declined", "cancelled", "offered"),
    }
    entry.refresh_from_db()
    second.refresh_from_db()
    assert (offer.state, offer.appointment.status, second.status) == expected[entry.status]


def test_leaving_while_offers_go_out_leaves_no_number_with_who_left():
    schedule = full(6)
    line = [join(schedule, now=NOW + timedelta(seconds=n)) for n in range(4)]
    for number in range(1, 5):
        give_back(schedule, number, now=NOW + timedelta(seconds=9))
    now = NOW + timedelta(minutes=1)

    with Crowd(6) as crowd:
        leave = [partial(waitlist.leave, entry_id=each.pk, by=None, now=now) for each in line[:2]]
        crowd.at_once(*leave, *(partial(waitlist.offer, schedule_id=schedule.pk, now=now) for _n in range(4)))
    work(now)

    assert states(*line) == ["withdrawn", "withdrawn", "offered", "offered"]
    assert Appointment.objects.filter(status="pending").count() == 2
    named = {each.invariant.name for each in invariants.violations(now=now)} - {"confirmed_has_a_fact"}
    assert not named - {"patient_time_of_live"}  # rows that the scene wrote by hand


def test_the_database_alone_refuses_the_fourth_and_the_twin():
    patient = PatientFactory()
    entry_row(patient=patient)

    with Crowd(2) as crowd, pytest.raises(Exception, match="waitlist_one_open_per_seat"):
        crowd.at_once(*(partial(entry_row, patient=patient, seat=2) for _n in range(2)))
