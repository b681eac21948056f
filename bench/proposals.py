"""How long it takes to propose plans, reading included, by number of exams: fourteen days of devices, most of their
time taken."""

import time
from datetime import time as wall
from datetime import timedelta
from random import Random

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bench import table
from bench.seed import Ground
from bench.sizes import Sizes
from exams.models import (
    Device,
    DeviceAbility,
    DeviceSession,
    ExamBooking,
    ExamItem,
    ExamRequest,
    ExamVariant,
    ExamZone,
    OrderingRule,
)
from exams.services import planning
from hospital import clock
from hospital.models import Campus, Organization, Patient, Room, User

COUNTS = (2, 4, 6, 8)
KINDS, DEVICES_EACH, DAYS, TAKEN = 12, 2, 14, 0.75
LENGTHS = (10, 10, 15, 20, 30)  # minutes of an exam
TARGETS = {2: 300, 4: 300, 6: 300, 8: 2000}  # ms at the 95th percentile


def measure(sizes: Sizes, ground: Ground) -> list[table.Row]:
    """Seeded, so that every run asks the same."""
    variants = _scene(Random("scene"), ground, taken=TAKEN if sizes.rounds > 1 else 0)
    first = ground.patients[0] + 5_000
    people = list(Patient.objects.filter(pk__gte=first).order_by("pk")[: sizes.questions])
    rows = []
    for exams in COUNTS:
        dice, took, trips = Random(exams), [], 0
        for person in people:
            requests = [_request(person, each) for each in dice.sample(variants, exams)]
            began = time.monotonic()
            found = planning.propose(requests=requests, channel="consult", now=clock.now())
            took.append((time.monotonic() - began) * 1000)
            trips += found.best.trips if found.best else 0
        took.sort()
        rows.append(
            table.measured(
                f"proposal p95: {exams} exams × {DAYS} days × {KINDS * DEVICES_EACH} devices, with the database",
                [took[int(len(took) * 0.95)]], target=TARGETS[exams], unit="ms",
                note=f"{len(took)} asked, p50 {took[len(took) // 2]:.0f} ms, longest {took[-1]:.0f} ms; "
                f"{trips / len(took):.1f} trips each; best plan, next two and reasons",
            )
        )  # fmt: skip
    return rows


def _request(person: Patient, variant: ExamVariant) -> ExamRequest:
    return ExamRequest.objects.create(
        organization_id=variant.item.organization_id, patient=person, variant=variant, asked_at=clock.now()
    )


def _scene(dice: Random, ground: Ground, *, taken: float) -> list[ExamVariant]:
    """Twelve kinds of exams on two devices each, in four zones; a rule between every third pair."""
    house = Organization.objects.get(pk=ground.organization)
    campus, price = Campus.objects.get(organization=house), house.prices.first().code
    zones = [ExamZone.objects.create(campus=campus, name=f"检查{number}区") for number in range(4)]
    room = Room.objects.order_by("pk").first()
    variants, devices = [], []
    for kind in range(KINDS):
        item = ExamItem.objects.create(organization=house, code=f"P{kind}", name=f"项目{kind}", modality="us")
        variant = ExamVariant.objects.create(item=item, minutes=dice.choice(LENGTHS), price_code=price)
        variants.append(variant)
        for number in range(DEVICES_EACH):
            code = f"P{kind}{'AB'[number]}"
            device = Device.objects.create(
                organization=house, code=code, name=code, modality="us", room=room, zone=dice.choice(zones)
            )
            DeviceAbility.objects.create(device=device, variant=variant)
            devices.append((device, variant))
    _rules(house, variants)
    for device, variant in devices:
        _days(dice, device, variant, patient=ground.others[0], taken=taken)
    return variants


def _rules(house: Organization, variants: list[ExamVariant]) -> None:
    by = User.objects.first()
    signed = {"source": "bench", "approved_by": by, "approved_at": clock.now()}
    for one, other in zip(variants[::3], variants[1::3], strict=True):
        OrderingRule.objects.create(
            organization=house, name=f"{one.item.name}先做", first_item=one.item, second_item=other.item,
            forward="gap", forward_minutes=120, reverse="gap", reverse_minutes=120, why="相隔两小时。", **signed,
        )  # fmt: skip


def _days(dice: Random, device: Device, variant: ExamVariant, *, patient: int, taken: float) -> None:
    """Two half-days a day, and what is booked in them."""
    now, bookings = clock.now(), []
    for ahead in range(1, DAYS + 1):
        for begins, hours in ((wall(8), 4), (wall(13, 30), 4)):
            starts = clock.at(clock.today(now) + timedelta(days=ahead), begins)
            during = DateTimeTZRange(starts, starts + timedelta(hours=hours))
            session = DeviceSession.objects.create(
                device=device, day=clock.today(starts), during=during, opens_at=now - timedelta(days=1)
            )
            at, length = starts, timedelta(minutes=variant.minutes)
            while at + length <= during.upper:
                if dice.random() < taken:
                    bookings.append((session, DateTimeTZRange(at, at + length)))
                at += length
    requests = ExamRequest.objects.bulk_create(
        ExamRequest(organization_id=device.organization_id, patient_id=patient, variant=variant, asked_at=now,
                    status="booked") for _each in bookings
    )  # fmt: skip
    ExamBooking.objects.bulk_create(
        ExamBooking(
            request=request, patient_id=patient, variant=variant, device=device, session=session, day=session.day,
            during=during, stay=during, status="booked", holds=True, channel="counter", fee=0, created_at=now,
            confirmed_at=now,
        )
        for request, (session, during) in zip(requests, bookings, strict=True)
    )  # fmt: skip
