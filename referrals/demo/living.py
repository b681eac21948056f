"""The referrals of the demo hospital, in order."""

import random
from datetime import timedelta

from appointments.demo.neighbours import Scene
from appointments.demo.scale import SEED
from hospital import clock, messages
from hospital.models import Agreement, Organization, Patient, Practitioner, SignedResident

from . import admissions, month, shown

DAYS = 30
"""How far the drawn referrals go back, in the large hospital too."""

RESIDENTS = 25
"""Signed with each community's family doctors."""

SOON = 3
"""Of them, so many have to be signed anew within the month."""


def live(scene: Scene) -> str:
    house, now = scene.doctor.organization, scene.now
    today = clock.today(now)
    dice = random.Random(f"{SEED}referrals")
    communities = list(Organization.objects.filter(parent=house).order_by("code"))
    if not communities:
        return "no community to refer"
    _agree(house, communities, since=today.replace(month=1, day=1))
    signed = _sign(communities, dice=dice, today=today)
    drawn = month.Month(house, communities, users=scene.users, dice=dice, now=now)
    up, down = drawn.live(since=now - timedelta(days=DAYS))
    shown.live(communities[0], signed[communities[0].pk], doctor=scene.doctor, users=scene.users, now=now)
    admitted = admissions.live(organization=house, clerk=scene.users["zhuanzhen"], now=now, dice=dice)
    messages.send_waiting(now=now)  # what patients heard of their admissions went out weeks ago
    return f"{up} referrals up, {down} down, {admitted} admissions asked for"


def _agree(house: Organization, communities: list[Organization], *, since) -> None:
    Agreement.objects.bulk_create(
        Agreement(hospital=house, member=one, effective_from=since, note="医联体协作协议") for one in communities
    )


def _sign(communities, *, dice: random.Random, today) -> dict[int, list[Patient]]:
    """Grown-ups, each with one family doctor, for a year."""
    grown = Patient.objects.filter(active=True, birth_date__lt=today - timedelta(days=30 * 365)).order_by("pk")
    people = list(grown[: RESIDENTS * 20])
    chosen = iter(dice.sample(people, min(len(people), RESIDENTS * len(communities))))
    found: dict[int, list[Patient]] = {}
    rows = []
    for one in communities:
        doctors = list(Practitioner.objects.filter(organization=one, active=True).order_by("code"))
        found[one.pk] = [patient for _place, patient in zip(range(RESIDENTS), chosen, strict=False)]
        for place, patient in enumerate(found[one.pk]):
            since = today - timedelta(days=366 - (dice.randint(2, 25) if place < SOON else dice.randint(40, 340)))
            rows.append(
                SignedResident(
                    patient=patient, organization=one, doctor=dice.choice(doctors) if doctors else None,
                    effective_from=since, effective_to=since + timedelta(days=365),
                    note=dice.choice(("基础服务包", "慢病服务包", "老年人服务包")),
                )
            )  # fmt: skip
    SignedResident.objects.bulk_create(rows)
    return found
