"""B9: the office reads the line of a session and why a number did not go out. It has no button to jump it."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments.models import PatientSuspension
from appointments.selectors import waitlist as selectors
from appointments.services import waitlist
from tests.factories import NOW, PatientFactory, StaffFactory

from .scenes import EVE, full, give_back, join, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client):
    with time_machine.travel(NOW, tick=False):
        client.force_login(StaffFactory(roles="office"))
        yield client


def drawer(client, schedule) -> str:
    page = client.get(reverse("appointments:office_week"), {"week": schedule.day, "schedule": schedule.pk})
    return page.content.decode()


def test_the_drawer_says_who_waits_in_which_place_since_when_and_why_nothing_was_offered(office):
    schedule = full()
    join(schedule, PatientFactory(name="欧阳明月"), now=NOW - timedelta(hours=3))
    blocked = join(schedule, now=NOW - timedelta(hours=2))
    join(schedule, now=NOW - timedelta(hours=1))
    PatientSuspension.objects.create(
        patient=blocked.patient, starts_at=NOW, ends_at=NOW + timedelta(days=9), reason="爽约"
    )
    for number in (1, 2):
        give_back(schedule, number)
    work()
    waitlist.leave(entry_id=join(full()).pk, by=None, now=NOW)
    page = drawer(office, schedule)

    assert "欧阳明月" not in page
    assert page.count("11-23 12:00 前确认") == 2
    assert "第1位" in page
    assert "11-23 08:00 加入" in page
    assert "没有发给本人：自助预约暂停中" in page
    assert "优待" in page
    assert "候补截止，没有兑现的结束" in page
    assert "候补有号，待患者确认" in page  # the trail
    assert page.index("<h3>接下来") < page.index("<h3>候补") < page.index("<h3>操作留痕")


def test_when_there_is_no_number_it_says_so_and_what_is_over_is_counted(office):
    schedule = full()
    left, _waits = join(schedule), join(schedule)
    waitlist.leave(entry_id=left.pk, by=None, now=NOW)
    page = drawer(office, schedule)

    assert "没有空号；有人退号就按顺序发。" in page
    assert "已取消 1" in page


def test_a_session_without_a_line_has_no_such_part(office):
    page = drawer(office, full())

    assert "<h3>候补" not in page
    assert "候补截止" not in page


def test_a_long_line_takes_no_more_queries(django_assert_max_num_queries):
    schedule = full()
    for n in range(12):
        join(schedule, now=NOW + timedelta(seconds=n))

    with django_assert_max_num_queries(6):
        queue = selectors.for_schedule(schedule, now=NOW + timedelta(minutes=1))

    assert [line.place for line in queue.lines] == list(range(1, 13))
    assert queue.closes_at == EVE
