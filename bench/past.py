"""A past behind the numbers: years of days, and a year's visits with the facts that they left. By SQL, in bulk."""

from datetime import date, timedelta

from django.db import connection

from bench import apart
from bench.scratch import Scratch
from bench.sizes import Sizes, chosen

VISITS = """
CREATE TEMP TABLE visit AS
SELECT row_number() OVER turn AS n, s.id AS slot, s.schedule_id, s.start, c.day, c.department_id, c.room_id,
       r.practitioner_id, %(first)s + row_number() OVER turn %% %(patients)s AS patient
  FROM appointments_slot s JOIN appointments_schedule c ON c.id = s.schedule_id
  JOIN hospital_practitionerrole r ON r.id = c.role_id
 WHERE c.day BETWEEN %(since)s AND %(today)s - 1 AND s.status = 'booked' AND s.id %% %(every)s = 0
WINDOW turn AS (ORDER BY s.start, s.id)
"""
"""Patients take turns, so that nobody is in two places."""

APPOINTMENTS = """
INSERT INTO appointments_appointment (slot_id, schedule_id, patient_id, department_id, day, start, channel,
       self_service, counts, visit_type, status, extra, fee, note, created_at, confirmed_at)
SELECT slot, schedule_id, patient, department_id, day, start, 'app', true, true, 'first', 'fulfilled', false, 20, '',
       start - interval '3 days', start - interval '3 days'
  FROM visit ORDER BY n
"""
TIMES = """
INSERT INTO hospital_patienttime (patient_id, during, source, source_id)
SELECT a.patient_id, tstzrange(a.start, a.start + s.minutes * interval '1 minute'), 'appointment', a.id
  FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id WHERE a.day < %(today)s ORDER BY a.id
"""
ENCOUNTERS = """
INSERT INTO appointments_encounter (appointment_id, schedule_id, department_id, patient_id, practitioner_id, room_id,
       status, priority, checked_in_at, document_seen, called_at, calls, started_at, finished_at)
SELECT a.id, a.schedule_id, a.department_id, a.patient_id, v.practitioner_id, v.room_id, 'finished', 0,
       a.start - interval '15 minutes', true, a.start, 1, a.start, a.start + interval '8 minutes'
  FROM appointments_appointment a JOIN visit v ON v.slot = a.slot_id ORDER BY a.id
"""
FACTS = """
INSERT INTO hospital_fact (topic, key, payload, happened_at, fanned_out)
SELECT step.topic, 'appointment:' || a.id, jsonb_build_object('appointment', a.id, 'schedule', a.schedule_id),
       a.start + step.after, true
  FROM appointments_appointment a
 CROSS JOIN (VALUES ('appointment.booked', interval '-3 days'), ('encounter.checked_in', interval '-15 minutes'),
                    ('encounter.called', interval '0'), ('encounter.started', interval '0'),
                    ('encounter.finished', interval '8 minutes')) step (topic, after)
 WHERE a.day < %(today)s ORDER BY a.id, step.after
"""
YEAR = timedelta(days=365)


def copy_of(scratch: Scratch, of: str, command: str) -> str:
    """A copy of a database with this done in it. Nobody may be connected to the original."""
    name = scratch.make("large", template=of)
    run(scratch.url(name), command)
    return name


def run(url: str, command: str) -> None:
    """`grow` or `live`, in that database."""
    apart.run(url, "past", "there", command)


def there(command: str) -> None:
    from hospital import clock

    {"grow": grow, "live": live}[command](chosen(), today=clock.today(clock.now()))


def grow(sizes: Sizes, *, today: date) -> None:
    """Past days with their numbers: `history` times what lies ahead, all in all."""
    from appointments.models import Pool
    from bench import seed
    from hospital.models import Organization

    organization = Organization.objects.get(code=seed.CODE)
    pools = dict(Pool.objects.values_list("kind", "pk"))
    _without_limits()
    span = (today - timedelta(days=sizes.days * (sizes.history - 1)), today - timedelta(days=1))
    seed.add_days(sizes, organization, pools, span=span, today=today)
    seed.settle()


def live(sizes: Sizes, *, today: date) -> None:
    """About `visits` of the last year's numbers were visits."""
    from bench import seed

    _without_limits()
    since = max(today - YEAR, today - timedelta(days=sizes.days * (sizes.history - 1)))
    taken = sizes.doctors * 2 * sizes.numbers * (today - since).days * 4 // 5
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), count(*) FROM hospital_patient")
        first, patients = cursor.fetchone()
        values = {"today": today, "since": since, "first": first, "patients": patients}
        cursor.execute(VISITS, values | {"every": max(1, taken // sizes.visits)})
        seed.bare(cursor, "appointments_appointment", APPOINTMENTS, values)
        cursor.execute("ANALYZE appointments_appointment")
        for name, statement in (
            ("appointments_encounter", ENCOUNTERS), ("hospital_fact", FACTS), ("hospital_patienttime", TIMES),
        ):  # fmt: skip
            seed.bare(cursor, name, statement, values)
    seed.settle()


def _without_limits() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET maintenance_work_mem = '256MB'")
        cursor.execute("SET work_mem = '64MB'")
