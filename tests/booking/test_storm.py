"""Everything at once on few clinics: no deadlock, no broken law, nothing lost (X2)."""

import random
from collections import Counter
from datetime import timedelta
from functools import partial
from time import monotonic
from uuid import uuid4

import pytest
from django.db import connection

from appointments.models import Appointment, Pool, Schedule
from appointments.models.rules import Channel
from appointments.services import booking, changes, extras, noshow, visit
from hospital.errors import Refused
from hospital.models import Fact, Patient, User
from tests.booking.crowd import in_processes
from tests.booking.sound import deadlocks, unsound
from tests.factories import NOW, TODAY, PatientFactory, UserFactory, add_numbers, open_schedule

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 5
PROCESSES = 12
STOPS = 3  # clinics that are stopped in the midst of it
HOURS = 20  # of simulated time: holds pass, resting numbers re-open, today's clinic ends


class Storm:
    """One process of it: random acts of random people on the same few clinics, for `SECONDS`."""

    def __init__(self, seed: int):
        self.stops = [self.stop] if seed < STOPS else []
        self.stop_at = 0.4 + 0.2 * seed  # of the time
        self.dice = random.Random(seed)
        self.user = User.objects.order_by("?").first()
        self.schedules = list(Schedule.objects.select_related("service"))
        self.patients = list(Patient.objects.all())
        self.told = Counter()

    def rage(self) -> Counter:
        began = monotonic()
        acts = [self.book] * 8 + [self.confirm] * 4 + [self.basket, self.cancel, self.cancel, self.drop]
        acts += [self.move] * 4 + [self.add_on, self.recall, self.check_in, self.see, self.day_ends]
        while (passed := monotonic() - began) < SECONDS:
            self.now = NOW + timedelta(hours=HOURS) * (passed / SECONDS) + timedelta(minutes=self.dice.uniform(-9, 9))
            due = self.stops and passed / SECONDS > self.stop_at
            act = self.stops.pop() if due else self.dice.choice(acts)
            try:
                act()
                self.told[act.__name__] += 1
            except Refused as refusal:
                self.told[f"{act.__name__}: {refusal.code}"] += 1
        return self.told

    def any_schedule(self) -> Schedule:
        return self.dice.choice(self.schedules)

    def any_visit(self, *status: str) -> Appointment | None:
        rows = Appointment.objects.filter(status__in=status).order_by("-pk")[:40]
        return self.dice.choice(list(rows)) if rows else None

    def book(self):
        booking.book(
            schedule=self.any_schedule(),
            patient=self.dice.choice(self.patients),
            channel=self.dice.choice([Channel.WEB, Channel.WEB, Channel.CONSULT, Channel.COUNTER]),
            by=self.user,
            request_key=f"book {self.dice.randrange(10**6)}",
            number=self.dice.choice([None, self.dice.randint(1, 30)]),
            basket=uuid4(),
            now=self.now,
        )

    def confirm(self):
        if row := self.any_visit("pending"):
            key = f"confirm {row.pk}"
            changes.confirm(appointment=row, by=self.user, request_key=key, now=self.now)

    def basket(self):
        if row := self.any_visit("pending"):
            changes.confirm_basket(basket=row.basket, by=self.user, request_key=f"basket {row.pk}", now=self.now)

    def cancel(self):
        if row := self.any_visit("pending", "booked"):
            key = f"cancel {row.pk}"
            changes.cancel(appointment=row, by=self.user, channel=Channel.COUNTER, request_key=key, now=self.now)

    def drop(self):
        if row := self.any_visit("pending"):
            changes.drop(appointment=row, by=self.user, now=self.now)

    def move(self):
        if row := self.any_visit("pending", "booked"):
            booking.reschedule(
                appointment=row,
                schedule=self.any_schedule(),
                by=self.user,
                channel=self.dice.choice([Channel.WEB, Channel.COUNTER]),
                request_key=None,
                now=self.now,
            )

    def add_on(self):
        extras.add_extra(
            schedule=self.any_schedule(),
            patient=self.dice.choice(self.patients),
            by=self.user,
            reason="术后",
            request_key=str(uuid4()),
            now=self.now,
        )

    def recall(self):
        """Numbers change their pool while they are booked, as release and recall do it."""
        source, target = self.dice.sample([Pool.Kind.PUBLIC, Pool.Kind.CONSULT], 2)
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE appointments_slot SET pool_id = (SELECT id FROM appointments_pool WHERE kind = %s)
                    WHERE id IN (SELECT id FROM appointments_slot
                                  WHERE schedule_id = %s AND status = 'free'
                                    AND pool_id = (SELECT id FROM appointments_pool WHERE kind = %s)
                                  ORDER BY id LIMIT 3 FOR NO KEY UPDATE SKIP LOCKED)""",
                [target, self.any_schedule().pk, source],
            )

    def check_in(self):
        if row := self.any_visit("booked"):
            visit.check_in(appointment=row, by=self.user, now=self.now)

    def see(self):
        row = self.any_visit("arrived")
        encounter = row and getattr(row, "encounter", None)
        if encounter and encounter.status == "in_room":
            visit.finish(encounter=encounter, by=self.user, now=self.now)
        elif encounter:
            visit.start(encounter=encounter, by=self.user, now=self.now)

    def day_ends(self):
        noshow.mark_noshows(now=self.now)

    def stop(self):
        extras.suspend(schedule=self.any_schedule(), by=self.user, reason="会议", now=self.now)


def rage(seed: int) -> Counter:
    return Storm(seed).rage()


def test_a_storm_of_everything_leaves_the_inventory_sound():
    """Twelve processes on five clinics and sixty patients: booking, confirming, moving, stopping, seeing."""
    UserFactory.create_batch(4)
    PatientFactory.create_batch(60)
    for days in (0, 0, 1, 3, 9):
        schedule = open_schedule(numbers=20, day=TODAY + timedelta(days=days))
        add_numbers(schedule, count=6, pool="consult")
    Schedule.objects.update(capacity=26)
    before = deadlocks()

    answers = in_processes([partial(rage, seed) for seed in range(PROCESSES)])

    assert [answer for answer in answers if not isinstance(answer, Counter)] == []
    told = sum(answers, Counter())
    assert unsound() == {}, told
    assert deadlocks() == before, told
    assert {"book", "confirm", "cancel", "move", "stop"} <= set(told), told  # it really was a storm
    assert_the_stops_forgot_nobody()


def assert_the_stops_forgot_nobody():
    """Who was booked when a clinic stopped is in the stop's fact, or was moved or cancelled by another fact since."""
    for fact in Fact.objects.filter(topic="schedule.stopped"):
        still_there = Appointment.objects.filter(
            schedule=fact.payload["schedule"], status="booked", confirmed_at__lt=fact.happened_at
        )
        assert set(still_there.values_list("pk", flat=True)) <= set(fact.payload["affected"])
