"""The rows of a visit and of its facts as the services leave them, ready for COPY."""

import json
from dataclasses import dataclass
from datetime import datetime

from appointments.demo.queueing import Turn
from appointments.models import Encounter, Schedule

Status = Encounter.Status

ENCOUNTER = "appointments_encounter", (
    "id", "appointment_id", "schedule_id", "department_id", "patient_id", "practitioner_id", "room_id", "status",
    "priority", "checked_in_at", "checked_in_by_id", "document_seen", "called_at", "calls", "passed_at", "started_at",
    "finished_at",
)  # fmt: skip
FACT = "hospital_fact", (
    "topic", "key", "payload", "actor_id", "account", "request_key", "body", "happened_at", "fanned_out",
)  # fmt: skip


@dataclass(slots=True)
class Visit:
    """One patient at one clinic."""

    turn: Turn
    schedule: Schedule
    practitioner: int | None
    encounter: int = 0  # once written


@dataclass(slots=True)
class Happened:
    """A fact to be written."""

    at: datetime
    topic: str
    key: str
    payload: dict
    actor: int | None = None
    account: int | None = None
    body: str | None = None


def by_moment(fact: Happened) -> datetime:
    return fact.at


def status_of(turn: Turn, *, now: datetime) -> Status:
    """How far the visit has come."""
    if turn.finished_at <= now:
        return Status.FINISHED
    if turn.started_at <= now:
        return Status.IN_ROOM
    return Status.CALLED if turn.called_at <= now else Status.WAITING


def encounter_row(visit: Visit, *, now: datetime, desk: int) -> tuple:
    turn, schedule = visit.turn, visit.schedule
    called, started, finished = (
        moment if moment <= now else None for moment in (turn.called_at, turn.started_at, turn.finished_at)
    )
    return (
        visit.encounter, turn.booked.appointment, schedule.pk, schedule.department_id, turn.booked.patient,
        visit.practitioner if called else None, schedule.room_id if called else None, status_of(turn, now=now).value,
        0, turn.checked_in_at, desk, True, called, 1 if called else 0, None, started, finished,
    )  # fmt: skip


def visit_facts(visit: Visit, *, now: datetime, desk: int, doctor: int | None) -> list[Happened]:
    """What the visit service publishes at each step that has happened."""
    turn, room = visit.turn, visit.schedule.room_id
    steps = (
        ("checked_in", turn.checked_in_at, desk, {"room": None, "document_seen": True}),
        ("called", turn.called_at, doctor, {"room": room, "calls": 1}),
        ("started", turn.started_at, doctor, {"room": room}),
        ("finished", turn.finished_at, doctor, {"room": room}),
    )
    key = f"appointment:{turn.booked.appointment}"
    same = {"encounter": visit.encounter, "schedule": visit.schedule.pk}
    return [Happened(at, f"encounter.{step}", key, same | more, actor) for step, at, actor, more in steps if at <= now]


def fact_row(fact: Happened, *, told_before: datetime) -> tuple:
    """What is older than `told_before` was told long ago: nobody gets a message for it."""
    payload = json.dumps(fact.payload, separators=(",", ":"))
    told = fact.at < told_before
    return fact.topic, fact.key, payload, fact.actor, fact.account, None, fact.body, fact.at, told
