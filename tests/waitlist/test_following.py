"""B9: what ends the wait, and the minute's job that heals whatever no fact told of."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import invariants, personal_data
from appointments.models import JobRun, Schedule, WaitlistEntry, WaitlistOffer
from appointments.services import changes, extras, supply, waitlist
from appointments.services.bulk import acts as bulk_acts
from hospital.models import Delivery, Fact, Message
from tests.factories import NOW, PatientFactory, PoolFactory, StaffFactory, UserFactory, appointment_row, open_schedule

from .scenes import DAY, EVE, full, give_back, hear, join, states, told, work

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def test_a_stopped_session_ends_its_line_and_the_offer_and_says_why():
    schedule = full()
    offered, waiting = join(schedule), join(schedule)
    give_back(schedule)
    work()
    extras.suspend(schedule=schedule, by=None, reason="设备", now=NOW)
    work()

    assert states(offered, waiting) == ["ended:stopped"] * 2
    assert told(waiting.patient) == ["waitlist.ended"]
    assert Message.objects.filter(patient=waiting.patient, params__why="stopped", channel="inapp").count() == 1
    assert "这个半天停诊" in [row.text for row in receipts(waiting)][0]


def receipts(entry):
    from hospital.models import GatewayReceipt

    return GatewayReceipt.objects.filter(request_id=f"waitlist:{entry.pk}:ended:sms")


def test_the_job_alone_does_it_all_when_no_fact_was_heard(django_assert_max_num_queries):
    """X2: facts of a dead worker come late; what they would have done is found by looking."""
    schedule = full(3)
    settled, next_one, over = join(schedule), join(schedule), join(full())
    give_back(schedule)
    assert waitlist.follow_up(now=NOW) == 1
    changes.confirm(appointment=WaitlistOffer.objects.get().appointment, by=None, now=NOW)
    give_back(schedule, 2)
    Schedule.objects.filter(pk=over.schedule_id).update(status="stopped")

    assert waitlist.follow_up(now=NOW + MINUTE) == 3
    assert states(settled, next_one, over) == ["filled", "offered", "ended:stopped"]
    with django_assert_max_num_queries(3):
        assert waitlist.follow_up(now=NOW + 2 * MINUTE) == 0
    first, second = JobRun.objects.filter(job="waitlist").order_by("pk")
    assert (first.moved, second.moved, second.done_at is not None) == (1, 3, True)
    assert not Delivery.objects.exists()


def test_facts_alone_reach_the_line_within_seconds():
    schedule = full()
    first, second, third = (join(schedule) for _n in range(3))
    give_back(schedule)
    hear()
    assert states(first, second) == ["offered", "waiting"]
    waitlist.decline(entry_id=first.pk, by=None, now=NOW)
    hear()
    assert states(first, second) == ["ended:declined", "offered"]
    supply.lapse_holds(now=NOW + timedelta(hours=2))
    hear(NOW + timedelta(hours=2))

    assert states(second, third) == ["ended:lapsed", "offered"]
    extras.suspend(schedule=schedule, by=None, reason="设备", now=NOW + timedelta(hours=2))
    hear(NOW + timedelta(hours=2))
    assert states(third) == ["ended:stopped"]
    assert not JobRun.objects.filter(job="waitlist").exists()


def test_facts_that_come_after_the_job_change_nothing():
    schedule = full()
    first, second = join(schedule), join(schedule)
    give_back(schedule)
    waitlist.follow_up(now=NOW)
    waitlist.decline(entry_id=first.pk, by=None, now=NOW)
    waitlist.follow_up(now=NOW)
    for _time in range(2):
        work()

    assert states(first, second) == ["ended:declined", "offered"]
    assert WaitlistOffer.objects.count() == 2
    assert Fact.objects.filter(topic="waitlist.offered").count() == 2


def test_a_fact_locks_its_session_before_it_writes_an_entry():
    """Whoever is offering a number holds the session and waits for the entry: the other way round both would wait."""
    schedule = full()
    first, second = join(schedule), join(schedule)
    give_back(schedule)
    work()
    changes.drop(appointment=WaitlistOffer.objects.get().appointment, by=None, now=NOW)

    with CaptureQueriesContext(connection) as asked:
        waitlist.follow(Fact.objects.get(topic="appointment.dropped"), now=NOW)

    assert states(first, second) == ["ended:declined", "offered"]
    told = [query["sql"] for query in asked]
    locked = [n for n, sql in enumerate(told) if '"appointments_schedule"' in sql and "FOR NO KEY UPDATE" in sql]
    written = [n for n, sql in enumerate(told) if sql.startswith('UPDATE "appointments_waitlistentry"')]
    assert locked[0] < written[0]


def test_a_cut_off_that_was_slept_through_is_made_up_for_with_its_moment():
    schedule = full()
    entries = [join(schedule) for _n in range(2)]
    work(EVE + timedelta(hours=5))

    assert states(*entries) == ["ended:cutoff"] * 2
    assert JobRun.objects.get(job="waitlist").due_at == EVE


def test_while_nobody_waits_facts_make_no_work():
    full_one = full()
    give_back(full_one)
    work()

    assert not Delivery.objects.filter(handler__endswith="serve_the_waitlist").exists()
    assert not JobRun.objects.filter(job="waitlist").exists()


def test_numbers_that_the_office_adds_are_offered_in_line():
    schedule = full()
    entries = [join(schedule) for _n in range(2)]
    by, pool = StaffFactory(roles="office"), PoolFactory(organization=schedule.organization)
    act = bulk_acts.preview(
        kind="add",
        organization=schedule.organization,
        schedules=[schedule],
        params={"count": 1, "pool": pool.pk},
        reason="加号",
        by=by,
        now=NOW,
    )
    bulk_acts.apply(act=act, by=by, now=NOW)
    work()

    assert states(*entries) == ["offered", "waiting"]
    assert WaitlistOffer.objects.get().appointment.slot.number == 3


def broken() -> set[str]:
    return {each.invariant.name for each in invariants.violations(now=EVE + timedelta(hours=1))}


def test_the_invariants_hold_through_all_of_it_and_name_what_does_not():
    schedule = full()
    join(schedule), join(schedule)
    give_back(schedule)
    work()
    by_hand = {"confirmed_has_a_fact", "patient_time_of_live"}  # the visits that fill the session
    assert not {each.invariant.name for each in invariants.violations(now=NOW)} - by_hand
    assert "nobody_waits_after_the_cut_off" in broken()
    offer = WaitlistOffer.objects.get()
    WaitlistOffer.objects.filter(pk=offer.pk).update(deadline=EVE + MINUTE)
    assert "offered_by_the_rules" in broken()
    WaitlistEntry.objects.filter(pk=offer.entry_id).update(status="withdrawn", ended_at=NOW)
    changes.drop(appointment=offer.appointment, by=None, now=NOW)
    assert {"open_offer_has_its_hold", "waitlist_agrees_with_its_offer"} <= broken()


def test_what_a_person_waits_for_is_in_the_copy_of_their_data():
    """O4."""
    entry, by = join(full()), UserFactory()
    patient = entry.patient

    assert [field.value for field in personal_data.waits(patient, True, None).entries[0]][3] == "候补中"
    assert personal_data.waits(patient, True, by).entries == []  # somebody else's doing
    assert personal_data.waits(PatientFactory(), True, None).entries == []
    (ahead,) = personal_data.to_come([patient.pk], NOW, None)
    assert ahead.endswith("候补")
    assert personal_data.to_come([patient.pk], NOW, by) == []
    waitlist.leave(entry_id=entry.pk, by=None, now=NOW)
    assert personal_data.to_come([patient.pk], NOW, None) == []


def test_an_open_hold_of_the_same_session_is_not_offered_another_number():
    schedule = open_schedule(numbers=1, day=DAY)
    row = appointment_row(schedule, PatientFactory())
    entry = join(schedule)
    waitlist.follow_up(now=NOW)
    assert states(entry) == ["waiting"]
    changes.cancel(appointment=row, by=None, channel="counter", now=NOW)
    waitlist.follow_up(now=NOW)

    assert states(entry) == ["offered"]
