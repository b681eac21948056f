"""E10, X2: the worker killed while it asks the patients of a device that went down: nobody is lost or asked twice, no
time is kept for two, and the next worker goes on where it ended."""

from datetime import time, timedelta

import pytest
from celery import Celery
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from appointments.services.defaults import ensure_defaults
from exams.models import DowntimeCase, ExamBooking
from exams.selectors.device_cases import ASKED
from exams.services import devices
from hospital import clock, outbox
from hospital.models import Message, PatientTime
from tests.factories import ExamRequestFactory, UserFactory, device_session, exam_booking_row, exam_variant, open_device

from .jobs import ask, await_that, kill_family

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

BOOKED, MINUTES = 20, 10
ASKED_BY_SMS = "SELECT count(*)::int FROM hospital_message WHERE template = %s AND channel = 'sms'"
KEPT = "SELECT count(*)::int FROM exams_exambooking WHERE status = 'pending' AND holds"


def taken_down(now):
    """Twenty are booked on a device, another one beside it is free all day: down since this moment."""
    variant, day = exam_variant(minutes=MINUTES), clock.today(now) + timedelta(days=9)
    house = variant.item.organization
    ensure_defaults(house)
    device, other = (open_device(variant, days=(), organization=house) for _each in range(2))
    sessions = [device_session(each, day=day, starts=time(8), ends=time(18)) for each in (device, other)]
    start = sessions[0].during.lower
    for place in range(BOOKED):
        request = ExamRequestFactory(variant=variant, organization=house)
        exam_booking_row(request=request, session=sessions[0], start=start + place * timedelta(minutes=MINUTES))
    during = DateTimeTZRange(start, sessions[0].during.upper)
    return devices.take_down(device=device, during=during, cause="fault", reason="球管", by=UserFactory(), now=now)


@pytest.mark.parametrize("slow_disk", ["UPDATE ON exams_downtimecase"], indirect=True)
def test_a_worker_killed_while_asking_displaced_patients_loses_nobody_and_asks_nobody_twice(jobs, slow_disk):
    down = taken_down(clock.now())
    worker = jobs.worker()
    Celery("beat", broker=jobs.environment["REDIS_URL"], set_as_current=False).send_task("hospital.tasks.deliver_facts")
    await_that(lambda: ask(ASKED_BY_SMS, ASKED) >= 3, seconds=60, because="the first patients are asked")
    kill_family(worker)
    await_that(lambda: ask(KEPT) == ask(ASKED_BY_SMS, ASKED), seconds=20, because="what was half done is taken back")
    assert 3 <= ask(KEPT) < BOOKED, "killed too late to prove anything"
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER a_slow_disk ON exams_downtimecase")

    outbox.fan_out(now=clock.now())
    while outbox.deliver(now=clock.now()):
        pass

    cases = DowntimeCase.objects.filter(downtime=down, answer="")
    offers = ExamBooking.objects.filter(offered_in__in=cases, status="pending", holds=True)
    assert cases.count() == offers.values("during").distinct().count() == ask(KEPT) == BOOKED
    assert not offers.filter(device=down.device).exists()
    sms = Message.objects.filter(template=ASKED, channel="sms")
    assert sms.count() == sms.values("patient").distinct().count() == BOOKED
    assert PatientTime.objects.filter(source="exam").count() == BOOKED
