"""P6: the job after a release: what opened is marked, counted and told, once, in order, and heals after a gap."""

from datetime import time, timedelta

import pytest
from django.db import connection

from appointments.models import Allotment, JobRun
from appointments.selectors.runs import LOCKED, state_of
from appointments.services import extras, planning, releasing, runs, supply
from appointments.services.defaults import ensure_defaults
from hospital import clock
from hospital.models import Fact
from tests.factories import NOW, CampusFactory, OrganizationFactory, TemplateFactory, add_numbers, open_schedule

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def opening(at, *, numbers=4, **schedule):
    return open_schedule(numbers=numbers, opened=at, **schedule)


def test_what_opens_is_marked_counted_and_told_once():
    schedule = opening(NOW)
    add_numbers(schedule, count=3, pool="partner", opened=NOW, minutes=10)
    coming = opening(NOW + timedelta(seconds=1))

    assert releasing.release(now=NOW) == 7
    assert releasing.release(now=NOW) == 0

    assert set(schedule.allotments.values_list("opened_at", flat=True)) == {NOW}
    assert coming.allotments.get().opened_at is None
    fact = Fact.objects.get()
    assert (fact.topic, fact.key) == ("supply.released", f"schedule:{schedule.pk}")
    assert fact.payload == {"schedule": schedule.pk, "pools": {"public": 4, "partner": 3}}
    run = JobRun.objects.get()
    assert (run.job, run.due_at, run.started_at, run.moved) == ("release", NOW, NOW, 7)
    assert run.done_at >= NOW
    seven = NOW.astimezone(clock.ZONE).isoformat()
    assert run.detail == {seven: {str(schedule.department_id): {"public": 4, "partner": 3}}}


def test_days_that_were_missed_open_in_one_run_in_the_order_of_their_moments(monkeypatch):
    monkeypatch.setattr(releasing, "BATCH", 2)
    late, early = opening(NOW - DAY), opening(NOW - 2 * DAY)
    between = [opening(NOW - DAY - HOUR) for _n in range(3)]

    assert releasing.release(now=NOW) == 20

    order = [f"schedule:{row.pk}" for row in (early, *between, late)]
    assert list(Fact.objects.order_by("id").values_list("key", flat=True)) == order
    run = JobRun.objects.get()
    assert (run.due_at, run.moved, len(run.detail)) == (NOW - 2 * DAY, 20, 3)


def test_a_stopped_clinic_and_an_empty_pool_open_without_news():
    stopped = opening(NOW)
    extras.suspend(schedule=stopped, by=None, reason="外出会诊", now=NOW - HOUR)

    assert releasing.release(now=NOW) == 0
    assert stopped.allotments.get().opened_at == NOW
    assert not Fact.objects.filter(topic="supply.released").exists()
    assert not JobRun.objects.exists()


def test_what_is_laid_out_open_already_needs_no_release():
    organization = OrganizationFactory()
    ensure_defaults(organization)
    CampusFactory(organization=organization)
    day = clock.today(NOW) + 3 * DAY
    TemplateFactory(weekday=day.isoweekday(), starts=time(8), ends=time(12), numbers=100)
    planning.lay_out(organization=organization, first_day=day, last_day=day, now=NOW)

    assert releasing.release(now=NOW) == 0
    opened = dict(Allotment.objects.values_list("pool__kind", "opened_at"))
    assert opened["public"] == clock.days_before(day, 7, time(7))
    assert opened["counter"] is None
    assert releasing.release(now=clock.at(day, time(0))) == 10


def test_a_recall_leaves_its_run_and_a_minute_without_work_leaves_none():
    schedule = open_schedule(numbers=1)
    add_numbers(schedule, count=5, pool="partner", shared=NOW - HOUR, minutes=10)

    supply.follow_up(now=NOW)
    supply.follow_up(now=NOW + HOUR)
    releasing.release(now=NOW - 3 * DAY)

    run = JobRun.objects.get()
    assert (run.job, run.due_at, run.moved) == ("recall", NOW - HOUR, 5)


def test_a_run_that_found_nothing_after_all_leaves_no_row():
    with runs.start(JobRun.Job.STOPS, due_at=NOW, now=NOW):
        pass

    assert not JobRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_fails_keeps_what_it_did_and_is_seen_to_have_died():
    def fail() -> None:
        with runs.start(JobRun.Job.STOPS, due_at=NOW, now=NOW) as run:
            run.moved(3)
            assert state_of([run.row.pk], now=NOW) == {run.row.pk: "running"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    row = JobRun.objects.get()
    assert (row.moved, row.done_at) == (3, None)
    assert state_of([row.pk], now=NOW) == {row.pk: "died"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", [LOCKED])
        assert cursor.fetchone()[0] == 0
