"""Whatever is planned, held, moved and given back: no exam of a patient breaks a rule (E3). Houses, rules and patients
are drawn at random from a seed; what must hold is written here from the rules' text, not from the services."""

import random
from datetime import time, timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from exams.models import ExamBooking, OrderingRule, Preparation
from exams.selectors.free import segments
from exams.services import booking, planning
from exams.services.planning import Wishes
from hospital import clock
from tests.factories import (
    NOW,
    TODAY,
    CampusFactory,
    ExamRequestFactory,
    ExamZoneFactory,
    OrganizationFactory,
    PatientFactory,
    PoolFactory,
    UserFactory,
    exam_variant,
    open_device,
)

from .sound import unsound

pytestmark = pytest.mark.django_db

EXAMS, SEEDS = 4, range(8)


class House:
    """Four kinds of exam, six devices in two zones, three rules."""

    def __init__(self, dice: random.Random):
        self.dice = dice
        self.house, self.user = OrganizationFactory(), UserFactory()
        PoolFactory(organization=self.house)
        self.fasting = self.signed(Preparation, name="空腹", fast_minutes=480, latest_start=time(10), text="空腹")
        self.variants = [self.variant(number) for number in range(EXAMS)]
        campus = CampusFactory()
        self.zones = [ExamZoneFactory(campus=campus) for _zone in range(2)]
        for each in self.variants * 2:
            starts = dice.choice((8, 9, 13))
            open_device(
                each,
                organization=self.house,
                zone=dice.choice(self.zones),
                days=dice.sample(range(1, 6), 3),
                starts=time(starts),
                ends=time(starts + dice.choice((1, 3))),
            )
        pairs = dice.sample(list(permutations(self.variants, 2)), 3)
        self.rules = [self.rule(first, second) for first, second in pairs if first.pk < second.pk]

    def signed(self, model, **fields):
        by = {"source": "规程", "approved_by": self.user, "approved_at": NOW, "organization": self.house}
        return model.objects.create(**by, **fields)

    def variant(self, number: int):
        return exam_variant(
            organization=self.house,
            minutes=self.dice.choice((10, 20, 30)),
            after=self.dice.choice((0, 0, 30)),
            before=self.dice.choice((0, 0, 15)),
            preparation=self.fasting if number == 0 else None,
        )

    def rule(self, first, second):
        forward, reverse = self.dice.choice(
            (("gap", "never"), ("gap", "other_day"), ("gap", "gap"), ("other_day", "gap"))
        )
        minutes = {
            "forward_minutes": self.dice.choice((0, 60, 240)),
            "reverse_minutes": self.dice.choice((0, 240, 1440)),
        }
        sides = {"first_item": first.item, "second_item": second.item}
        return self.signed(OrderingRule, name="先后", why="规程", forward=forward, reverse=reverse, **sides, **minutes)


def broken(house: House, patient) -> list[str]:
    rows = list(ExamBooking.objects.filter(patient=patient, holds=True).select_related("variant", "device"))
    found = []
    for one, other in permutations(rows, 2):
        for rule in house.rules:
            if (one.variant.item_id, other.variant.item_id) == (rule.first_item_id, rule.second_item_id):
                found += kept_by(rule, one, other)
        if one.day == other.day and one.stay.lower <= other.stay.lower:
            walk = timedelta(minutes=10 if one.device.zone_id != other.device.zone_id else 0)
            if other.stay.lower < one.stay.upper + walk:
                found.append("no time to walk")
    for row in rows:
        if row.variant.preparation_id and clock_of(row.start) > time(10):
            found.append("fasting past the latest hour")
        if row.variant.preparation_id and row.start < NOW + timedelta(hours=8):
            found.append("no time to fast")
        if clock_of(row.stay.lower) < time(7):
            found.append("before the house opens")
    return found


def kept_by(rule, first, second) -> list[str]:
    if first.start < second.start:
        early, late, follow, minutes = first, second, rule.forward, rule.forward_minutes
    else:
        early, late, follow, minutes = second, first, rule.reverse, rule.reverse_minutes
    apart = late.start - early.end
    if follow == "never" or apart < timedelta(minutes=minutes) or follow == "other_day" and early.day == late.day:
        return [f"{follow} {minutes}: {apart}"]
    return []


def clock_of(moment):
    return moment.astimezone(clock.ZONE).time()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_plan_and_no_booking_ever_breaks_a_rule(seed):
    dice = random.Random(seed)
    house, patient = House(dice), PatientFactory()
    requests = [ExamRequestFactory(variant=each, patient=patient) for each in house.variants]
    for _step in range(5):
        act(dice, patient, requests)
        assert broken(house, patient) == []
        assert unsound() == {}


def act(dice, patient, requests):
    """Nobody else is about, so what is proposed can be booked and what is listed can be taken: no refusal at all."""
    live = list(ExamBooking.objects.filter(patient=patient, holds=True).select_related("request"))
    open_ = [each for each in requests if each.pk not in {row.request_id for row in live}]
    if live and (not open_ or dice.random() < 0.5):
        row = dice.choice(live)
        move(dice, row) if dice.random() < 0.7 else booking.cancel(booking=row, by=None, channel="counter", now=NOW)
        return
    wishes = Wishes(halves=dice.choice(((), (), ("am",))))
    asked = dice.sample(open_, dice.randint(1, len(open_)))
    proposal = planning.propose(requests=asked, wishes=wishes, channel="consult", now=NOW)
    assert bool(proposal.best) != bool(proposal.impossible)
    for reason in (*proposal.reasons, *proposal.one_trip_if, *proposal.impossible):
        assert str(reason)
    if proposal.best:
        chosen = dice.choice([proposal.best, *proposal.others])
        lines = planning.lines_of(chosen.token, patient)
        plan = booking.hold_plan(patient=patient, lines=lines, channel="consult", by=None, basket=uuid4(), now=NOW)
        booking.confirm(basket=plan.basket, by=None, now=NOW)


def move(dice, row):
    found = segments(
        request=row.request, channel="counter", first_day=TODAY, days=7, now=NOW, moving=row, per_device=True
    )
    if found:
        place = dice.choice(found)
        moved = booking.move(
            booking=row, device=place.device, start=place.first_start, channel="counter", by=None, now=NOW
        )
        assert moved.start == place.first_start, "what a page lists can be taken"
