"""What the release and recall jobs left of the last weeks: their rows, as they would have written them."""

from datetime import datetime, timedelta

from django.db import connection

from appointments.models import JobRun

KEPT = timedelta(days=45)

RELEASES = """
WITH opened AS (
    SELECT a.opens_at AS moment, a.department_id AS department, p.kind, count(s.id) AS numbers
      FROM appointments_allotment a
      JOIN appointments_pool p ON p.id = a.pool_id
      JOIN appointments_slot s ON s.schedule_id = a.schedule_id AND s.pool_id = a.pool_id
     WHERE a.opened_at IS NOT NULL AND a.opens_at > %(since)s AND a.opens_at <= %(now)s
     GROUP BY a.opens_at, a.department_id, p.kind),
departments AS (
    SELECT moment, department, jsonb_object_agg(kind, numbers) AS kinds, sum(numbers) AS numbers
      FROM opened GROUP BY moment, department)
INSERT INTO appointments_jobrun (job, due_at, started_at, done_at, moved, detail)
SELECT 'release', moment, moment + interval '0.4 seconds',
       moment + interval '0.7 seconds' + interval '30 microseconds' * sum(numbers), sum(numbers),
       jsonb_build_object(to_char(moment AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS"+08:00"'),
                          jsonb_object_agg(department, kinds))
  FROM departments GROUP BY moment ORDER BY moment
"""

RECALLS = """
WITH shared AS (
    SELECT date_trunc('minute', f.happened_at) AS moment,
           (SELECT sum(numbers::int) FROM jsonb_each_text(f.payload -> 'pools') AS pool (kind, numbers)) AS numbers
      FROM hospital_fact f
     WHERE f.topic = 'supply.shared' AND f.happened_at > %(since)s)
INSERT INTO appointments_jobrun (job, due_at, started_at, done_at, moved, detail)
SELECT 'recall', moment, moment + interval '0.5 seconds',
       moment + interval '0.6 seconds' + interval '60 microseconds' * sum(numbers), sum(numbers), '{}'
  FROM shared GROUP BY moment HAVING sum(numbers) > 0 ORDER BY moment
"""


def remember_releases(*, now: datetime) -> None:
    """Right after laying out: every number is still in the pool that it was released in."""
    _insert(RELEASES, now=now)


def remember_recalls(*, now: datetime) -> None:
    """At the end, from the facts; in place of the one run that moved what the seeding had left to it."""
    JobRun.objects.filter(job=JobRun.Job.RECALL).delete()
    _insert(RECALLS, now=now)


def _insert(statement: str, *, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"since": now - KEPT, "now": now})
