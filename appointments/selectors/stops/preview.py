"""What a stop would do, before anything is done: who, how many, what they would be told, who could step in."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Q

from appointments.models import Appointment, Schedule, ScheduleParticipant
from appointments.policies import stops as policy

from . import substitutes

Status = Appointment.Status


@dataclass
class Session:
    """One session of the preview."""

    schedule: Schedule
    booked: int
    held: int
    arrived: int
    without_phone: int
    free: int
    choice: substitutes.Choice
    chosen: int | None = None  # role
    room: int | None = None

    @property
    def stopped(self) -> bool:
        return self.schedule.status == Schedule.Status.STOPPED

    @property
    def may_be_substituted(self) -> bool:
        return policy.may_be_substituted(self.schedule)


@dataclass
class Preview:
    sessions: list[Session]
    digest: str
    deadline: datetime | None
    teams: list[Schedule] = field(default_factory=list)  # where the doctor sits in a team: not stopped by this

    def _sum(self, name: str) -> int:
        return sum(getattr(each, name) for each in self.sessions)

    @property
    def booked(self) -> int:
        return self._sum("booked")

    @property
    def held(self) -> int:
        return self._sum("held")

    @property
    def arrived(self) -> int:
        return self._sum("arrived")

    @property
    def free(self) -> int:
        return self._sum("free")

    @property
    def without_phone(self) -> int:
        return self._sum("without_phone")


def of(schedules: list[Schedule], *, practitioner: int | None, now: datetime) -> Preview:
    """Six queries, however many sessions. `schedules` with what scope.RELATED names."""
    counts = _counts(schedules)
    choice = substitutes.choices(schedules, now=now)
    free = dict(
        Schedule.objects.filter(pk__in=[each.pk for each in schedules])
        .annotate(free=Count("slots", filter=Q(slots__status="free")))
        .values_list("pk", "free")
    )
    found = [
        Session(schedule=each, free=free[each.pk], choice=choice[each.pk], **counts[each.pk]) for each in schedules
    ]
    deadlines = [policy.deadline_of(each.starts_at, now=now) for each in schedules]
    return Preview(
        sessions=found,
        digest=digest_of(schedules),
        deadline=min(deadlines, default=None),
        teams=_in_teams(schedules, practitioner),
    )


def _counts(schedules: list[Schedule]) -> dict[int, dict]:
    rows = Appointment.objects.filter(
        schedule__in=schedules, status__in=[Status.BOOKED, Status.PENDING, Status.ARRIVED]
    )
    found = {each.pk: Counter(booked=0, held=0, arrived=0, without_phone=0) for each in schedules}
    names = {Status.BOOKED: "booked", Status.PENDING: "held", Status.ARRIVED: "arrived"}
    for schedule, status, phone in rows.values_list("schedule", "status", "patient__phone_hash"):
        found[schedule][names[status]] += 1
        found[schedule]["without_phone"] += status == Status.BOOKED and not phone
    return {pk: dict(counts) for pk, counts in found.items()}


def _in_teams(schedules: list[Schedule], practitioner: int | None) -> list[Schedule]:
    """Sessions of teams in which the doctor sits then: the team decides who sees its patients."""
    if not practitioner or not schedules:
        return []
    sits = ScheduleParticipant.objects.filter(practitioner=practitioner, active=True, schedule__role=None)
    days = [each.day for each in schedules]
    sits = sits.filter(schedule__day__range=(min(days), max(days))).select_related(
        "schedule__team", "schedule__service"
    )
    return [sitting.schedule for sitting in sits.order_by("schedule__starts_at")]


def digest_of(schedules: list[Schedule]) -> str:
    """What the confirmed preview saw: the sessions, as they are, and whoever is booked into them."""
    booked: dict[int, list[int]] = {each.pk: [] for each in schedules}
    rows = Appointment.objects.filter(schedule__in=schedules, status__in=[Status.BOOKED, Status.ARRIVED])
    for schedule, pk in rows.order_by("pk").values_list("schedule", "pk"):
        booked[schedule].append(pk)
    seen = [
        (each.pk, each.status, each.role_id, each.room_id, booked[each.pk])
        for each in sorted(schedules, key=lambda row: row.pk)
    ]
    return hashlib.sha256(repr(seen).encode()).hexdigest()
