"""Many planners at once, for real: a connection each, started together (E3)."""

import random
from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from appointments.errors import Busy
from exams.errors import NotFree, TimeTaken
from exams.models import Device, Downtime, ExamBooking, ExamPlan, ExamRequest, StaffTeam
from exams.services import booking, holds, planning
from exams.services.booking import Wanted
from exams.services.devices.downtime import bring_up, take_down
from exams.services.devices.keeping import keep_device
from hospital import clock
from hospital.errors import Refused
from tests.booking.crowd import Crowd
from tests.booking.sound import deadlocks
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    OrganizationFactory,
    PatientFactory,
    PoolFactory,
    UserFactory,
    exam_variant,
    open_device,
)

from .sound import unsound

pytestmark = pytest.mark.django_db(transaction=True)

TOMORROW = TODAY + timedelta(days=1)
PLANNERS = 20


@pytest.fixture(autouse=True)
def _sound_afterwards():
    before = deadlocks()
    yield
    assert unsound() == {}
    assert deadlocks() == before


@pytest.fixture
def house():
    house = OrganizationFactory()
    PoolFactory(organization=house)
    return house


def hold(patient, lines, *, basket=None, now=NOW):
    return booking.hold_plan(
        patient=patient, lines=lines, channel="consult", by=None, basket=basket or uuid4(), now=now
    )


def test_two_planners_want_the_last_magnet_and_the_loser_holds_nothing(house):
    mri, blood = exam_variant(organization=house, minutes=30), exam_variant(organization=house, minutes=10)
    magnet = open_device(mri, organization=house, starts=time(11), ends=time(11, 30))
    chairs = [open_device(blood, organization=house) for _planner in range(2)]
    patients = PatientFactory.create_batch(2)

    def plan(patient, chair):
        requests = [ExamRequestFactory(variant=each, patient=patient) for each in (blood, mri)]
        starts = [clock.at(TOMORROW, time(9)), clock.at(TOMORROW, time(11))]
        lines = [Wanted(r.pk, d.pk, s) for r, d, s in zip(requests, (chair, magnet), starts, strict=True)]
        return lambda: hold(patient, lines)

    with Crowd(2) as crowd:
        for _round in range(3):
            answers = crowd.at_once(*(plan(patient, chair) for patient, chair in zip(patients, chairs, strict=True)))
            won = [answer for answer in answers if isinstance(answer, ExamPlan)]
            lost = [answer for answer in answers if isinstance(answer, TimeTaken)]
            assert (len(won), len(lost)) == (1, 1)
            assert lost[0].details["exam"] == mri.name
            assert ExamBooking.objects.filter(holds=True).count() == 2
            booking.drop(basket=won[0].basket, now=NOW)


def test_twenty_planners_at_once_never_overlap_and_never_wait_in_a_circle(house):
    """Each takes one of the plans he is shown, many the same; who loses asks anew. Lines cross devices and one team
    in every order."""
    team = StaffTeam.objects.create(organization=house, name="超声一组", size=2)
    variants = [exam_variant(organization=house, minutes=minutes) for minutes in (15, 20)]
    for number in range(3):
        open_device(*variants, organization=house, team=team if number else None, days=(1, 2, 3), ends=time(9))
    patients = PatientFactory.create_batch(PLANNERS)
    asked = {p.pk: [ExamRequestFactory(variant=each, patient=p) for each in variants] for p in patients}

    def planner(patient):
        dice = random.Random(patient.pk)

        def act():
            basket = uuid4()
            for _try in range(PLANNERS):
                proposal = planning.propose(requests=asked[patient.pk], channel="consult", now=NOW)
                if proposal.best is None:
                    return None
                try:
                    chosen = dice.choice([proposal.best, *proposal.others])
                    plan = hold(patient, planning.lines_of(chosen.token, patient), basket=basket)
                    booking.confirm(basket=basket, by=None, now=NOW)
                    return plan
                except (TimeTaken, NotFree, Busy):
                    continue
            return "gave up"

        return act

    with Crowd(PLANNERS) as crowd:
        answers = crowd.at_once(*(planner(patient) for patient in patients))
    plans = [answer for answer in answers if isinstance(answer, ExamPlan)]
    assert len(plans) + answers.count(None) == PLANNERS
    assert len(plans) >= 9, "nine hours on three devices, and nobody needs more than 35 minutes"
    assert {plan.bookings.filter(holds=True, status="booked").count() for plan in plans} == {2}


def test_a_storm_of_everything_leaves_the_house_sound(house):
    """Hold, confirm, drop, cancel, move, lapse and take over, walk in, go down and up again, change teams, at random,
    on few devices and few minutes."""
    teams = [StaffTeam.objects.create(organization=house, name=name, size=1) for name in ("一组", "二组")]
    variants = [exam_variant(organization=house, minutes=minutes) for minutes in (10, 15)]
    devices = [open_device(*variants, organization=house, team=teams[0], ends=time(9)) for _device in range(2)]
    patients = PatientFactory.create_batch(6)
    asked = {p.pk: [ExamRequestFactory(variant=each, patient=p) for each in variants] for p in patients}
    starts = [clock.at(TOMORROW, time(8, minute)) for minute in range(0, 60, 5)]
    staff = UserFactory()
    office = {"teams": teams, "abilities": {each.pk: None for each in variants}, "by": staff}

    def person(seed):
        dice = random.Random(seed)

        def act():
            for step in range(6):
                now = NOW + timedelta(minutes=5 * step)
                patient = dice.choice(patients)
                try:
                    if step % 3 == 2:
                        _the_office(dice, asked[patient.pk], devices, now, **office)
                    else:
                        _something(dice, patient, asked[patient.pk], devices, starts, now)
                except Busy:
                    raise
                except Refused:
                    continue

        return act

    with Crowd(8) as crowd:
        answers = crowd.at_once(*(person(seed) for seed in range(8)))
    assert answers == [None] * 8
    assert ExamBooking.objects.exists()
    holds.lapse(now=NOW + timedelta(days=2))
    assert not ExamBooking.objects.filter(status="pending").exists()
    assert ExamRequest.objects.filter(status="open").exists()


def _something(dice, patient, requests, devices, starts, now):
    chosen = dice.sample(requests, dice.choice((1, 2)))
    mine = list(ExamBooking.objects.filter(patient=patient, status__in=("pending", "booked")))
    what = dice.choice(("hold", "hold", "hold", "confirm", "drop", "cancel", "move", "lapse"))
    if what == "hold":
        lines = [Wanted(each.pk, dice.choice(devices).pk, dice.choice(starts)) for each in chosen]
        hold(patient, lines, now=now)
    elif what == "lapse":
        holds.lapse(now=now)
    elif mine and what == "confirm":
        booking.confirm(basket=dice.choice(mine).basket, by=None, now=now)
    elif mine and what == "drop":
        booking.drop(booking=dice.choice(mine), now=now)
    elif mine and what == "cancel":
        booking.cancel(booking=dice.choice(mine), by=None, channel="counter", now=now)
    elif mine and what == "move":
        place = {"device": dice.choice(devices), "start": dice.choice(starts)}
        booking.move(booking=dice.choice(mine), channel="counter", by=None, now=now, **place)


def _the_office(dice, requests, devices, now, *, teams, abilities, by):
    device, request = Device.objects.get(pk=dice.choice(devices).pk), dice.choice(requests)
    what = dice.choice(("down", "up", "team", "walk in", "walk in"))
    if what == "down":
        start = dice.choice((now, clock.at(TOMORROW, time(8, 30))))
        during = DateTimeTZRange(start, start + timedelta(minutes=30))
        take_down(device=device, during=during, cause="fault", reason="故障", by=by, now=now)
    elif what == "up":
        standing = Downtime.objects.filter(stands=True, ended_at=None).first()
        if standing:
            bring_up(downtime=standing, by=by, now=now)
    elif what == "team":
        device.team = dice.choice(teams)
        keep_device(device=device, abilities=abilities, by=by, now=now)
    else:
        booking.walk_in(request=request, device=device, by=by, now=now)
