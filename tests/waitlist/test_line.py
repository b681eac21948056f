"""B9: joining and leaving the line."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction

from appointments.errors import (
    AlreadyBooked,
    LimitReached,
    NeedsTeamReferral,
    NoSuchNumber,
    NoSuchPatient,
    NotOpen,
    NoWaitlistHere,
    PatientSuspended,
    StillNumbers,
    Stopped,
    TimeConflict,
    TooManyWaits,
    WaitingAlready,
    WaitlistClosed,
    WaitOver,
)
from appointments.models import BookingRule, PatientSuspension, Schedule, WaitlistEntry, WaitlistOffer
from appointments.selectors import rules
from appointments.selectors import waitlist as selectors
from appointments.services import waitlist
from hospital.models import Fact, PatientTime, RelatedPerson
from tests.factories import (
    NOW,
    PatientFactory,
    TeamFactory,
    UserFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

from .rows import entry, offer
from .scenes import ADULT, DAY, EVE, full, give_back, join, states

pytestmark = pytest.mark.django_db


def test_a_full_session_has_a_line_and_everybody_a_place_in_it():
    schedule = full()
    first, second, third = (join(schedule) for _n in range(3))

    assert [selectors.place_in_line(each) for each in (first, second, third)] == [1, 2, 3]
    assert (first.closes_at, first.most, first.seat, first.status) == (EVE, 3, 1, "waiting")
    waitlist.leave(entry_id=first.pk, by=None, now=NOW)
    assert [selectors.place_in_line(each) for each in (first, second, third)] == [None, 1, 2]
    fact = Fact.objects.get(topic="waitlist.joined", key=f"waitlist:{second.pk}")
    assert fact.payload == {"entry": second.pk, "schedule": schedule.pk, "channel": "web"}


def test_special_groups_stand_before_the_others_and_among_themselves_first_come():
    """P7 in B9: 60 years and older, or a document seen; nobody else jumps the line."""
    schedule = full()
    plain = join(schedule)
    old = join(schedule, PatientFactory(birth_date=date(1950, 1, 1)), now=NOW + timedelta(hours=1))
    disabled = join(schedule, PatientFactory(special="disabled"), now=NOW + timedelta(hours=2))

    assert [selectors.place_in_line(each) for each in (old, disabled, plain)] == [1, 2, 3]


def refused(schedule, patient=None, **more):
    with pytest.raises(Exception) as refusal, transaction.atomic():  # noqa: PT011
        join(schedule, patient, **more)
    return type(refusal.value)


def test_what_is_not_full_not_released_stopped_closed_or_gated_has_no_line():
    unreleased = open_schedule(numbers=2, day=DAY, opened=NOW + timedelta(hours=1))
    stopped = full()
    Schedule.objects.filter(pk=stopped.pk).update(status="stopped")
    for_the_counter = open_schedule(numbers=1, day=DAY, pool="counter")
    gated = full()
    Schedule.objects.filter(pk=gated.pk).update(gate_team=TeamFactory())
    schedule = full()

    assert refused(open_schedule(numbers=2, day=DAY)) is StillNumbers
    assert refused(unreleased) is NotOpen
    assert refused(stopped) is Stopped
    assert refused(for_the_counter) is NotOpen
    assert refused(gated) is NeedsTeamReferral
    assert refused(schedule, now=EVE) is WaitlistClosed
    assert refused(schedule, channel="consult") is NoWaitlistHere
    assert refused(Schedule(pk=0)) is NoSuchNumber
    assert refused(schedule, PatientFactory(active=False)) is NoSuchPatient


def test_full_is_what_the_channel_may_take():
    """The counter's floor is no number for the web, and one that rests or is held is nobody's for now."""
    schedule = full(2)
    add_numbers(schedule, count=1, pool="counter", minutes=10)

    assert join(schedule).status == "waiting"
    assert refused(schedule, channel="counter") is StillNumbers
    resting = full(1)
    give_back(resting)
    assert resting.slots.get().status == "resting"
    assert join(resting).rested_until == [resting.slots.get().hold_until]
    held = open_schedule(numbers=1, day=DAY)
    appointment_row(held, PatientFactory(), status="pending")
    assert join(held).status == "waiting"


def test_who_could_not_book_it_anyway_may_not_wait_for_it():
    schedule = full()
    suspended, there, busy, often = (PatientFactory() for _n in range(4))
    PatientSuspension.objects.create(
        patient=suspended, starts_at=NOW, ends_at=NOW + timedelta(days=9), reason="爽约三次"
    )
    appointment_row(open_schedule(role=schedule.role, day=DAY, half="pm", starts_at=schedule.ends_at,
                                  ends_at=schedule.ends_at + timedelta(hours=3)), there)  # fmt: skip
    PatientTime.objects.create(patient=busy, during=(schedule.starts_at, schedule.ends_at), source="exam", source_id=1)
    for n in range(3):
        appointment_row(open_schedule(day=DAY + timedelta(days=n + 1)), often)

    assert refused(schedule, suspended) is PatientSuspended
    assert refused(schedule, there) is AlreadyBooked
    assert refused(schedule, busy) is TimeConflict
    assert refused(schedule, often) is LimitReached
    assert join(schedule, often, channel="counter").status == "waiting"  # the counter is not limited


def test_nobody_stands_in_one_line_twice_and_the_same_click_again_is_the_same_entry():
    schedule, patient, by = full(), PatientFactory(), UserFactory()
    standing = join(schedule, patient, by=by)

    assert join(schedule, patient, by=by) == standing
    assert refused(schedule, patient, by=UserFactory()) is WaitingAlready
    waitlist.leave(entry_id=standing.pk, by=by, now=NOW)
    assert join(schedule, patient, by=by) != standing


def test_three_at_once_a_patient_by_the_rule_and_a_seat_is_free_again_when_one_is_over():
    patient = PatientFactory()
    waits = [join(full(day=DAY + timedelta(days=n)), patient) for n in range(3)]
    fourth = full(day=DAY + timedelta(days=5))

    assert refused(fourth, patient) is TooManyWaits
    waitlist.leave(entry_id=waits[1].pk, by=None, now=NOW)
    assert join(fourth, patient).seat == 2
    rule = BookingRule.objects.get()
    rule.waitlist_most = 2
    rule.save()
    rules.forget()
    assert refused(full(day=DAY + timedelta(days=6)), patient) is TooManyWaits


def test_leaving_twice_is_once_and_what_is_over_is_not_left():
    row = join(full())

    for _time in range(2):
        assert waitlist.leave(entry_id=row.pk, by=None, now=NOW).status == "withdrawn"
    assert Fact.objects.filter(topic="waitlist.ended").count() == 1
    ended = entry(status="ended", why="cutoff", ended_at=NOW)
    with pytest.raises(WaitOver):
        waitlist.leave(entry_id=ended.pk, by=None, now=NOW)
    with pytest.raises(WaitOver):
        waitlist.accept(entry_id=row.pk, by=None, now=NOW)
    with pytest.raises(WaitOver):
        waitlist.decline(entry_id=row.pk, by=None, now=NOW)


@pytest.mark.parametrize("over", ["withdrawn", "filled", "ended"])
@pytest.mark.parametrize("again", ["waiting", "offered"])
def test_the_database_revives_no_entry_that_is_over(over, again):
    row = entry(status=over, why="lapsed" if over == "ended" else "", ended_at=NOW)

    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        WaitlistEntry.objects.filter(pk=row.pk).update(status=again, why="", ended_at=None)
    with pytest.raises(DatabaseError, match="delete"), transaction.atomic():
        row.delete()
    assert states(row)[0].startswith(over)


@pytest.mark.parametrize("over", ["accepted", "declined", "lapsed"])
def test_the_database_revives_no_offer_that_is_over(over):
    row = offer(state=over, settled_at=NOW)

    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        WaitlistOffer.objects.filter(pk=row.pk).update(state="open", settled_at=None)
    with pytest.raises(DatabaseError, match="delete"), transaction.atomic():
        row.delete()


def test_a_family_sees_where_its_people_stand_in_two_queries(django_assert_num_queries):
    schedule, mother, child = full(), PatientFactory(name="周小明", birth_date=ADULT), PatientFactory()
    join(schedule)
    mine = join(schedule, mother)
    other = join(full(day=DAY + timedelta(days=1)), child)
    people = [RelatedPerson(patient=each) for each in (mother, child)]

    with django_assert_num_queries(2):
        waits = selectors.open_entries(people)
        said = [(each.entry, each.place, each.name, each.offer, str(each.entry.schedule)) for each in waits]

    assert [(row, place) for row, place, *_more in said] == [(mine, 2), (other, 1)]
    assert said[0][2] != "周小明"


def test_pages_hear_why_each_person_could_not_wait(django_assert_num_queries):
    schedule, free = full(), PatientFactory()
    suspended = PatientFactory()
    PatientSuspension.objects.create(patient=suspended, starts_at=NOW, ends_at=NOW + timedelta(days=9), reason="爽约")
    rules.booking_rule_for(schedule, day=DAY)  # kept

    with django_assert_num_queries(4):
        said = selectors.refusals([free.pk, suspended.pk], schedule, channel="web", now=NOW)

    assert said[free.pk] is None
    assert isinstance(said[suspended.pk], PatientSuspended)
    assert selectors.may_join(schedule, channel="web", now=NOW) is None
