"""Bring the hospital in line with its workbook: all or nothing, and nothing when nothing differs.

A preview runs the very same steps and takes them back, so that what it shows is what would happen.
"""

from datetime import datetime
from time import monotonic, sleep

import pghistory
from django.db import connection, transaction
from django.db.models import Count, Q

from appointments.errors import ImportUnderWay
from appointments.models import Schedule
from appointments.services import defaults
from appointments.services.importing import people, places, timetable
from appointments.services.importing.matching import Import
from appointments.services.importing.report import CHANGED, MISSING, NEW, Change, Report, Stranded
from hospital import clock
from hospital.models import AuditEvent, User
from hospital.workbook.sheet import Content

__all__ = ["CHANGED", "MISSING", "NEW", "Change", "Report", "Stranded", "import_workbook"]

LOCK = 7_313_001  # one import at a time, whoever starts it
PATIENCE = 15  # seconds; the demo hospital's import takes two


def import_workbook(
    *,
    content: Content,
    apply: bool,
    now: datetime,
    retire_missing: bool = False,
    by: User | None = None,
    expected: str | None = None,
) -> Report:
    """Make the hospital's places, people and weekly plan what the workbook says, or only say what would change.

    Rows that the workbook lacks are told, and put out of use only with `retire_missing`. Booked numbers and
    laid out half-days are never touched: half-days with patients whose doctor went off duty are listed.
    `expected`: the digest of the report that somebody agreed to; when anything else would happen, nothing does, and
    the report says so by `applied` False. Raises WrongWorkbook when the workbook and what the hospital keeps would
    collide, ImportUnderWay when another import takes longer than PATIENCE.
    """
    report = Report()
    with transaction.atomic(), pghistory.context(command="import_hospital", user=by.pk if by else None):
        _one_at_a_time()
        _bring_all(content, report, retire_missing=retire_missing, now=now)
        report.stranded = _stranded(now=now)
        report.applied = apply and expected in (None, report.digest)
        if not report.applied:
            transaction.set_rollback(True)
        elif report.changes:
            detail = report.counts() | {"retire_missing": retire_missing}
            AuditEvent.objects.create(at=now, actor=by, action="hospital.imported", detail=detail)
    return report


def _one_at_a_time() -> None:
    deadline = monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if cursor.fetchone()[0]:
                return
            if monotonic() > deadline:
                raise ImportUnderWay
            sleep(0.2)


def _bring_all(content: Content, report: Report, *, retire_missing: bool, now: datetime) -> None:
    """From the ground up: each step finds what it points at in place."""
    hospital = next(row.code for row in content["organization"] if row.kind == "hospital")
    run, today = Import(report=report, retire_missing=retire_missing, now=now, hospital=hospital), clock.today(now)
    places.organizations(run, content)
    places.campuses(run, content)
    places.departments(run, content)
    places.rooms(run, content)
    places.services(run, content)
    places.prices(run, content, today=today)
    people.doctors(run, content)
    people.teams(run, content)
    timetable.calendar(run, content)
    timetable.hours(run, content)
    timetable.templates(run, content)
    for organization in run.places["organization"].values():
        defaults.ensure_defaults(organization)


def _stranded(*, now: datetime) -> list[Stranded]:
    """Half-days to come with booked patients whose doctor is off duty."""
    waiting = Q(appointments__status__in=["pending", "booked", "arrived"])
    schedules = (
        Schedule.objects.filter(ends_at__gt=now, status=Schedule.Status.OPEN, role__practitioner__active=False)
        .annotate(booked=Count("appointments", filter=waiting))
        .filter(booked__gt=0)
        .select_related("role__practitioner", "team", "service")
        .order_by("starts_at", "pk")
    )
    return [Stranded(schedule=row.pk, label=str(row), booked=row.booked) for row in schedules]
