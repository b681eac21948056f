"""自动执行记录: what the jobs did, when it was due, how late and how long, and which run died half-way."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import ExpressionWrapper, F, Q, fields

from appointments.models import JobRun
from hospital import clock

LOCKED = 7_313_010
"""First key of the advisory lock that a run under way holds (services.runs); the second is the run's id."""

LONGEST = timedelta(minutes=30)
"""CELERY_TASK_TIME_LIMIT: no run goes on for longer, whatever its connection says."""

LATE = timedelta(minutes=2)
"""Beat calls once a minute: what begins later than that was held up."""

PAGE = 50

RUNNING, DIED, DONE = "running", "died", "done"

HELD = """
SELECT objid FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True)
class RunLine:
    run: JobRun
    state: str

    @property
    def late_minutes(self) -> int:
        """0 when it began in time."""
        late = self.run.started_at - self.run.due_at
        return int(late.total_seconds() // 60) if late >= LATE else 0

    @property
    def seconds(self) -> float | None:
        return (self.run.done_at - self.run.started_at).total_seconds() if self.run.done_at else None


def page_of(*, job: str = "", trouble: bool = False, day: date | None = None, number: int = 1, now: datetime) -> Page:
    """Runs newest first, as RunLines. `trouble`: late ones and those without an end; `day`: begun on that day."""
    rows = JobRun.objects.order_by("-started_at", "-pk")
    if job:
        rows = rows.filter(job=job)
    if day:
        first = clock.at(day, datetime.min.time())
        rows = rows.filter(started_at__gte=first, started_at__lt=first + timedelta(days=1))
    if trouble:
        late = ExpressionWrapper(F("started_at") - F("due_at"), fields.DurationField())
        rows = rows.annotate(late=late).filter(Q(late__gte=LATE) | Q(done_at__isnull=True))
    page = Paginator(rows, PAGE).get_page(number)
    rows = list(page.object_list)
    states = state_of([row.pk for row in rows if row.done_at is None], now=now)
    page.object_list = [RunLine(row, states.get(row.pk, DONE)) for row in rows]
    return page


def state_of(unfinished: list[int], *, now: datetime) -> dict[int, str]:
    """Of runs without an end: a killed worker's connection is gone, and its lock with it."""
    if not unfinished:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(HELD, [LOCKED])
        held = {row[0] for row in cursor.fetchall()}
    recent = JobRun.objects.filter(pk__in=unfinished, started_at__gt=now - LONGEST).values_list("pk", flat=True)
    alive = {pk for pk in recent if pk % 2**31 in held}
    return {pk: RUNNING if pk in alive else DIED for pk in unfinished}
