"""Who looks at the pages that are measured: a family with bookings, a doctor with a queue, the desk, the office."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from unittest import mock

from django.db import connection
from django.test import Client

from appointments.models import Appointment, ChannelRule, Pool, Schedule
from appointments.services import booking, visit
from appointments.services.defaults import CHANNELS
from bench import seed
from bench.sizes import Sizes
from hospital import accounts, clock, consents
from hospital.models import (
    ApiToken,
    HalfDayHours,
    Organization,
    Patient,
    Practitioner,
    RelatedPerson,
    Role,
    RoleAssignment,
    RolePolicy,
    User,
)

TEN = time(10)
QUEUE = 8
PEOPLE = 5
PHONE = "19900000001"
STAFF = {"doctor": Role.DOCTOR, "desk": Role.TRIAGE, "office": Role.OFFICE}
HALVES = (("am", time(8), time(12)), ("pm", time(13, 30), time(17, 30)))


TO_COME = """
UPDATE appointments_allotment a
   SET opens_at = (a.day - rule.days + time '07:00') AT TIME ZONE 'Asia/Shanghai', opened_at = NULL
  FROM appointments_pool p JOIN (VALUES ('partner', 10), ('consult', 7)) rule (kind, days) ON rule.kind = p.kind
 WHERE p.id = a.pool_id AND (a.day - rule.days + time '07:00') AT TIME ZONE 'Asia/Shanghai' > %(now)s
"""


@dataclass
class Scene:
    """Subjects of the addresses by name, and a client for each who looks."""

    subjects: dict
    users: dict[str, User]
    token: str
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, who: str) -> Client:
        if who not in self.clients:
            headers = {"authorization": f"Bearer {self.token}"} if who == "program" else {}
            client = self.clients[who] = Client(headers={"host": "localhost", **headers})
            if who in self.users:
                client.force_login(self.users[who], backend="django.contrib.auth.backends.ModelBackend")
        return self.clients[who]


def ten() -> datetime:
    """Ten o'clock of today, so that there is a clinic whenever the bench runs."""
    return clock.at(clock.today(datetime.now(clock.ZONE)), TEN)


def make(sizes: Sizes) -> None:
    """Once per database."""
    now = ten()
    organization = Organization.objects.get(code=seed.CODE)
    RolePolicy.objects.update(second_factor=False)
    _rules(organization)
    _today(sizes, organization, now=now)
    _to_come(now=now)
    for name, role in STAFF.items():
        user = User.objects.create(username=f"bench-{name}", full_name=name)
        RoleAssignment.objects.create(user=user, role=role, organization=organization)
    User.objects.create_superuser(username="bench-admin", password=None)
    doctor = Practitioner.objects.order_by("pk").first()
    doctor.user = User.objects.get(username="bench-doctor")
    doctor.save()
    people = list(Patient.objects.order_by("pk")[: PEOPLE + QUEUE])
    _family(people[:PEOPLE], now=now)
    _queue(people[PEOPLE:], now=now)
    seed.settle()


def _rules(organization: Organization) -> None:
    """Every channel with its usual pools; `app` has its rule already."""
    ChannelRule.objects.bulk_create(
        ChannelRule(organization=organization, channel=channel, kinds=kinds, effective_from=seed.SINCE)
        for channel, kinds in CHANNELS.items()
        if channel != "app"
    )


def _today(sizes: Sizes, organization: Organization, *, now: datetime) -> None:
    """The day that is looked at: half-day hours for the grids, and clinics."""
    campus = organization.campuses.get()
    for half, starts, ends in HALVES:
        HalfDayHours.objects.get_or_create(
            campus=campus, half=half, defaults={"starts": starts, "ends": ends, "effective_from": seed.SINCE}
        )
    day = clock.today(now)
    pools = dict(Pool.objects.values_list("kind", "pk"))
    seed.add_days(sizes, organization, pools, span=(day, day), today=day - timedelta(days=1))


def _to_come(*, now: datetime) -> None:
    """Releases for the calendar. Their rest has been public long since: nobody's numbers become fewer."""
    with connection.cursor() as cursor:
        cursor.execute(TO_COME, {"now": now})


def _family(people: list[Patient], *, now: datetime) -> None:
    """Five people, each with two visits to come."""
    account = accounts.open_account(phone=PHONE, now=now)
    consents.give(account=account, notice=consents.privacy_missing(account, now), now=now)
    coming = Schedule.objects.filter(day__gt=clock.today(now), half="am").select_related("service").order_by("pk")
    days = sorted(set(coming.values_list("day", flat=True)))
    for place, person in enumerate(people, 1):
        relation = "self" if place == 1 else "other"
        RelatedPerson.objects.create(
            account=account, patient=person, relation=relation, proof="desk", place=place, since=now
        )
        for notice in consents.missing(account, person, now):
            consents.give(account=account, notice=notice, patient=person, now=now)
        for day in (days[1], days[3]):
            clinics = list(coming.filter(day=day)[:5])
            schedule = clinics[place % len(clinics)]
            booking.book(
                schedule=schedule, patient=person, channel="app", by=account, request_key=None, confirmed=True, now=now
            )


def _queue(people: list[Patient], *, now: datetime) -> None:
    """The first is with the doctor, the others wait."""
    schedule = _clinic(now)
    desk, doctor = (User.objects.get(username=f"bench-{name}") for name in ("desk", "doctor"))
    for place, patient in enumerate(people):
        row = booking.book(
            schedule=schedule, patient=patient, channel="app", by=desk, request_key=None, confirmed=True,
            now=now - timedelta(minutes=90),
        )  # fmt: skip
        waiting = visit.check_in(appointment=row, by=desk, document_seen=True, now=now - timedelta(minutes=20 - place))
        if place == 0:
            inside = {"by": doctor, "practitioner": doctor.practitioner, "room": schedule.room, "now": now}
            visit.start(encounter=visit.call(encounter=waiting, **inside), **inside)


def _clinic(now: datetime) -> Schedule:
    doctor = Practitioner.objects.order_by("pk").first()
    mine = Schedule.objects.filter(role__practitioner=doctor, day=clock.today(now), half="am")
    return mine.select_related("service").get()


def find() -> Scene:
    """The scene of this database, at ten o'clock."""
    now = ten()
    mock.patch.object(clock, "now", return_value=now).start()
    clinic = _clinic(now)
    account = accounts.by_phone(PHONE)
    mine = Appointment.objects.filter(
        patient__looked_after_by__account=account, day__gt=clock.today(now), status="booked"
    )
    open_day = clinic.role.schedules.filter(day=clock.today(now) + timedelta(days=3), half="am").get()
    users = {name: User.objects.get(username=f"bench-{name}") for name in (*STAFF, "admin")} | {"patient": account}
    _row, token = ApiToken.issue(
        name="pages", user=account, channel="app", scopes=["read", "book"], expires_at=now + timedelta(days=1)
    )
    subjects = {
        "department": clinic.department_id,
        "role": clinic.role_id,
        "schedule": open_day.pk,
        "coming": (clock.today(now) + timedelta(days=2)).isoformat(),
        "start": open_day.starts_at.astimezone(clock.ZONE).isoformat().replace("+", "%2B"),
        "patient": mine.order_by("pk").first().patient_id,
        "booking": mine.order_by("pk").first().pk,
    }
    return Scene(subjects, users, token)
