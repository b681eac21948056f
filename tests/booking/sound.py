"""Is the whole inventory sound? Asked of the rows alone, whatever was done to them."""

from datetime import UTC, datetime

from django.db import connection

from appointments import invariants

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # no worker lapses holds in these tests
UNSOUND = {
    "an appointment whose last fact says something else": """
        SELECT a.id, a.status, f.topic FROM appointments_appointment a
          LEFT JOIN LATERAL (SELECT topic FROM hospital_fact WHERE key = 'appointment:' || a.id
                              AND topic IN ('appointment.held', 'appointment.booked', 'appointment.cancelled',
                                            'appointment.dropped', 'appointment.lapsed')
                              ORDER BY id DESC LIMIT 1) f ON true
         WHERE f.topic IS NULL
            OR a.status = 'pending' AND f.topic <> 'appointment.held'
            OR a.status = 'booked' AND f.topic <> 'appointment.booked'
            OR a.status = 'cancelled' AND f.topic IN ('appointment.held', 'appointment.booked')""",
    "more self-service visits of a patient on a day than the rule allows": """
        SELECT patient_id, day, count(*) FROM appointments_appointment
         WHERE status <> 'cancelled' AND counts GROUP BY patient_id, day HAVING count(*) > 2""",
    "more self-service visits of a patient in 7 days than the rule allows": """
        SELECT a.patient_id, a.day, count(*) FROM appointments_appointment a
          JOIN appointments_appointment b ON b.patient_id = a.patient_id AND b.status <> 'cancelled' AND b.counts
               AND b.day BETWEEN a.day AND a.day + 6
         WHERE a.status <> 'cancelled' AND a.counts GROUP BY a.id, a.patient_id, a.day HAVING count(*) > 3""",
    "a stopped clinic with numbers to give": """
        SELECT c.id FROM appointments_schedule c JOIN appointments_slot s ON s.schedule_id = c.id
         WHERE c.status = 'stopped' AND s.status NOT IN ('booked', 'blocked')""",
}


def unsound() -> dict[str, list]:
    """What is wrong, by law; empty when all is well. The house's invariants, and what these acts must also keep."""
    found = {each.invariant.name: each.ids for each in invariants.violations(now=LONG_AGO)}
    with connection.cursor() as cursor:
        for law, query in UNSOUND.items():
            cursor.execute(query)
            if rows := cursor.fetchmany(5):
                found[law] = rows
    return found


def deadlocks() -> int:
    """How many this database has broken up so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]
