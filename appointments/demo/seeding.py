"""Everything that `seed_demo` does, in order. A second time it does nothing."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from appointments.demo import accounts, branches, jobs, neighbours, people, stops, today, visits, waiting, wishes
from appointments.demo.by_service import ByService
from appointments.demo.in_bulk import InBulk
from appointments.demo.ledger import DAY, Ledger
from appointments.demo.progress import Progress, Show
from appointments.demo.scale import SCALES, SEED, Scale
from appointments.services import planning, supply
from appointments.services.importing import import_workbook
from hospital import clock
from hospital.models import AuditEvent, Department, Fact, Organization, Practitioner, User
from hospital.workbook.reader import read

WORKBOOKS = Path(settings.BASE_DIR) / "demo"
LOCK = 7_313_002  # one seeding at a time
BEGUN, DONE = "demo.seeding", "demo.seeded"
APPS = ("hospital", "appointments")
FROM_MIGRATIONS = {"RolePolicy", "AccountRule", "Notice", "RetentionRule"}  # rows that no hospital brings with it
AHEAD = 7  # days before the first clinic on which people have booked for it
LAID_TOGETHER = 10  # days
LATE = time(23, 30)  # every clinic of the day is over
OLD_NEWS = timedelta(hours=12)  # facts older than that have been told long ago


class NotEmpty(Exception):
    """There is a hospital here that the demo did not make: it stays as it is."""


class AnotherScale(Exception):
    """The demo is here already, smaller than what is asked for. The argument is the name of its scale."""


def seed(*, scale: Scale, now: datetime, show: Show = lambda share, what: None) -> bool:
    """Fill an empty hospital; False when it was filled before. On a later day only the demo doctor's queue is new.

    Every day is committed by itself: in one long transaction the locks that foreign keys take on the same few rows
    would grow with every booking. A run that was killed half-way is thrown away and begun anew.
    """
    with _alone():
        before = AuditEvent.objects.filter(action=DONE).order_by("-at").first()
        if before is None:
            _begin(now=now)
            _fill(scale, now=now, show=show)
            return True
        _refuse_another_scale(scale)
        if clock.today(before.at) < clock.today(now):
            _liven(now=now)
        return False


def _refuse_another_scale(scale: Scale) -> None:
    """Who asks for more than is there must hear so; a larger one serves whoever asks for less."""
    name = AuditEvent.objects.filter(action=DONE).order_by("at").first().detail.get("scale")
    if name in SCALES and SCALES[name].patients < scale.patients:
        raise AnotherScale(name)


@contextmanager
def _alone() -> Iterator[None]:
    """One seeding at a time; its commits need not wait for the disk, since a lost run is repeated."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET statement_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("RESET statement_timeout")
            cursor.execute("RESET synchronous_commit")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _begin(*, now: datetime) -> None:
    """Leave a mark that what follows is the demo's; where that mark stands alone, a run was cut off."""
    if AuditEvent.objects.filter(action=BEGUN).exists():
        apps_here = (*APPS, *(each.app for each in neighbours.joined))
        models = [model for app in apps_here for model in apps.get_app_config(app).get_models()]
        tables = [model._meta.db_table for model in models if not _is_from_migrations(model.__name__)]
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    elif Organization.objects.exists():
        raise NotEmpty
    AuditEvent.objects.create(at=now, action=BEGUN)


def _is_from_migrations(name: str) -> bool:
    """Those models and their histories."""
    return name.removesuffix("Event") in FROM_MIGRATIONS


def _fill(scale: Scale, *, now: datetime, show: Show) -> None:
    day, dice = clock.today(now), random.Random(SEED)
    first_day, last_day = day - timedelta(days=scale.days_back), day + timedelta(days=scale.days_ahead)
    progress = _progress(scale, show)
    progress.at("workbook", 0, "reading the workbook")
    import_workbook(content=read(WORKBOOKS / scale.workbook), apply=True, now=now)
    branches.lend(first_day=first_day, now=now)
    numbers = lay_out_all(first_day=first_day, last_day=last_day, now=now, progress=progress)
    jobs.remember_releases(now=now)
    users = people.make_staff(Organization.objects.get(kind=Organization.Kind.HOSPITAL))
    codes, communities = _departments()
    personas = people.make_patients(
        dice, count=scale.patients, codes=codes, communities=communities, today=day,
        told=lambda share: progress.at("people", share, f"{scale.patients * share:,.0f} patients"),
    )  # fmt: skip
    doctor = Practitioner.objects.get(user=users[people.DEMO_DOCTOR])
    clinic = today.clinic_now(doctor, now=now)
    ledger = Ledger(scale=scale, dice=dice, personas=personas, users=users, favourite=doctor.pk, now=now)
    seen = _live(ledger, progress=progress)
    today.fill_queue(clinic, dice=dice, users=users, now=now)
    stops.live(doctor=doctor, users=users, now=now)
    accounts.make(now=now)
    waiting.live(now=now)
    _analyze()
    for neighbour in neighbours.joined:
        progress.at("end", 0, neighbour.live(neighbours.Scene(scale, doctor, users, now)))
        _analyze_of(neighbour.app)
    jobs.remember_recalls(now=now)
    progress.at("end", 0, f"{numbers:,} numbers, {seen:,} visits; tidying up")
    Fact.objects.filter(happened_at__lt=now - OLD_NEWS, fanned_out=False).update(fanned_out=True)
    AuditEvent.objects.create(at=now, action=DONE, detail={"scale": scale.name, "patients": scale.patients})
    _settle()
    progress.at("end", 1, f"{numbers:,} numbers, {scale.patients:,} patients, {seen:,} visits")


def _progress(scale: Scale, show: Show) -> Progress:
    days = scale.days_back + scale.days_ahead + 1
    bulk = max(0, scale.days_back + 1 - scale.by_service)
    larger = 1 if scale.workbook == "hospital.xlsx" else 3.5
    units = {
        "workbook": larger, "numbers": days * larger / 3.5, "people": scale.patients, "bulk": bulk * scale.wishes,
        "service": min(scale.by_service, scale.days_back + 1) * scale.wishes, "end": days,
    }  # fmt: skip
    return Progress(units, show)


def lay_out_all(*, first_day: date, last_day: date, now: datetime, progress: Progress | None = None) -> int:
    """Half-days and numbers of every institution; the planner is told afterwards what the tables hold."""
    numbers, days = 0, (last_day - first_day).days + 1
    for done in range(0, days, LAID_TOGETHER):
        first = first_day + timedelta(days=done)
        last = min(last_day, first + timedelta(days=LAID_TOGETHER - 1))
        for organization in Organization.objects.filter(active=True).order_by("pk"):
            laid = planning.lay_out(organization=organization, first_day=first, last_day=last, now=now)
            numbers += laid.numbers
        if done == 0:
            _analyze()
        if progress:
            progress.at("numbers", min(1, (done + LAID_TOGETHER) / days), f"{last}: {numbers:,} numbers laid out")
    _analyze()
    return numbers


def _analyze() -> None:
    """A fresh table looks empty to the planner until it is told otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE appointments_schedule, appointments_scheduleparticipant, appointments_slot")
        cursor.execute("ANALYZE appointments_allotment, appointments_appointment, appointments_encounter")
        cursor.execute("ANALYZE hospital_fact, hospital_patienttime, hospital_patient, hospital_patientidentifier")


def _analyze_of(app: str) -> None:
    """For whoever reads its tables next."""
    tables = [model._meta.db_table for model in apps.get_app_config(app).get_models()]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def _settle() -> None:
    """As after a quiet night: what autovacuum would do in the demo's first minutes."""
    if connection.in_atomic_block:
        _analyze()
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _departments() -> tuple[list[str], list[str]]:
    """Codes of the hospital's departments and of the communities' own."""
    rows = Department.objects.filter(active=True).select_related("organization").order_by("order", "code")
    hospital, communities = [], []
    for row in rows:
        (hospital if row.organization.kind == Organization.Kind.HOSPITAL else communities).append(row.code)
    return hospital, communities


def _live(ledger: Ledger, *, progress: Progress) -> int:
    """Day after day until now, the last ones through the services; how many visits there were."""
    told_before, seen = ledger.now - OLD_NEWS, 0
    by_service_from = ledger.today - (ledger.scale.by_service - 1) * DAY
    bulk = ledger.house = InBulk(ledger, told_before=told_before)
    day = ledger.first_day - AHEAD * DAY
    while day <= ledger.today:
        if day >= by_service_from and ledger.house is bulk:
            bulk.finish()
            _analyze()
            ledger.house = ByService(ledger, told_before=told_before)
            supply.follow_up(now=clock.at(day, time(0)))
        wishes.book_ahead(ledger, day)
        if day >= ledger.first_day:
            seen += _clinic_day(ledger, day)
        if ledger.house is bulk:
            share = (day - ledger.first_day) / max(DAY, by_service_from - ledger.first_day)
            progress.at("bulk", max(0, share), f"{day}: {seen:,} visits so far")
        else:
            share = 1 - (ledger.today - day) / max(DAY, ledger.today - max(by_service_from, ledger.first_day) + DAY)
            progress.at("service", share, f"{day}: {seen:,} visits so far")
        day += DAY
    return seen


def _clinic_day(ledger: Ledger, day: date) -> int:
    wishes.walk_in(ledger, day)
    held = visits.hold_clinics(ledger, day)
    for visit in sorted(held, key=lambda one: one.turn.started_at):
        wishes.come_again(ledger, visit)
    wishes.give_back(ledger, day)
    ledger.house.end_day(day, at=min(ledger.now, clock.at(day, LATE)))
    if day < ledger.today:
        ledger.close(day)
    return len(held)


def _liven(*, now: datetime) -> None:
    """The demo is opened on a later day: the doctor's queue of that day. The rest is what people did with it."""
    doctor = Practitioner.objects.get(user__username=people.DEMO_DOCTOR)
    users = {user.username: user for user in User.objects.filter(username__in=[row[0] for row in people.STAFF])}
    with transaction.atomic():
        clinic = today.clinic_now(doctor, now=now)
        today.fill_queue(clinic, dice=random.Random(f"{SEED}{clock.today(now)}"), users=users, now=now)
        AuditEvent.objects.create(at=now, action=DONE, detail={"queue": clinic.pk})
