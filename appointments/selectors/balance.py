"""号源结构 (P8, B7): mornings against afternoons, the mix of levels, and the share of numbers open on line.

On-line share = numbers that web or app may ever take before the session starts / all numbers. A number counts when
its pool is one that web or app takes from, or when its pool's rest becomes public before the start: what is kept for
lower institutions or the consult room and recalled counts, the on-site floor and a leading expert's numbers do not.
Add-on numbers and stopped sessions count nowhere.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection

from appointments.policies.rules import ON_LINE
from hospital import clock
from hospital.models import HalfDay, HealthcareService

from . import rules

TARGET = 80
"""Percent of numbers open on line, at least (B7)."""

COUNTS = """
WITH wanted AS MATERIALIZED (
       SELECT c.id, c.department_id, c.half, svc.level, c.capacity, c.starts_at, c.organization_id
         FROM appointments_schedule c JOIN hospital_healthcareservice svc ON svc.id = c.service_id
        WHERE c.organization_id = %(house)s AND c.day BETWEEN %(first)s AND %(last)s AND c.status = 'open'
          AND (%(departments)s::bigint[] IS NULL OR c.department_id = ANY (%(departments)s::bigint[]))),
     counted AS (
       SELECT w.id, s.pool_id, count(*) AS numbers, count(*) FILTER (WHERE s.status = 'booked') AS taken
         FROM wanted w JOIN appointments_slot s ON s.schedule_id = w.id
        WHERE s.number <= w.capacity AND s.status <> 'blocked'
        GROUP BY w.id, s.pool_id),
     given_away AS (
       SELECT w.id, sum((f.payload -> 'pools' ->> p.kind)::int) AS numbers
         FROM wanted w
         JOIN appointments_allotment a
           ON a.schedule_id = w.id AND a.shared_from >= w.starts_at AND a.moved_at IS NOT NULL
         JOIN appointments_pool p ON p.id = a.pool_id
         JOIN hospital_fact f ON f.key = 'schedule:' || w.id AND f.topic = 'supply.shared'
          AND f.happened_at >= w.starts_at
        WHERE w.starts_at <= %(now)s
        GROUP BY w.id)
SELECT w.department_id, w.half, w.level, count(DISTINCT w.id), sum(n.numbers), sum(n.taken),
       coalesce(sum(n.numbers) FILTER (
           WHERE n.pool_id = ANY (%(pools)s::bigint[]) OR (%(public)s AND a.shared_from < w.starts_at)), 0)
       - coalesce(sum(g.numbers) FILTER (WHERE n.pool_id = ANY (%(publics)s::bigint[])), 0)
  FROM counted n
  JOIN wanted w ON w.id = n.id
  LEFT JOIN appointments_allotment a ON a.schedule_id = n.id AND a.pool_id = n.pool_id
  LEFT JOIN given_away g ON g.id = n.id
 GROUP BY w.department_id, w.half, w.level
"""
"""What the floor had left when its session began lies in the public pool since: the recall's facts say how many."""


@dataclass
class Mix:
    """Of one department, or of all of them together."""

    sessions: Counter = field(default_factory=Counter)  # by half-day
    numbers: Counter = field(default_factory=Counter)  # by half-day
    levels: Counter = field(default_factory=Counter)  # numbers by level
    taken: int = 0
    online: int = 0

    def add(self, half: str, level: str, sessions: int, numbers: int, taken: int, online: int) -> None:
        self.sessions[half] += sessions
        self.numbers[half] += numbers
        self.levels[level] += numbers
        self.taken += taken
        self.online += online

    @property
    def total(self) -> int:
        return self.numbers.total()

    @property
    def morning(self) -> int:
        return self.numbers[HalfDay.MORNING]

    @property
    def afternoon(self) -> int:
        return self.numbers[HalfDay.AFTERNOON]

    @property
    def evening(self) -> int:
        return self.total - self.morning - self.afternoon

    @property
    def morning_percent(self) -> int | None:
        """Of mornings and afternoons together; evenings are a service of their own."""
        day = self.morning + self.afternoon
        return round(100 * self.morning / day) if day else None

    @property
    def online_percent(self) -> float | None:
        return round(100 * self.online / self.total, 1) if self.total else None

    @property
    def online_is_low(self) -> bool:
        return self.total > 0 and 100 * self.online < TARGET * self.total

    @property
    def used_percent(self) -> int | None:
        return round(100 * self.taken / self.total) if self.total else None

    @property
    def level_mix(self) -> list[tuple[str, int, int]]:
        """(level, numbers, percent), in the order of levels."""
        return [
            (str(label), self.levels[value], round(100 * self.levels[value] / self.total))
            for value, label in HealthcareService.Level.choices
            if self.levels[value]
        ]


def balance(
    *, house: int, first: date, last: date, departments: Iterable[int] | None, now: datetime
) -> tuple[Mix, dict[int, Mix]]:
    """All together, and department → its own. One query; the channels' rules of today say what is on line."""
    pools = [rules.pools_for(channel, organization_id=house, day=clock.today(now)) for channel in ON_LINE]
    values = {
        "house": house,
        "first": first,
        "last": last,
        "departments": None if departments is None else sorted(departments),
        "pools": sorted({pk for each in pools for pk in each.ids}),
        "public": any(each.public for each in pools),
        "publics": sorted({each.public for each in pools if each.public}),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, values)
        rows = cursor.fetchall()
    whole, parts = Mix(), {}
    for department, half, level, sessions, numbers, taken, online in rows:
        for mix in (whole, parts.setdefault(department, Mix())):
            mix.add(half, level, sessions, int(numbers), int(taken), int(online))
    return whole, parts
