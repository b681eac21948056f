"""The demo's stops: the office's pages have something to show, and nothing is left over for the jobs."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from appointments import invariants
from appointments.demo import people, seeding
from appointments.demo.scale import Scale
from appointments.models import Allotment, JobRun, StopCase, Substitution, Suspension
from appointments.services import stops, supply
from appointments.services.stops import cases
from hospital.models import Delivery, Fact, GatewayReceipt, Message, User

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)  # Tuesday 10:30 at the hospital
pytestmark = pytest.mark.django_db
TINY = Scale(name="tiny", patients=300, days_back=8, days_ahead=14, wishes=160)


@pytest.fixture(scope="module")
def hospital(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        assert seeding.seed(scale=TINY, now=NOW)
        connection.check_constraints()  # once: what is left open here is looked through again after every test
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _that_morning(hospital):
    with time_machine.travel(NOW, tick=False):
        yield


def page_of(username, name):
    client = Client()
    client.force_login(User.objects.get(username=username))
    page = client.get(reverse(f"appointments:{name}"))
    assert page.status_code == 200
    return page.context


def test_the_office_has_a_request_to_decide_on_and_orders_that_run():
    """B13, O9."""
    page = page_of("haoyuan", "office_stops")

    assert [each["stop"].who for each in page["requests"]] == ["王建国"]
    stopped, given, refused = page["lines"]  # the latest first
    assert [line.stop.status for line in page["lines"]] == ["active", "active", "rejected"]
    assert (stopped.sessions, stopped.substituted, given.substituted) == (1, 0, 1)
    assert 0 < stopped.done < stopped.cases
    assert stopped.late == 0 < given.late  # the one still has time, of the other some are to be called
    assert page["to_call"] == given.late
    assert refused.stop.decision
    orders = Suspension.objects.all()
    assert orders.count() == 4
    assert all(row.asked_at <= (row.decided_at or NOW) <= NOW for row in orders)


def test_the_call_list_and_the_resale_list_are_not_empty():
    """B13, P11."""
    calls = page_of("dianhua", "office_calls")["lines"]

    assert {line.told for line in calls} == {"sent"}
    assert all(line.late for line in calls)
    assert len(calls) > 0
    [clue] = page_of("haoyuan", "office_resale")["lines"]
    assert clue["clue"].reasons == ("operator",)


def test_the_demo_doctor_finds_his_requests_and_his_clinics_as_they_were():
    page = page_of(people.DEMO_DOCTOR, "my_schedule")

    assert {line.stop.status for line in page["requests"]} == {"requested", "rejected"}
    assert any(mine.asked for _monday, week in page["weeks"] for mine in week)
    assert not Substitution.objects.filter(original__practitioner__user__username=people.DEMO_DOCTOR)


def test_the_questions_were_sent_and_their_links_are_in_the_inbox():
    told = Message.objects.filter(template__in=("stop.asked", "stop.substituted"), channel="sms")

    assert told.count() == StopCase.objects.count() > 3
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}
    asked = StopCase.objects.filter(answer="").last()
    text = GatewayReceipt.objects.get(request_id=f"stop:{asked.pk}:sms").text
    assert cases.by_token(re.search(r"/answer/(\w+)/", text)[1]) == asked


def test_nothing_is_left_to_do_for_the_jobs_and_the_worker_tells_only_of_the_latest_answers():
    answered = StopCase.objects.filter(answered_at__gte=NOW - seeding.OLD_NEWS).values_list("appointment", flat=True)

    assert invariants.violations(now=NOW) == []
    assert supply.follow_up(now=NOW) == 0
    assert stops.follow_up(now=NOW) == 0
    assert JobRun.objects.filter(job="stops").count() == 1  # when the deadline passed; now there is nothing to do
    assert not Allotment.objects.filter(pool__kind="rebook", moved_at=None, shared_from__lte=NOW)
    waiting = Fact.objects.filter(topic__startswith="stop.", fanned_out=False).values_list("key", flat=True)
    assert set(waiting) == {f"appointment:{pk}" for pk in answered}
    assert not Delivery.objects.exists()
