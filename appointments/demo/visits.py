"""The clinics of a day: who comes, how long it takes, and the rows that the visit service would have left.

Past visits are written in bulk, a few statements a day. `tests/demo` holds that the rows and facts are those of
check_in, call, start and finish.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from appointments.demo import behaviour
from appointments.demo.ledger import Booked, Ledger
from appointments.demo.queueing import Turn, serve
from appointments.models import Appointment, Encounter, Schedule, ScheduleParticipant
from hospital.models import Fact

Status = Encounter.Status
BATCH = 2000


@dataclass
class Visit:
    """One patient at one clinic."""

    turn: Turn
    schedule: Schedule
    practitioner: int | None
    encounter: int = 0  # once written


def hold_clinics(ledger: Ledger, day: date) -> list[Visit]:
    """Everybody who has come to the day's clinics until now, served in the order of the real queue, written."""
    sitting = _sitting(day)
    free_at: dict[tuple, datetime] = defaultdict(lambda: ledger.now - timedelta(days=1000))
    visits = []
    clinics = {rows[0].schedule.pk: rows[0].schedule for rows in ledger.booked[day].values() if rows}
    for schedule in sorted(clinics.values(), key=lambda one: (one.starts_at, one.pk)):
        turns = [_arrival(ledger, row) for row in ledger.booked[day][schedule.pk] if row.here_at or _comes(ledger, row)]
        here = [turn for turn in turns if turn.checked_in_at <= ledger.now]
        seats = sitting[schedule.pk] or [None]
        doctor = ledger.dice.choice(seats)
        busy = (("doctor", doctor), ("room", schedule.room_id))
        opens_at = max(schedule.starts_at, *(free_at[one] for one in busy if one[1] is not None))
        served = serve(here, opens_at=opens_at)
        if served:
            free_at.update(dict.fromkeys(busy, served[-1].finished_at))
        visits += [Visit(turn, schedule, doctor) for turn in served]
    with transaction.atomic():
        _write(ledger, visits)
    return visits


def _sitting(day: date) -> dict[int, list[int]]:
    """Schedule → the doctors who sit there; a plain clinic has none by name."""
    sitting = defaultdict(list)
    rows = ScheduleParticipant.objects.filter(schedule__day=day, active=True, practitioner__isnull=False)
    for schedule, practitioner in rows.order_by("pk").values_list("schedule", "practitioner"):
        sitting[schedule].append(practitioner)
    return sitting


def _comes(ledger: Ledger, row: Booked) -> bool:
    waited = (row.schedule.day - row.made_on).days
    return behaviour.comes(ledger.dice, ledger.person[row.patient], waited_days=waited, channel=row.channel)


def _arrival(ledger: Ledger, row: Booked) -> Turn:
    here = row.here_at or row.start - behaviour.early_by(ledger.dice)
    pace, level = ledger.pace[row.schedule.role_id], row.schedule.service.level
    length = behaviour.consultation(ledger.dice, level=level, first=row.first, pace=pace)
    return Turn(booked=row, start=row.start, checked_in_at=here, length=length)


def _write(ledger: Ledger, visits: list[Visit]) -> None:
    """Encounters, the states of their appointments, and the facts, as of now."""
    now, desk = ledger.now, ledger.users["fenzhen"].pk
    encounters = [_encounter(visit, now=now, desk=desk) for visit in visits]
    Encounter.objects.bulk_create(encounters, batch_size=BATCH)
    rows = Appointment.objects.filter(pk__in=[visit.turn.booked.appointment for visit in visits])
    rows.update(status=Appointment.Status.ARRIVED)
    finished = [row.appointment_id for row in encounters if row.status == Status.FINISHED]
    Appointment.objects.filter(pk__in=finished).update(status=Appointment.Status.FULFILLED)
    facts = []
    for visit, encounter in zip(visits, encounters, strict=True):
        visit.encounter = encounter.pk
        ledger.person[visit.turn.booked.patient].seen.add(visit.schedule.department.code)
        facts += _facts(encounter, desk=desk, doctor=ledger.account.get(visit.practitioner))
    Fact.objects.bulk_create(sorted(facts, key=lambda fact: fact.happened_at), batch_size=BATCH)


def _encounter(visit: Visit, *, now: datetime, desk: int) -> Encounter:
    turn, schedule = visit.turn, visit.schedule
    row = Encounter(
        appointment_id=turn.booked.appointment, schedule_id=schedule.pk, department_id=schedule.department_id,
        patient_id=turn.booked.patient, checked_in_at=turn.checked_in_at, checked_in_by_id=desk, document_seen=True,
    )  # fmt: skip
    if turn.called_at <= now:
        row.status, row.called_at, row.calls = Status.CALLED, turn.called_at, 1
        row.practitioner_id, row.room_id = visit.practitioner, schedule.room_id
    if turn.started_at <= now:
        row.status, row.started_at = Status.IN_ROOM, turn.started_at
    if turn.finished_at <= now:
        row.status, row.finished_at = Status.FINISHED, turn.finished_at
    return row


def _facts(row: Encounter, *, desk: int, doctor: int | None) -> list[Fact]:
    """What the visit service publishes at each step that has happened."""
    steps = (
        ("checked_in", row.checked_in_at, desk, {"room": None, "document_seen": True}),
        ("called", row.called_at, doctor, {"room": row.room_id, "calls": 1}),
        ("started", row.started_at, doctor, {"room": row.room_id}),
        ("finished", row.finished_at, doctor, {"room": row.room_id}),
    )
    return [
        Fact(topic=f"encounter.{step}", key=f"appointment:{row.appointment_id}", actor_id=actor, happened_at=at,
             payload={"encounter": row.pk, "schedule": row.schedule_id, **more})
        for step, at, actor, more in steps
        if at is not None
    ]  # fmt: skip
