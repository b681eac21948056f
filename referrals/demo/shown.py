"""What a visitor of the demo finds open, made by the services: in the office, the community, the doctor's queue."""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from appointments.models import Encounter
from hospital import clock
from hospital.errors import Refused
from hospital.models import Department, Organization, Patient, Practitioner, User
from referrals.models import Referral
from referrals.policies.moves import Side
from referrals.services import answering, numbers, writing

from .words import ANSWERS, QUESTIONS, consent_of, story

LATE, HOURS = timedelta(days=6), timedelta(hours=1)
OPEN = (  # urgency, sent so long ago, what happened since
    ("green", timedelta(minutes=2), ""),
    ("urgent", timedelta(minutes=50), ""),
    ("urgent", timedelta(hours=4), ""),
    ("routine", LATE, ""),
    ("routine", 5 * HOURS, ""),
    ("routine", 9 * HOURS, "asked"),
    ("routine", 26 * HOURS, "answered"),
    ("routine", 30 * HOURS, "accepted"),
)
DRAFTS = 2
QUEUED = 2


def live(community: Organization, residents: list[Patient], *, doctor: Practitioner, users: dict, now) -> None:
    """Each by itself: what the drawn month leaves no room for is left out."""
    desk, office = users["shequ"], users["zhuanzhen"]
    house, people = doctor.organization, iter(residents)
    places = _departments(house)
    for urgency, ago, since in OPEN:
        with suppress(Refused, StopIteration):
            row = _sent(next(people), next(places), community, desk, urgency=urgency, now=now - ago)
            _go_on(row, since, desk=desk, office=office, now=now - ago / 2)
    for _place in range(DRAFTS):
        with suppress(Refused, StopIteration):
            _draft(next(people), next(places), community, desk, now=now - HOURS, reason="")
    for visit in _waiting(doctor, now=now):
        with suppress(Refused):
            row = _sent(visit.patient, visit.department, community, desk, now=now - timedelta(days=2))
            numbers.take(
                referral=row, appointment=visit.appointment, by=desk, side=Side.ORIGIN, now=now - timedelta(days=2)
            )
            numbers.arrived(referral=row, by=None, now=visit.checked_in_at)


def _departments(house: Organization) -> Iterator[Department]:
    """Those of the stories first, over and over."""
    rows = list(Department.objects.filter(organization=house, active=True).order_by("order", "code"))
    fitting = [row for row in rows if story_fits(row.name)] or rows
    while fitting:
        yield from fitting


def story_fits(name: str) -> bool:
    return any(word in name for word in ("心", "内分泌", "呼吸", "骨", "消化"))


def _waiting(doctor: Practitioner, *, now: datetime) -> list[Encounter]:
    rows = Encounter.objects.filter(schedule__role__practitioner=doctor, schedule__day=clock.today(now))
    rows = rows.filter(status=Encounter.Status.WAITING, appointment__referred_by=None)
    return list(rows.select_related("patient", "department", "appointment").order_by("checked_in_at", "pk")[:QUEUED])


def _draft(patient, department, community, by: User, *, now: datetime, urgency="routine", **more) -> Referral:
    told = story(random.Random(patient.pk), department.name)
    written = {
        "urgency": urgency, "department": department, "reason": told.reason, "diagnosis_code": told.code,
        "diagnosis": told.diagnosis, "history": told.history, "medication": told.medication,
        "consent": consent_of(patient, day=clock.today(now)),
    }  # fmt: skip
    return writing.draft(
        patient=patient, origin=community, receiver=department.organization, direction=Referral.Direction.UP, by=by,
        now=now, **(written | more),
    )  # fmt: skip


def _sent(patient, department, community, by: User, *, now: datetime, urgency="routine") -> Referral:
    row = _draft(patient, department, community, by, urgency=urgency, office_books=urgency != "green",
                 now=now - timedelta(minutes=4))  # fmt: skip
    return writing.send(referral=row, by=by, now=now)


def _go_on(row: Referral, since: str, *, desk: User, office: User, now: datetime) -> None:
    if since == "accepted":
        answering.accept(referral=row, by=office, now=now)
    if since in ("asked", "answered"):
        answering.ask_back(referral=row, question=QUESTIONS[0], by=office, now=now)
    if since == "answered":
        writing.answer(referral=row, text=ANSWERS[0], by=desk, now=now + timedelta(minutes=30))
