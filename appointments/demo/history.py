"""A day of the past into the tables: one transaction of COPYs, the rows that services and jobs would have left."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from appointments.demo.copying import copy
from appointments.demo.numbers import Numbers
from appointments.demo.rows import ENCOUNTER, FACT, Happened, Visit, by_moment, encounter_row, fact_row
from appointments.models import Pool

FOLLOWED = timedelta(seconds=30)  # the job looks once a minute

APPOINTMENT = "appointments_appointment", (
    "id", "slot_id", "schedule_id", "patient_id", "department_id", "day", "start", "channel", "self_service", "counts",
    "visit_type", "status", "extra", "fee", "by_id", "booked_from_id", "referral_id", "note", "created_at",
    "opened_at", "confirmed_at", "cancelled_at", "partner_id",
)  # fmt: skip
TIME = "hospital_patienttime", ("patient_id", "during", "source", "source_id")
NOSHOW = "appointments_noshow", ("appointment_id", "patient_id", "day", "marked_at", "excused_at")
SUSPENSION = "appointments_patientsuspension", ("id", "patient_id", "starts_at", "ends_at", "reason", "lifted_at")
REFERRAL = "appointments_teamreferral", (
    "id", "team_id", "patient_id", "encounter_id", "by_id", "reason", "created_at", "valid_until",
)  # fmt: skip

SET_NUMBERS = """
UPDATE appointments_slot s SET status = n.status, hold_until = n.until, pool_id = coalesce(n.pool, s.pool_id)
  FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::bigint[]) AS n (id, status, until, pool)
 WHERE s.id = n.id
"""
SET_SHARED = """
UPDATE appointments_allotment SET moved_at = shared_from + %s
 WHERE schedule_id = ANY (%s) AND shared_from IS NOT NULL
"""


@dataclass
class Day:
    """What is to be written."""

    appointments: list = field(default_factory=list)
    cancelled: list = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    facts: list[Happened] = field(default_factory=list)
    noshows: list[tuple] = field(default_factory=list)
    suspensions: list[tuple] = field(default_factory=list)
    referrals: list[tuple] = field(default_factory=list)
    numbers: list[tuple] = field(default_factory=list)  # (id, status, hold_until, pool): what changes
    shared: list[int] = field(default_factory=list)  # schedules whose pools were all shared


def write_numbers(day: Day, clinics: Iterable[Numbers]) -> None:
    """A day that is over: who has which number, and what the job moved to the public pool, with its facts."""
    kinds = dict(Pool.objects.values_list("pk", "kind"))
    for clinic in clinics:
        moved = set(clinic.moved())
        for place, slot in enumerate(clinic.ids):
            row = clinic.taken.get(place)
            until = clinic.resting.get(place)
            if row or until or place in moved:
                pool = clinic.public if place in moved else None
                day.numbers.append((slot, "booked" if row else "resting" if until else "free", until, pool))
        day.shared.append(clinic.schedule.pk)
        day.facts += _shared_facts(clinic, moved, kinds)


def _shared_facts(clinic: Numbers, moved: set[int], kinds: dict[int, str]) -> list[Happened]:
    """One per moment at which pools were shared, with how many numbers each kind and each pool gave up."""
    counts = Counter(clinic.pools[place] for place in moved)
    at: dict[datetime, tuple[Counter, dict[int, int]]] = defaultdict(lambda: (Counter(), {}))
    for pool, (_opens_at, shared_from) in clinic.openings.items():
        if shared_from:
            pools, numbers = at[shared_from]
            pools[kinds[pool]] += counts[pool]
            numbers[pool] = counts[pool]
    pk = clinic.schedule.pk
    return [
        Happened(
            moment + FOLLOWED, "supply.shared", f"schedule:{pk}", {"schedule": pk, "pools": pools, "numbers": numbers}
        )
        for moment, (pools, numbers) in at.items()
    ]


def hand_over(day: Day, days: dict[date, dict[int, Numbers]]) -> None:
    """The days to come: only what is taken or resting. What is due to be shared, the service shares."""
    for clinics in days.values():
        for clinic in clinics.values():
            for place in clinic.taken.keys() | clinic.resting.keys():
                until = clinic.resting.get(place)
                pool = None if until or place in clinic.own else clinic.public
                day.numbers.append((clinic.ids[place], "resting" if until else "booked", until, pool))


@transaction.atomic
def write(day: Day, *, now: datetime, desk: int, told_before: datetime) -> None:
    """All of it."""
    if day.numbers:
        with connection.cursor() as cursor:
            cursor.execute(SET_NUMBERS, [list(column) for column in zip(*day.numbers, strict=True)])
    if day.shared:
        with connection.cursor() as cursor:
            cursor.execute(SET_SHARED, [FOLLOWED, day.shared])
    copy(*APPOINTMENT, (_appointment(row) for row in [*day.appointments, *day.cancelled]))
    copy(*TIME, (_time(row) for row in day.appointments))
    copy(*ENCOUNTER, (encounter_row(visit, now=now, desk=desk) for visit in day.visits))
    copy(*REFERRAL, day.referrals)
    copy(*NOSHOW, day.noshows)
    copy(*SUSPENSION, day.suspensions)
    copy(*FACT, (fact_row(fact, told_before=told_before) for fact in sorted(day.facts, key=by_moment)))


def _appointment(row) -> tuple:
    schedule = row.schedule
    return (
        row.appointment, row.slot, schedule.pk, row.patient, schedule.department_id, schedule.day, row.start,
        row.channel, row.self_service, row.counts, row.visit_type, row.status, False, row.fee, row.by,
        row.booked_from, row.referral, "", row.made_at, row.opened_at, row.made_at, row.cancelled_at,
        row.partner,
    )  # fmt: skip


def _time(row) -> tuple:
    return row.patient, f"[{row.start},{row.end})", "appointment", row.appointment
