"""What must hold of exams after any storm, asked from the tables and not from the services."""

from django.db import connection

CLAIMS = {
    "two exams at once on a device": """
        SELECT a.id FROM exams_exambooking a JOIN exams_exambooking b
            ON a.device_id = b.device_id AND a.id < b.id AND a.during && b.during WHERE a.holds AND b.holds""",
    "more at once than the team has hands": """
        SELECT a.id FROM exams_exambooking a JOIN exams_staffteam t ON t.id = a.team_id
         WHERE a.holds AND t.size < (SELECT count(*) FROM exams_exambooking b
            WHERE b.team_id = a.team_id AND b.holds AND b.during @> lower(a.during))""",
    "a booking on a device that is down, or of another team than its device": """
        SELECT b.id FROM exams_exambooking b JOIN exams_device d ON d.id = b.device_id
         WHERE b.holds AND (b.session_id IS NOT NULL AND b.team_id IS DISTINCT FROM d.team_id
            OR b.status IN ('pending', 'booked') AND EXISTS (
            SELECT 1 FROM exams_downtime t WHERE t.device_id = b.device_id AND t.stands AND t.during && b.during))""",
    "a booking that holds without the patient's time, or with another": """
        SELECT b.id FROM exams_exambooking b LEFT JOIN hospital_patienttime t
            ON t.source = 'exam' AND t.source_id = b.id AND t.patient_id = b.patient_id AND t.during = b.stay
         WHERE b.holds AND t.id IS NULL""",
    "a patient's time without a booking that holds": """
        SELECT t.id FROM hospital_patienttime t LEFT JOIN exams_exambooking b ON b.id = t.source_id AND b.holds
         WHERE t.source = 'exam' AND b.id IS NULL""",
    "a request that is open with a live booking, or booked without": """
        SELECT r.id FROM exams_examrequest r WHERE (r.status = 'booked') <> EXISTS (
            SELECT 1 FROM exams_exambooking b WHERE b.request_id = r.id
               AND b.status NOT IN ('cancelled', 'noshow', 'not_done', 'done'))
           AND r.status IN ('open', 'booked')""",
    "half a plan": """
        SELECT p.id FROM exams_examplan p WHERE p.confirmed_at IS NULL AND (
            SELECT count(*) FROM exams_exambooking b WHERE b.plan_id = p.id AND b.holds) NOT IN (0, p.exams)""",
}


def unsound() -> dict[str, list[int]]:
    """Claims that don't hold, with the rows that break them."""
    found = {}
    with connection.cursor() as cursor:
        for claim, statement in CLAIMS.items():
            cursor.execute(statement)
            rows = [row[0] for row in cursor.fetchall()]
            if rows:
                found[claim] = rows
    return found
