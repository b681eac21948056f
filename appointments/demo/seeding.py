"""Everything that `seed_demo` does, in order. A second time it does nothing."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from appointments.demo import people, today, visits, wishes
from appointments.demo.ledger import DAY, Ledger
from appointments.demo.scale import SEED, Scale
from appointments.services import noshow, planning
from appointments.services.importing import import_workbook
from hospital import clock
from hospital.models import AuditEvent, Department, Fact, Organization, Practitioner, User
from hospital.workbook.reader import read

WORKBOOK = Path(settings.BASE_DIR) / "demo" / "hospital.xlsx"
LOCK = 7_313_002  # one seeding at a time
BEGUN, DONE = "demo.seeding", "demo.seeded"
APPS = ("hospital", "appointments")
FROM_MIGRATIONS = {"RolePolicy", "RolePolicyEvent"}  # rows that are there before any hospital is
LATE = time(23, 30)  # every clinic of the day is over
OLD_NEWS = timedelta(hours=12)  # facts older than that have been told long ago
Say = Callable[[str], None]


class NotEmpty(Exception):
    """There is a hospital here that the demo did not make: it stays as it is."""


def seed(*, scale: Scale, now: datetime, say: Say = lambda text: None) -> bool:
    """Fill an empty hospital; False when it was filled before. On a later day only the demo doctor's queue is new.

    Every day is committed by itself: in one long transaction the locks that foreign keys take on the same few rows
    would grow with every booking. A run that was killed half-way is thrown away and begun anew.
    """
    with _alone():
        before = AuditEvent.objects.filter(action=DONE).order_by("-at").first()
        if before is None:
            _begin(now=now)
            _fill(scale, now=now, say=say)
        elif clock.today(before.at) < clock.today(now):
            _liven(now=now)
        return before is None


@contextmanager
def _alone() -> Iterator[None]:
    """One seeding at a time; its commits need not wait for the disk, since a lost run is repeated."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute("SET synchronous_commit = off")
        try:
            yield
        finally:
            cursor.execute("RESET synchronous_commit")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _begin(*, now: datetime) -> None:
    """Leave a mark that what follows is the demo's; where that mark stands alone, a run was cut off."""
    if AuditEvent.objects.filter(action=BEGUN).exists():
        models = [model for app in APPS for model in apps.get_app_config(app).get_models()]
        tables = [model._meta.db_table for model in models if model.__name__ not in FROM_MIGRATIONS]
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    elif Organization.objects.exists():
        raise NotEmpty
    AuditEvent.objects.create(at=now, action=BEGUN)


def _fill(scale: Scale, *, now: datetime, say: Say) -> None:
    day = clock.today(now)
    report = import_workbook(content=read(WORKBOOK), apply=True, now=now)
    say(f"workbook: {report.counts()['new']} rows")
    first_day, last_day = day - timedelta(days=scale.days_back), day + timedelta(days=scale.days_ahead)
    say(f"numbers: {lay_out_all(first_day=first_day, last_day=last_day, now=now)}")
    dice = random.Random(SEED)
    users = people.make_staff(Organization.objects.get(kind=Organization.Kind.HOSPITAL))
    folk = people.make_patients(dice, count=scale.patients, today=day)
    codes, communities = _departments()
    personas = people.make_personas(dice, folk, codes=codes, communities=communities, today=day)
    say(f"people: {len(folk)} patients, {len(users)} staff")
    doctor = Practitioner.objects.get(user=users[people.DEMO_DOCTOR])
    clinic = today.clinic_now(doctor, now=now)
    ledger = Ledger(scale=scale, dice=dice, personas=personas, users=users, favourite=doctor.pk, now=now)
    _live(ledger, say=say)
    today.fill_queue(clinic, dice=dice, users=users, now=now)
    Fact.objects.filter(happened_at__lt=now - OLD_NEWS, fanned_out=False).update(fanned_out=True)
    _analyze()
    AuditEvent.objects.create(at=now, action=DONE, detail={"scale": scale.name, "patients": len(folk)})


def lay_out_all(*, first_day: date, last_day: date, now: datetime) -> int:
    """Half-days and numbers of every institution; the planner is told afterwards what the tables hold."""
    numbers = 0
    for organization in Organization.objects.filter(active=True).order_by("pk"):
        numbers += planning.lay_out(organization=organization, first_day=first_day, last_day=last_day, now=now).numbers
    _analyze()
    return numbers


def _analyze() -> None:
    """A fresh table looks empty to the planner until it is told otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE appointments_schedule, appointments_slot, appointments_allotment")
        cursor.execute("ANALYZE appointments_appointment, appointments_encounter, hospital_fact, hospital_patienttime")


def _departments() -> tuple[list[str], list[str]]:
    """Codes of the hospital's departments and of the communities' own."""
    rows = Department.objects.filter(active=True).select_related("organization").order_by("order", "code")
    hospital, communities = [], []
    for row in rows:
        (hospital if row.organization.kind == Organization.Kind.HOSPITAL else communities).append(row.code)
    return hospital, communities


def _live(ledger: Ledger, *, say: Say) -> None:
    """Day after day until now. People have booked in the week before the first clinic day."""
    for before in range(7, 0, -1):
        wishes.book_ahead(ledger, ledger.first_day - before * DAY)
        if before in (7, 4):
            _analyze()
    day, seen = ledger.first_day, 0
    while day <= ledger.today:
        wishes.book_ahead(ledger, day)
        wishes.walk_in(ledger, day)
        held = visits.hold_clinics(ledger, day)
        for visit in sorted(held, key=lambda one: one.turn.started_at):
            wishes.come_again(ledger, visit)
        wishes.give_back(ledger, day)
        noshow.mark_noshows(now=min(ledger.now, clock.at(day, LATE)))
        seen += len(held)
        if day == ledger.first_day or day.isoweekday() == 7:
            _analyze()
            say(f"{day}: {seen} visits so far")
        day += DAY
    say(f"{seen} visits, {len(ledger.coming(ledger.today))} bookings to come")


def _liven(*, now: datetime) -> None:
    """The demo is opened on a later day: the doctor's queue of that day. The rest is what people did with it."""
    doctor = Practitioner.objects.get(user__username=people.DEMO_DOCTOR)
    users = {user.username: user for user in User.objects.filter(username__in=[row[0] for row in people.STAFF])}
    with transaction.atomic():
        clinic = today.clinic_now(doctor, now=now)
        today.fill_queue(clinic, dice=random.Random(f"{SEED}{clock.today(now)}"), users=users, now=now)
        AuditEvent.objects.create(at=now, action=DONE, detail={"queue": clinic.pk})
