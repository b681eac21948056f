"""Rows to measure on: few by the ORM, the many by generate_series. Nobody in it exists."""

import contextlib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import ProgrammingError, connection

from appointments.models import BookingRule, ChannelRule, Pool
from bench.sizes import Sizes
from hospital import clock
from hospital.models import (
    ApiToken,
    Campus,
    Department,
    HealthcareService,
    Organization,
    Practitioner,
    PractitionerRole,
    PriceItem,
    Room,
    User,
)

CODE = "B"
SINCE = date(2020, 1, 1)
DOCTORS_A_DEPARTMENT = 5

SCHEDULES = """
INSERT INTO appointments_schedule (organization_id, campus_id, department_id, service_id, role_id, room_id, day, half,
                                   starts_at, ends_at, capacity, status, stop_reason)
SELECT %(organization)s, %(campus)s, r.department_id, r.service_id, r.id, room.id, d::date, half.name,
       d + half.begins, d + half.begins + interval '4 hours', %(numbers)s, 'open', ''
  FROM generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') d
 CROSS JOIN (VALUES ('am', interval '8 hours'), ('pm', interval '13 hours 30 minutes')) half (name, begins)
 CROSS JOIN (SELECT r.*, row_number() OVER (ORDER BY r.id) AS place FROM hospital_practitionerrole r) r
  JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM hospital_room) room USING (place)
 ORDER BY d, half.name, r.id
"""
SLOTS = """
INSERT INTO appointments_slot (schedule_id, number, start, minutes, pool_id, status)
SELECT s.id, n, s.starts_at + make_interval(mins => (n - 1) * 240 / s.capacity), 240 / s.capacity,
       CASE WHEN n %% 10 < 4 THEN %(partner)s WHEN n %% 10 < 6 THEN %(consult)s ELSE %(public)s END,
       CASE WHEN s.day > %(today)s OR n %% 5 = 0 THEN 'free' ELSE 'booked' END
  FROM appointments_schedule s, generate_series(1, s.capacity) n
 WHERE s.day BETWEEN %(first)s AND %(last)s
 ORDER BY s.id, n
"""
ALLOTMENTS = """
INSERT INTO appointments_allotment (schedule_id, pool_id, department_id, day, opens_at, opened_at, shared_from,
                                    moved_at)
SELECT s.id, p.id, s.department_id, s.day, s.starts_at - interval '100 days', s.starts_at - interval '100 days',
       shared.since, shared.since
  FROM appointments_schedule s, unnest(%(pools)s::bigint[]) p (id),
       LATERAL (SELECT CASE WHEN p.id <> %(public)s THEN s.starts_at - interval '99 days' END) shared (since)
 WHERE s.day BETWEEN %(first)s AND %(last)s
 ORDER BY s.id, p.id
"""
PATIENTS = """
INSERT INTO hospital_patient (medical_number, name, pinyin, initials, sex, phone, phone_hash, insurance,
                              registered_at, active)
SELECT 'B' || lpad(n::text, 9, '0'), '测试' || n, 'ceshi' || n, 'cs' || n, 'U', '', '', 'none', now(), true
  FROM generate_series(1, %s) n
"""


@dataclass(frozen=True)
class Ground:
    """What the measurements need to know of the rows."""

    organization: int
    token: str  # may book anyone, over the channel `app`
    account: int
    pools: dict[str, int]
    patients: tuple[int, int]  # first and last id, of those who book over HTTP
    others: tuple[int, int]  # of those whom pgbench draws at random
    schedules: tuple[int, int]


def fill(sizes: Sizes, *, today: date) -> Ground:
    """A hospital with `days` of numbers from tomorrow on, all open to the app: its own pool's or shared already."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    organization = _house(sizes)
    pools = {kind: Pool.objects.create(organization=organization, kind=kind, name=kind).pk for kind in Pool.Kind.values}
    span = (today + timedelta(days=1), today + timedelta(days=sizes.days))
    add_days(sizes, organization, pools, span=span, today=today)
    with connection.cursor() as cursor:
        _without_triggers(cursor, "hospital_patient", PATIENTS, [sizes.patients])
    User.objects.create(username="bench")
    settle()
    return find()


def find() -> Ground:
    """The ground of this database, with a token of its own. Schedules: of the days ahead."""
    organization = Organization.objects.get(code=CODE)
    pools = dict(Pool.objects.filter(organization=organization).values_list("kind", "pk"))
    account = User.objects.get(username="bench")
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM hospital_patient")
        first, last = cursor.fetchone()
        cursor.execute("SELECT min(id), max(id) FROM appointments_schedule WHERE day > %s", [clock.today(clock.now())])
        schedules = cursor.fetchone()
    border = first + 3 * (last - first) // 4
    _row, secret = ApiToken.issue(
        name="bench", user=account, channel="app", scopes=["book_anyone"], expires_at=clock.now() + timedelta(days=1)
    )
    return Ground(organization.pk, secret, account.pk, pools, (first, border), (border + 1, last), schedules)


def _house(sizes: Sizes) -> Organization:
    organization = Organization.objects.create(code=CODE, name="测试医院")
    campus = Campus.objects.create(organization=organization, code="1", name="本部")
    PriceItem.objects.create(
        organization=organization, code="G", name="挂号费", amount=Decimal(20), effective_from=SINCE
    )
    BookingRule.objects.create(organization=organization, effective_from=SINCE)
    ChannelRule.objects.create(organization=organization, channel="app", kinds=["public"], effective_from=SINCE)
    service = HealthcareService.objects.create(
        organization=organization, code="G", name="普通号", level="general", price_code="G"
    )
    departments = [
        Department.objects.create(organization=organization, campus=campus, code=f"D{n}", name=f"{n}科")
        for n in range(max(1, sizes.doctors // DOCTORS_A_DEPARTMENT))
    ]
    for n in range(sizes.doctors):
        department = departments[n % len(departments)]
        Room.objects.create(campus=campus, department=department, code=f"R{n}", name=f"{n}诊室")
        doctor = Practitioner.objects.create(organization=organization, code=f"P{n}", name=f"医生{n}", title="主治医师")
        PractitionerRole.objects.create(practitioner=doctor, department=department, service=service)
    return organization


def add_days(sizes: Sizes, organization, pools: dict[str, int], *, span: tuple[date, date], today: date) -> None:
    """Schedules, numbers and allotments of some days; foreign keys and indexes of numbers are put back afterwards."""
    values = {
        "organization": organization.pk,
        "campus": organization.campuses.get().pk,
        "numbers": sizes.numbers,
        "first": span[0],
        "last": span[1],
        "today": today,
        "pools": [pools[kind] for kind in ("public", "consult", "partner")],
        **pools,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Shanghai'")
        bare(cursor, "appointments_schedule", SCHEDULES, values)
        bare(cursor, "appointments_slot", SLOTS, values)
        bare(cursor, "appointments_allotment", ALLOTMENTS, values)
        cursor.execute("SET TIME ZONE 'UTC'")


def _without_triggers(cursor, table: str, statement: str, values) -> None:
    """History of rows that nobody changed would only cost time."""
    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    cursor.execute(statement, values)
    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def bare(cursor, table: str, statement: str, values) -> None:
    """Millions of rows go in without keys, indexes and history, which are then made again exactly as they were."""
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('f', 'u', 'x')",
        [table],
    )
    constraints = cursor.fetchall()
    for name, _definition in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(
        "SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT indisprimary",
        [table],
    )
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    _without_triggers(cursor, table, statement, values)
    for _name, definition in indexes:
        cursor.execute(definition)
    for name, definition in constraints:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def settle() -> None:
    """As after a quiet night: statistics, the visibility map, and nothing left to write."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")
        with contextlib.suppress(ProgrammingError):  # a role without pg_checkpoint
            cursor.execute("CHECKPOINT")
