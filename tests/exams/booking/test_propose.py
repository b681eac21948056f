"""One trip (E3): the plan, why it is as it is, and the token that books exactly what was shown."""

from datetime import time, timedelta
from uuid import uuid4

import pytest

from exams.errors import PlanGone
from exams.models import OrderingRule
from exams.services import booking, planning
from exams.services.planning import Wishes
from hospital import clock
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    OrganizationFactory,
    PatientFactory,
    PoolFactory,
    UserFactory,
    device_session,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def at(day, hour, minute=0):
    return clock.at(TODAY + day * DAY, time(hour, minute))


def signed(by=None, **more):
    return {"source": "放射科规程", "approved_by": by or UserFactory(), "approved_at": NOW, **more}


@pytest.fixture
def patient():
    return PatientFactory()


@pytest.fixture
def house():
    house = OrganizationFactory()
    PoolFactory(organization=house)
    return house


def variant(house, name, **more):
    return exam_variant(organization=house, name=name, **more)


def ask(patient, *variants):
    return [ExamRequestFactory(variant=each, patient=patient) for each in variants]


def propose(requests, *, now=NOW, channel="consult", **wishes):
    return planning.propose(requests=requests, wishes=Wishes(**wishes), channel=channel, now=now)


def order(first, second, **more):
    return OrderingRule.objects.create(
        organization=first.item.organization, name="先后", first_item=first.item, second_item=second.item, **more
    )


def test_two_exams_come_into_one_trip_and_the_token_books_what_was_shown(patient, house):
    scan, blood = variant(house, "腹部超声", minutes=20), variant(house, "抽血", minutes=10)
    open_device(scan, organization=house, days=(1, 3))
    open_device(blood, organization=house, days=(2, 3))
    requests = ask(patient, scan, blood)
    proposal = propose(requests)
    assert proposal.best.trips == 1
    assert proposal.best.days == [TODAY + 3 * DAY]
    assert [plan.trips for plan in proposal.others] == [2, 2]
    assert (proposal.first_come_trips, proposal.reasons) == (2, [])

    lines = planning.lines_of(proposal.best.token, patient)
    plan = booking.hold_plan(
        patient=patient,
        lines=lines,
        channel="consult",
        by=None,
        basket=uuid4(),
        figures=planning.figures_of(proposal.best.token, patient),
        now=NOW,
    )
    held = {(row.request_id, row.device_id, row.start) for row in plan.bookings.all()}
    assert held == {(line.request.pk, line.device.pk, line.start) for line in proposal.best.lines}
    assert (plan.trips, plan.minutes, plan.first_come_trips) == (1, proposal.best.minutes, 2)
    with pytest.raises(PlanGone):
        planning.lines_of(proposal.best.token, PatientFactory())


def test_a_gap_that_costs_a_trip_is_told_with_the_time_that_is_left(patient, house):
    """The task's own example: MRI with contrast 4 h after CT contrast, and the only MRI that day is at 11:00."""
    ct, mri = variant(house, "增强CT", minutes=20), variant(house, "增强磁共振", minutes=30)
    open_device(ct, organization=house, days=(1,), starts=time(8), ends=time(9))
    device = open_device(mri, organization=house, days=(), starts=time(8))
    device_session(device, day=TODAY + DAY, starts=time(11), ends=time(11, 30))
    device_session(device, day=TODAY + 2 * DAY, starts=time(8), ends=time(12))
    order(
        ct,
        mri,
        forward="gap",
        forward_minutes=240,
        reverse="gap",
        reverse_minutes=240,
        why="碘对比剂和钆对比剂须间隔4小时。",
        **signed(),
    )
    proposal = propose(ask(patient, ct, mri))
    assert proposal.best.trips == 2
    assert [str(reason) for reason in proposal.reasons] == [
        "分2次来院：增强磁共振须在增强CT结束4小时后，而当天增强磁共振只在11:00有空。碘对比剂和钆对比剂须间隔4小时。"
    ]
