"""The job after a recall: rows follow what is true already, once, in order, and heal after a gap."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from appointments.models import Allotment, Slot
from appointments.services import booking, supply
from hospital.models import Fact
from tests.factories import NOW, PatientFactory, PoolFactory, UserFactory, add_numbers, open_schedule

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def shared_schedule(*, at=NOW, partner=4, public=2):
    schedule = open_schedule(numbers=public)
    add_numbers(schedule, count=partner, pool="partner", shared=at, minutes=10)
    return schedule


def kinds(schedule):
    return list(schedule.slots.order_by("number").values_list("pool__kind", flat=True))


def test_free_numbers_move_to_the_public_pool_with_one_fact_per_schedule():
    schedule = shared_schedule()

    assert supply.follow_up(now=NOW) == 4

    assert kinds(schedule) == ["public"] * 6
    assert Allotment.objects.get(pool__kind="partner").moved_at == NOW
    fact = Fact.objects.get()
    assert (fact.topic, fact.key) == ("supply.shared", f"schedule:{schedule.pk}")
    assert fact.payload["pools"] == {"partner": 4}
    assert list(fact.payload["numbers"].values()) == [4]


def test_following_up_twice_does_it_once():
    shared_schedule()
    supply.follow_up(now=NOW)

    assert supply.follow_up(now=NOW + HOUR) == 0
    assert Fact.objects.count() == 1


def test_nothing_moves_before_its_moment():
    schedule = shared_schedule(at=NOW + timedelta(seconds=1))

    assert supply.follow_up(now=NOW) == 0
    assert kinds(schedule).count("partner") == 4


def test_numbers_that_were_taken_keep_the_pool_they_were_taken_from():
    schedule = shared_schedule(at=NOW + HOUR)
    held = booking.book(
        schedule=schedule,
        patient=PatientFactory(),
        channel="partner",
        by=UserFactory(),
        request_key=None,
        number=3,
        now=NOW,
    )

    assert supply.follow_up(now=NOW + HOUR) == 3
    held.slot.refresh_from_db()
    assert held.slot.pool.kind == "partner"
    assert Fact.objects.get(topic="supply.shared").payload["pools"] == {"partner": 3}


def test_after_a_gap_two_pools_of_a_schedule_are_one_fact_and_schedules_come_in_order_of_their_moment():
    late, early = shared_schedule(at=NOW - HOUR), shared_schedule(at=NOW - 2 * HOUR)
    add_numbers(early, count=3, pool="consult", shared=NOW - HOUR, minutes=10)

    assert supply.follow_up(now=NOW) == 11

    facts = Fact.objects.order_by("id")
    assert [fact.key for fact in facts] == [f"schedule:{early.pk}", f"schedule:{late.pk}"]
    assert facts[0].payload["pools"] == {"partner": 4, "consult": 3}


def test_more_numbers_than_one_batch_all_move(monkeypatch):
    monkeypatch.setattr(supply, "BATCH", 5)
    schedules = [shared_schedule() for _n in range(4)]

    assert supply.follow_up(now=NOW) == 16
    assert all(kinds(schedule) == ["public"] * 6 for schedule in schedules)
    assert Fact.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_schedule_that_is_being_booked_waits_for_the_next_run_and_is_not_told_twice():
    """Nobody waits: the busy schedule is passed by whole, the others move."""
    busy, quiet = shared_schedule(), shared_schedule()
    locked, go_on = Event(), Event()

    def somebody_books():
        try:
            with transaction.atomic():
                Slot.objects.select_for_update(no_key=True).get(schedule=busy, number=4)
                locked.set()
                go_on.wait(10)
        finally:
            connection.close()

    thread = Thread(target=somebody_books)
    thread.start()
    assert locked.wait(10)
    assert supply.follow_up(now=NOW) == 4
    assert (kinds(busy).count("partner"), kinds(quiet).count("partner")) == (4, 0)
    go_on.set()
    thread.join()
    assert supply.follow_up(now=NOW) == 4
    assert Fact.objects.filter(key=f"schedule:{busy.pk}").count() == 1


def test_another_partners_numbers_go_to_the_schedules_own_organization(settings):
    """A pool of one named partner is recalled like the common one."""
    from tests.factories import OrganizationFactory

    clinic = OrganizationFactory(code="B1", name="东街社区卫生服务中心", kind="community")
    schedule = open_schedule(numbers=1)
    own = PoolFactory(organization=schedule.organization, kind="partner", partner=clinic)
    add_numbers(schedule, count=2, pool=own, shared=NOW, minutes=10)

    assert supply.follow_up(now=NOW) == 2
    assert {slot.pool.organization_id for slot in schedule.slots.select_related("pool")} == {schedule.organization_id}
