"""What must hold of exams after any storm, asked from the tables and not from the services."""

from datetime import UTC, datetime

from django.db import connection

from exams.invariants import INVARIANTS

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Holds that have run out stand here until somebody takes them over."""

CLAIMS = {
    "two exams at once on a device": """
        SELECT a.id FROM exams_exambooking a JOIN exams_exambooking b
            ON a.device_id = b.device_id AND a.id < b.id AND a.during && b.during WHERE a.holds AND b.holds""",
    "more at once than the team has hands": """
        SELECT a.id FROM exams_exambooking a JOIN exams_staffteam t ON t.id = a.team_id
         WHERE a.holds AND t.size < (SELECT count(*) FROM exams_exambooking b
            WHERE b.team_id = a.team_id AND b.holds AND b.during @> lower(a.during))""",
    "a booking of another team than its device": """
        SELECT b.id FROM exams_exambooking b JOIN exams_device d ON d.id = b.device_id
         WHERE b.holds AND b.session_id IS NOT NULL AND b.team_id IS DISTINCT FROM d.team_id""",
    "half a plan": """
        SELECT p.id FROM exams_examplan p WHERE p.confirmed_at IS NULL AND (
            SELECT count(*) FROM exams_exambooking b WHERE b.plan_id = p.id AND b.holds) NOT IN (0, p.exams)""",
    **{each.name: each.broken for each in INVARIANTS},
}
"""The house's own, and what these acts must also keep."""


def unsound() -> dict[str, list[int]]:
    """Claims that don't hold, with the rows that break them."""
    found = {}
    with connection.cursor() as cursor:
        for claim, statement in CLAIMS.items():
            cursor.execute(statement, {"late": LONG_AGO})
            rows = [row[0] for row in cursor.fetchall()]
            if rows:
                found[claim] = rows
    return found
