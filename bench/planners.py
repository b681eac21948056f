"""Twenty planners at once on a few devices: each books two exams as one plan, all or nothing; who lost asks anew."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import time as wall
from datetime import timedelta
from random import Random
from threading import Barrier
from uuid import uuid4

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Count

from appointments.errors import Busy
from appointments.models import ChannelRule
from bench import table
from bench.seed import SINCE, Ground
from bench.sizes import Sizes
from exams.errors import NotFree, TimeTaken
from exams.models import (
    Device,
    DeviceAbility,
    DeviceSession,
    ExamBooking,
    ExamItem,
    ExamPlan,
    ExamRequest,
    ExamVariant,
    ExamZone,
    StaffTeam,
)
from exams.services import booking, planning
from hospital import clock
from hospital.models import Organization, Patient, Room

PLANNERS, DEVICES, DAYS = 20, 3, 3
TRIES = 40
HOURS = 2  # a device a day: short enough that everybody wants the same minutes


def measure(sizes: Sizes, ground: Ground) -> list[table.Row]:
    variants = _scene()
    took, answers, won, tries, waited = [], [], 0, 0, 0
    for turn in range(sizes.rounds):
        first = ground.patients[0] + 1_000 + turn * PLANNERS
        people = list(Patient.objects.filter(pk__gte=first).order_by("pk")[:PLANNERS])
        for each in _at_once(people, variants):
            answers += each.answers
            won, tries, waited = won + each.won, tries + len(each.answers), waited + each.waited
            took += [each.seconds * 1000] if each.won else []
        ExamBooking.objects.filter(holds=True).update(status="cancelled", holds=False, ended_at=clock.now())
    took.sort()
    answers = sorted(seconds * 1000 for seconds in answers)
    whole = ExamPlan.objects.annotate(lines=Count("bookings")).exclude(lines=2).count()
    return [
        table.exactly(
            f"plans booked in part, {PLANNERS} planners at once", whole, 0, better="lower",
            note=f"{won} of {PLANNERS * sizes.rounds} planners booked, in {tries} tries; "
            f"p50 {took[len(took) // 2]:.0f} ms, p95 {took[int(len(took) * 0.95)]:.0f} ms from asking to booked",
        ),
        table.exactly(
            f"plans that waited too long for a lock, {PLANNERS} planners at once", waited, 0, better="lower",
            note=f"held, or told that a time is gone: p50 {answers[len(answers) // 2]:.0f} ms, "
            f"p95 {answers[int(len(answers) * 0.95)]:.0f} ms, longest {answers[-1]:.0f} ms; all in one process",
        ),
    ]  # fmt: skip


@dataclass
class Tried:
    """`answers`: seconds until each plan was held or refused; `waited`: how many of them ended at the lock."""

    answers: list[float] = field(default_factory=list)
    seconds: float = 0
    won: bool = False
    waited: int = 0


def _at_once(people: list[Patient], variants: list[ExamVariant]) -> list[Tried]:
    asked = {person.pk: [_request(person, each) for each in variants] for person in people}
    gate = Barrier(len(people))

    def planner(person: Patient) -> Tried:
        tried = Tried()
        gate.wait()
        began = time.monotonic()
        try:
            for count in range(1, TRIES + 1):
                if _try(person, asked[person.pk], Random(f"{person.pk} {count}"), tried):
                    tried.won, tried.seconds = True, time.monotonic() - began
                    break
            return tried
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as crowd:
        return list(crowd.map(planner, people))


def _try(person: Patient, requests: list[ExamRequest], dice: Random, tried: Tried) -> bool:
    """One of the plans that are shown, as people choose."""
    found = planning.propose(requests=requests, channel="consult", now=clock.now())
    if found.best is None:
        return False
    basket = uuid4()
    chosen = dice.choice([found.best, *found.others])
    lines = planning.lines_of(chosen.token, person)
    began = time.monotonic()
    try:
        booking.hold_plan(patient=person, lines=lines, channel="consult", by=None, basket=basket)
    except (TimeTaken, NotFree):
        return False
    except Busy:
        tried.waited += 1
        return False
    finally:
        tried.answers.append(time.monotonic() - began)
    booking.confirm(basket=basket, by=None)
    return True


def _request(person: Patient, variant: ExamVariant) -> ExamRequest:
    return ExamRequest.objects.create(
        organization_id=variant.item.organization_id, patient=person, variant=variant, asked_at=clock.now()
    )


def _scene() -> list[ExamVariant]:
    """Three devices, two of them with one team between them, open two hours on each of the next three days."""
    house = Organization.objects.order_by("pk").first()
    ChannelRule.objects.create(organization=house, channel="consult", kinds=["public"], effective_from=SINCE)
    price = house.prices.order_by("pk").values_list("code", flat=True).first()
    variants = []
    for number, minutes in enumerate((15, 20)):
        item = ExamItem.objects.create(organization=house, code=f"B{number}", name=f"检查{number}", modality="us")
        variants.append(ExamVariant.objects.create(item=item, minutes=minutes, price_code=price))
    room = Room.objects.order_by("pk").first()
    zone = ExamZone.objects.create(campus=room.campus, name="检查区")
    team = StaffTeam.objects.create(organization=house, name="一组", size=2)
    tomorrow = clock.today(clock.now()) + timedelta(days=1)
    for number in range(DEVICES):
        device = Device.objects.create(
            organization=house, code=f"B{number}", name=f"{number}号机", modality="us", room=room, zone=zone,
            team=team if number else None,
        )  # fmt: skip
        DeviceAbility.objects.bulk_create(DeviceAbility(device=device, variant=each) for each in variants)
        for ahead in range(DAYS):
            day = tomorrow + timedelta(days=ahead)
            starts = clock.at(day, wall(8))
            DeviceSession.objects.create(
                device=device, day=day, during=DateTimeTZRange(starts, starts + timedelta(hours=HOURS)),
                opens_at=clock.now() - timedelta(days=1),
            )  # fmt: skip
    return variants
