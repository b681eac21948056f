"""Is the whole inventory sound? Asked of the rows alone, whatever was done to them."""

from django.db import connection

UNSOUND = {
    "a number's state is not what its appointments say": """
        SELECT s.id, s.status, array_agg(a.status) FROM appointments_slot s
          LEFT JOIN appointments_appointment a ON a.slot_id = s.id AND a.status <> 'cancelled'
         GROUP BY s.id
        HAVING NOT CASE s.status WHEN 'held' THEN count(a.id) = 1 AND bool_and(a.status = 'pending')
                                 WHEN 'booked' THEN count(a.id) = 1 AND bool_and(a.status <> 'pending')
                                 ELSE count(a.id) = 0 END""",
    "an appointment is not where its number is": """
        SELECT a.id FROM appointments_appointment a
          JOIN appointments_slot s ON s.id = a.slot_id JOIN appointments_schedule c ON c.id = s.schedule_id
         WHERE a.status <> 'cancelled' AND (a.schedule_id, a.start, a.day, a.department_id)
               IS DISTINCT FROM (s.schedule_id, s.start, c.day, c.department_id)""",
    "a live appointment without its patient's time": """
        SELECT a.id FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id
          LEFT JOIN hospital_patienttime t ON t.source = 'appointment' AND t.source_id = a.id
               AND t.patient_id = a.patient_id
               AND t.during = tstzrange(s.start, s.start + s.minutes * interval '1 minute')
         WHERE a.status <> 'cancelled' AND t.id IS NULL""",
    "a patient's time without a live appointment": """
        SELECT t.id FROM hospital_patienttime t LEFT JOIN appointments_appointment a ON a.id = t.source_id
         WHERE t.source = 'appointment' AND (a.id IS NULL OR a.status = 'cancelled')""",
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
    """What is wrong, by law; empty when all is well."""
    found = {}
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
