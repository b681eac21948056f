"""Twenty planners at once on a few devices: each books two exams as one plan, all or nothing; who lost asks anew."""

import time
from concurrent.futures import ThreadPoolExecutor
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
    took, won, tries = [], 0, 0
    for turn in range(sizes.rounds):
        first = ground.patients[0] + 1_000 + turn * PLANNERS
        people = list(Patient.objects.filter(pk__gte=first).order_by("pk")[:PLANNERS])
        answers = _at_once(people, variants)
        took += [seconds * 1000 for seconds, _tries in answers if seconds is not None]
        won += sum(seconds is not None for seconds, _tries in answers)
        tries += sum(count for _seconds, count in answers)
        ExamBooking.objects.filter(holds=True).update(status="cancelled", holds=False, ended_at=clock.now())
    took.sort()
    whole = ExamPlan.objects.annotate(lines=Count("bookings")).exclude(lines=2).count()
    return [
        table.exactly(
            f"plans booked in part, {PLANNERS} planners at once", whole, 0, better="lower",
            note=f"{won} of {PLANNERS * sizes.rounds} planners booked, in {tries} tries; "
            f"p50 {took[len(took) // 2]:.0f} ms, p95 {took[int(len(took) * 0.95)]:.0f} ms from asking to booked",
        )
    ]  # fmt: skip


def _at_once(people: list[Patient], variants: list[ExamVariant]) -> list[tuple[float | None, int]]:
    asked = {person.pk: [_request(person, each) for each in variants] for person in people}
    gate = Barrier(len(people))

    def planner(person: Patient) -> tuple[float | None, int]:
        gate.wait()
        began = time.monotonic()
        try:
            for count in range(1, TRIES + 1):
                if _try(person, asked[person.pk], Random(f"{person.pk} {count}")):
                    return time.monotonic() - began, count
            return None, TRIES
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as crowd:
        return list(crowd.map(planner, people))


def _try(person: Patient, requests: list[ExamRequest], dice: Random) -> bool:
    """One of the plans that are shown, as people choose."""
    now = clock.now()
    found = planning.propose(requests=requests, channel="consult", now=now)
    if found.best is None:
        return False
    basket = uuid4()
    try:
        chosen = dice.choice([found.best, *found.others])
        lines = planning.lines_of(chosen.token, person)
        booking.hold_plan(patient=person, lines=lines, channel="consult", by=None, basket=basket)
        booking.confirm(basket=basket, by=None)
    except (TimeTaken, NotFree, Busy):
        return False
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
